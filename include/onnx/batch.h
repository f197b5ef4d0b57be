/*
 * batch.h: the forward pass of many samples at once, at the rate of the
 * machine's matrix product.
 *
 * Samples are independent by construction: every node is applied to each
 * sample with the shapes inferred for one, so that nothing can mix them,
 * whatever a Reshape in the file says. Matrices and convolutions take all
 * samples in one product. A sample's result may depend on how many others are
 * in the batch, within the rounding stated below.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_BATCH_H
#define LIP_ONNX_BATCH_H

#include "op.h"

typedef enum lip_batch_precision { LIP_BATCH_F32, LIP_BATCH_F64 } lip_batch_precision;

typedef struct lip_batch lip_batch;

/*
 * Makes room for up to `capacity` samples of a model with one input, which is floating-point. capacity 0: as many as
 * keep a pass in the processor's cache, the fastest where values are visited (a pass without visits divides itself).
 * Memory, all of it on the account `memory`: the live activations of `capacity` samples, the weights once in the
 * precision asked for, and workspace for the largest node. Not for several threads at once; open one per
 * thread (they share no state). Matrices and convolutions are computed here, without BLAS; other nodes may use it, and
 * it should be told to use one thread. Refuses (LIP_EUNSUPPORTED) a node that is not understood, naming it, and
 * LIP_EMEMORY where the capacity does not fit. `model` outlives the batch.
 */
lip_status lip_batch_open(const lip_model *model, int64_t capacity, lip_batch_precision precision, lip_memory *memory,
                          lip_batch **out, lip_error *error);
void lip_batch_free(lip_batch **batch);
int64_t lip_batch_capacity(const lip_batch *batch); /* as given, or as chosen; >= 1 */

/* Called after each node; its inputs and outputs can be read, values that nobody reads any more are gone. */
typedef lip_status lip_batch_visit(void *context, lip_batch *batch, const lip_node *node, int64_t count,
                                   lip_error *error);

/*
 * samples: [count][elements of the input], count <= capacity; LIP_BATCH_F32 rounds them to float32. visit may be NULL:
 * then a Relu is done together with the affine node before it where nothing else reads that.
 *
 * Rounding: an affine node x -> A x + b (gain kinds DENSE and CONV, constant weights) computes each output element as
 * the sum of its products and its element of b in any order, in the batch's precision u, with or without FMA; products
 * with padding are exact zeroes. A and b are rounded once to that precision: exact where the file has float32, except
 * that a factor (Gemm's alpha and beta) is rounded into them. So, for n products, gradual underflow aside,
 *   |computed - (A x + b)| <= gamma_{n + 2} (|A| |x| + |b|).
 * Every other node, and a product with several constant matrices, is computed in float64 by its operator's forward, and
 * in LIP_BATCH_F32 its result is rounded once more to float32 (exact for copies, maxima and Relu). NaN stays NaN.
 */
lip_status lip_batch_forward(lip_batch *batch, const double *samples, int64_t count, lip_batch_visit *visit,
                             void *context, lip_error *error);

/* Products that are summed one after another; these sums are added up then. */
#define LIP_BATCH_SUM 48

/*
 * For an affine node whose products are summed here, at most so many roundings on the way of each, the bias's included:
 * above, n + 2 may be replaced by this. It is min(n, s) + ceil(n / s), s = LIP_BATCH_SUM, and 2 more where weights are
 * rounded (a matrix, which may have a factor, or LIP_BATCH_F32); +inf for other nodes.
 */
double lip_batch_roundings(const lip_batch *batch, const lip_node *node);

/* [count][elements] of a value during a visit, and of the logits until the next forward; NULL where there is none (any
 * more, or yet), where it holds whole numbers, or the batch is of the other precision. */
const double *lip_batch_f64(const lip_batch *batch, const lip_value *value);
const float *lip_batch_f32(const lip_batch *batch, const lip_value *value);

/* The sum of squares of one sample's elements of a value that can be read, in float64 and in any order, with FMA or
 * not; NaN where it cannot be read. */
double lip_batch_square_sum(const lip_batch *batch, const lip_value *value, int64_t sample);

#endif
