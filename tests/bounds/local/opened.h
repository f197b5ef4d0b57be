/*
 * opened.h: a built network with the bounds around its samples, for their
 * tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_LOCAL_OPENED_H
#define LIP_TESTS_LOCAL_OPENED_H

#include "batch.h"
#include "certify/certifier.h"
#include "check_model.h"
#include "graph.h"
#include "multiplier/random_weights.h"

enum { DIM = 32, CLASSES = 3 }; /* of inputs and neurons, at most; of logits */

typedef struct opened {
    build *build;
    lip_model *model;
    lip_report *report;
    lip_certifier *certifier;
    lip_batch *batch; /* for DIM + 1 points */
    int64_t inputs;
} opened;

static inline void open_with(opened *o, lip_certify_options options, const lip_input_range *range)
{
    const lip_audit_options audit = { .threads = 1, .iterations = 1, .effort = LIP_EFFORT_PRODUCT, .range = range };
    lip_error error = { 0 };
    o->model = check_open(o->build, NULL);
    assert_true(lip_shape_count(&o->model->inputs[0]->shape, &o->inputs));
    if (lip_audit(o->model, &audit, &o->report, &error) ||
        lip_certifier_open(o->model, o->report, &options, &o->certifier, &error) ||
        lip_batch_open(o->model, DIM + 1, LIP_BATCH_F64, oracle_memory(), &o->batch, &error))
        fail_msg("%s: %s", error.node, error.reason);
    assert_string_equal(lip_certifier_local_reason(o->certifier), "");
}

static const lip_certify_options exact = { .threads = 1, .deployed = LIP_DEPLOYED_EXACT, .local = true };

static inline void close_opened(opened *o)
{
    lip_batch_free(&o->batch);
    lip_certifier_free(&o->certifier);
    lip_report_free(&o->report);
    lip_model_free(&o->model);
    build_free(o->build);
}

static inline lip_certificate certify(const opened *o, const double *x)
{
    lip_certificate c;
    lip_error error = { 0 };
    if (lip_certify(o->certifier, x, NULL, 1, &c, &error))
        fail_msg("%s: %s", error.node, error.reason);
    return c;
}

/* Bounds of what was certified last. */
static inline void falls(const opened *o, double r, int64_t t, double *fall)
{
    lip_local_falls(o->certifier->pool->local.sample, r, t, fall);
}

/* Normal numbers times scale, rounded to float32. */
static inline void draw(uint64_t *state, double scale, int count, double *to)
{
    for (int i = 0; i < count; i++)
        to[i] = (double)(float)(scale * oracle_normal(state));
}

static inline double length(const double *x, int64_t n)
{
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += x[i] * x[i];
    return sqrt(squares);
}

#endif
