/*
 * on_box.c: see on_box.h. Points: all 0, all 1, and random ones, near and far
 * from each other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "on_box.h"

#include "range.h"
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 6, MAX_IO = 16 };

typedef struct state {
    const lip_model *model;
    lip_run *run;
    const double *input[MAX_IO];
    double *room[MAX_IO];
    on_box *out;
    uint64_t random;
} state;

static double unit(state *s)
{
    s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(s->random >> 11) * 0x1p-53;
}

/* Do the values of the last evaluation lie in this node's ranges? */
static lip_status compare(void *context, const lip_range_call *call, lip_error *error)
{
    state *s = context;
    (void)error;
    for (size_t i = 0; i < call->node->output_count; i++) {
        const lip_value *value = call->node->outputs[i];
        const double *y = value && call->out[i].lo ? lip_run_real(s->run, value) : NULL;
        for (int64_t k = 0; y && k < call->out[i].count; k++) {
            s->out->checked++;
            if (!isnan(y[k]) && !(y[k] >= call->out[i].lo[k] && y[k] <= call->out[i].hi[k]) && !s->out->wrong[0])
                snprintf(s->out->wrong, sizeof s->out->wrong,
                         "node '%.100s' (%.40s), element %lld: %.17g is not in [%.17g, %.17g]",
                         call->node->name, call->node->op_type, (long long)k, y[k], call->out[i].lo[k],
                         call->out[i].hi[k]);
        }
    }
    return LIP_OK;
}

static int64_t count_of(const lip_value *value)
{
    int64_t count = 0;
    return value->shape_known && lip_shape_count(&value->shape, &count) ? count : 0;
}

static void choose_point(state *s, int point)
{
    for (size_t i = 0; i < s->model->input_count; i++)
        for (int64_t k = 0; k < count_of(s->model->inputs[i]); k++) {
            double *x = &s->room[i][k];
            if (!s->model->inputs[i]->varies || point == 0)
                *x = 0;
            else if (point == 1)
                *x = 1;
            else
                *x = point % 2 == 0 ? unit(s) : fmin(1, fmax(0, *x + 1e-3 * (unit(s) - 0.5)));
        }
}

static void check_points(state *s, const lip_input_range *box, lip_arena *arena)
{
    const lip_model *model = s->model;
    const int64_t count = count_of(model->logits);
    double *before = lip_arena_alloc(arena, count, sizeof *before), *x_before[MAX_IO];
    lip_error error = {0};
    for (size_t i = 0; i < model->input_count; i++)
        x_before[i] = lip_arena_alloc(arena, count_of(model->inputs[i]), sizeof **x_before);
    for (int point = 0; point < POINTS; point++) {
        double moved = 0, distance = 0;
        choose_point(s, point);
        if (lip_run_forward(s->run, s->input, &error) != LIP_OK)
            return;
        if (point < 3)
            lip_ranges_walk(model, box, (lip_memory *)&model->memory, compare, s, &error);
        const double *y = lip_run_real(s->run, model->logits);
        for (int64_t i = 0; y && i < count; i++) {
            moved = hypot(moved, y[i] - before[i]);
            before[i] = y[i];
        }
        for (size_t i = 0; i < model->input_count; i++)
            for (int64_t k = 0; k < count_of(model->inputs[i]); k++) {
                distance = hypot(distance, s->room[i][k] - x_before[i][k]);
                x_before[i][k] = s->room[i][k];
            }
        if (point > 0 && !(moved <= s->out->upper * distance * (1 + 1e-9) + 1e-9) && !s->out->wrong[0])
            snprintf(s->out->wrong, sizeof s->out->wrong, "logits move by %.9g, inputs by %.9g, L_F on [0, 1] is %.9g",
                     moved, distance, s->out->upper);
    }
}

static bool audit(const lip_model *model, const lip_input_range *box, on_box *out)
{
    static const char *const verdicts[] = {"bounded", "unbounded", "unknown"};
    lip_report *report = NULL;
    lip_error error = {0};
    const lip_audit_options options = {.threads = 1, .iterations = 1, .exact = LIP_EXACT_NEVER,
                                       .effort = LIP_EFFORT_PRODUCT, .range = box};
    if (lip_audit(model, &options, &report, &error) != LIP_OK) {
        snprintf(out->wrong, sizeof out->wrong, "on [0, 1]: %.400s", error.reason);
        return false;
    }
    out->verdict = verdicts[report->verdict];
    out->upper = report->network.upper;
    lip_report_free(&report);
    return true;
}

on_box on_box_check(const lip_model *model, double upper, lip_arena *arena)
{
    static const double zero = 0, one = 1;
    const lip_input_range box = {&zero, &one, 1};
    on_box out = {.verdict = isfinite(upper) ? "bounded" : "refused", .upper = upper};
    state s = {.model = model, .out = &out, .random = 1};
    lip_error error = {0};
    if (!isfinite(upper) && !audit(model, &box, &out))
        return out;
    if (model->input_count > MAX_IO || lip_run_open(model, &s.run, &error) != LIP_OK)
        return out;
    for (size_t i = 0; i < model->input_count; i++)
        s.input[i] = s.room[i] = lip_arena_alloc(arena, count_of(model->inputs[i]), sizeof(double));
    check_points(&s, &box, arena);
    lip_run_free(&s.run);
    return out;
}
