/*
 * opened_plan.h: a built model with the plan that bounds its rounding errors,
 * and the arrays that the bounds go into, for the tests of rounding errors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_OPENED_PLAN_H
#define LIP_TESTS_OPENED_PLAN_H

#include "certify/error_plan.h"
#include "check_model.h"
#include "graph.h"

typedef struct opened {
    build *build;
    lip_model *model;
    lip_report *report;
    lip_arena arena;
    lip_error_plan plan;
    double *norms;
    lip_affine *own, *errors;
} opened;

/* Of o->build; fails the test, naming `what`, where there is none. */
static inline void open_plan(opened *o, int64_t classes, const char *what)
{
    lip_error error = { 0 };
    o->model = check_open(o->build, NULL);
    lip_arena_init(&o->arena, &o->model->memory);
    if (lip_audit(o->model, NULL, &o->report, &error) ||
        lip_error_plan_of_report(o->model, o->report, classes, &o->arena, &o->model->memory, &o->plan, &error))
        fail_msg("%s: %s: %s", what, error.node, error.reason);
    o->norms = lip_arena_alloc(&o->arena, (int64_t)o->plan.value_count, sizeof *o->norms);
    o->own = lip_arena_alloc(&o->arena, (int64_t)o->plan.value_count, sizeof *o->own);
    o->errors = lip_arena_alloc(&o->arena, (int64_t)o->plan.value_count, sizeof *o->errors);
}

static inline void close_plan(opened *o)
{
    lip_arena_free(&o->arena);
    lip_report_free(&o->report);
    lip_model_free(&o->model);
    build_free(o->build);
}

#endif
