/*
 * batch.h: the forward pass of many samples at once, at the rate of the
 * machine's matrix product.
 *
 * Samples are independent by construction: every node is applied to each
 * sample with the shapes inferred for one, so that nothing can mix them,
 * whatever a Reshape in the file says. Matrices and convolutions take all
 * samples in one product.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_BATCH_H
#define LIP_ONNX_BATCH_H

#include "op.h"

typedef enum lip_batch_precision { LIP_BATCH_F32, LIP_BATCH_F64 } lip_batch_precision;

typedef struct lip_batch lip_batch;

/*
 * Makes room for up to `capacity` samples of a model with one varying input and constants otherwise. Memory: the live
 * activations of `capacity` samples, and the weights once in the precision asked for. Not for several threads at once;
 * open one per thread (they share no state). Refuses (LIP_EUNSUPPORTED) a node that is not understood, naming it.
 */
lip_status lip_batch_open(const lip_model *model, int64_t capacity, lip_batch_precision precision, lip_memory *memory,
                          lip_batch **out, lip_error *error);
void lip_batch_free(lip_batch **batch);

/* Called after each node; its inputs and outputs can be read, values that nobody reads any more are gone. */
typedef lip_status lip_batch_visit(void *context, lip_batch *batch, const lip_node *node, int64_t count,
                                   lip_error *error);

/*
 * samples: [count][elements of the input], count <= capacity. visit may be NULL.
 *
 * Rounding: an affine node (gain kinds DENSE and CONV) computes each output element as a sum of its products and bias in
 * any order, in the batch's precision, with or without FMA. Every other node is computed in float64 by its operator's
 * forward, and in LIP_BATCH_F32 its result is rounded once more to float32 (exact for copies, maxima and Relu).
 */
lip_status lip_batch_forward(lip_batch *batch, const double *samples, int64_t count, lip_batch_visit *visit,
                             void *context, lip_error *error);

/* [count][elements] of a value during a visit, and of the logits until the next forward; NULL where there is none, or
 * it is of the other precision. */
const double *lip_batch_f64(const lip_batch *batch, const lip_value *value);
const float *lip_batch_f32(const lip_batch *batch, const lip_value *value);

/*
 * For an affine node x -> A x + b: y = |A| x + |b| elementwise, x >= 0, [count][elements] in float64, computed in the
 * batch's precision (for rounding-error analysis). Costs as much as the node's forward.
 */
lip_status lip_batch_magnitude(lip_batch *batch, const lip_node *node, const double *x, int64_t count, double *y,
                               lip_error *error);

#endif
