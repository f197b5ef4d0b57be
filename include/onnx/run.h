/*
 * run.h: evaluating nodes and whole networks in float64.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_RUN_H
#define LIP_ONNX_RUN_H

#include "op.h"

/*
 * A node made ready to be applied again and again as a linear map in its one
 * varying input: constants converted to float64 once, values allocated.
 * Refuses (LIP_EUNSUPPORTED) a node with no or several varying inputs, or
 * without an adjoint. Not for several threads at once; open one per thread.
 */
typedef struct lip_apply lip_apply;

lip_status lip_apply_open(const lip_node *node, lip_memory *memory, lip_apply **out, lip_error *error);
void lip_apply_free(lip_apply **apply);
int64_t lip_apply_input_count(const lip_apply *apply);
int64_t lip_apply_output_count(const lip_apply *apply); /* of output 0 */
/* y = A x and x = A' y, A the linear part. x and y must not overlap. */
lip_status lip_apply_forward(lip_apply *apply, const double *x, double *y, lip_error *error);
lip_status lip_apply_adjoint(lip_apply *apply, const double *y, double *x, lip_error *error);

/*
 * All values of one evaluation of the network, for forward and backward
 * passes. Activations stay until lip_run_free; weights are converted one node
 * at a time.
 */
typedef struct lip_run lip_run;

lip_status lip_run_open(const lip_model *model, lip_run **out, lip_error *error);
void lip_run_free(lip_run **run);
/* inputs[i]: elements of model->inputs[i], row-major; NULL will do where nothing reads it. */
lip_status lip_run_forward(lip_run *run, const double *const *inputs, lip_error *error);
/* The logits after forward, integers as whole numbers, row-major. */
lip_status lip_run_logits(const lip_run *run, double *logits, lip_error *error);
/* Elements of a value after forward, until the next one; NULL if it is not real-valued or was not computed. */
const double *lip_run_real(const lip_run *run, const lip_value *value);
/* Vector-Jacobian product: gradient of <seed, logits> in model input `input` into `gradient`, at the point of the last
 * forward. Refuses a network with a node on the way that has no adjoint. */
lip_status lip_run_gradient(lip_run *run, const double *seed, size_t input, double *gradient, lip_error *error);

#endif
