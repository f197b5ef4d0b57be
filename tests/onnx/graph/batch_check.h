/*
 * batch_check.h: batched forward passes against one evaluation per sample, for
 * tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_BATCH_CHECK_H
#define LIP_TESTS_BATCH_CHECK_H

#include "check_model.h"

#include "graph/batch_parts.h"

/* In [-1, 1), and in [low, high]; the same sequence in every run. */
double random_real(void);
int64_t random_whole(int64_t low, int64_t high);

int64_t count_of(const lip_value *value);
double *room(int64_t count); /* zeroed; to be freed */
double unit_of(lip_batch_precision precision); /* 2^-24 or 2^-53 */

/* An element of a value of the batch as it is now; fails the test where there is none. */
double element(const lip_batch *batch, const lip_value *value, int64_t i);

/* An affine node's operator on one sample in float64. */
void evaluate(const lip_node *node, lip_memory *memory, const double *x, double *y);
/* y = |A| x + |b| of an affine node x -> A x + b, for x >= 0, in float64. */
void magnitude(const lip_node *node, lip_memory *memory, const double *x, double *y);

/*
 * Runs the model in both precisions with every set of kernels, with and without a visitor, with counts below the
 * capacity, and compares the logits. While it is visited, each affine node is compared with its operator's own forward
 * on the same input, within the rounding bound that batch.h promises. Gives how many affine nodes were compared.
 */
int check_batches(const lip_model *model);

/* Opens and checks a model with so many affine nodes; frees it. */
void expect_batches(build *b, int affine);

/* An initializer of random reals. */
void build_random(build *b, const char *name, const char *shape);
/* x -> op(x, w[, shift]). */
build *build_affine(const char *op, const char *shape, const char *w, const char *shift);

#endif
