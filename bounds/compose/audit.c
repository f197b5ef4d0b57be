/*
 * audit.c: lip_audit: plan the layers, compute their gains side by side,
 * compose, report.
 *
 * Every layer is computed by one thread with single-threaded BLAS, so no
 * number depends on how many threads there are. Layers that ran out of memory
 * beside others get a second try alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/slope_search.h"
#include "multiplier/stages.h"
#include "ranges.h"
#include "report.h"
#include "workers.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static const double SEARCH_PRODUCTS = 6e9;

typedef struct audit {
    const lip_model *model;
    lip_memory *memory;
    lip_audit_options options;
    lip_arena arena;
    lip_layer_plan *plans;
    size_t count;
    lip_layer_gain *gains;
    lip_status *statuses;
    lip_error *errors;
    double *seconds, *costs;
    size_t *order;
    pthread_mutex_t lock; /* around progress */
    size_t done;
} audit;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static const lip_scale *scale_of(const lip_layer_plan *plan) { return plan ? &plan->gain.scale : NULL; }

static void report_progress(audit *a, const char *name)
{
    if (!a->options.progress)
        return;
    pthread_mutex_lock(&a->lock);
    a->done++;
    a->options.progress(a->options.progress_context, a->done, a->count, name);
    pthread_mutex_unlock(&a->lock);
}

static void compute_layer(void *context, size_t index)
{
    audit *a = context;
    const lip_layer_plan *plan = &a->plans[index];
    lip_layer_task task = { .node = plan->node, .gain = plan->gain, .before = scale_of(plan->before),
                            .after = scale_of(plan->after), .exact = a->options.exact,
                            .svd = a->options.bounds_only ? LIP_EXACT_NEVER : a->options.exact,
                            .iterations = a->options.iterations, .memory = a->memory,
                            .random = lip_random_seed(a->options.seed, index) };
    double start = now();
    a->errors[index] = (lip_error) { 0 };
    a->statuses[index] = plan->folded_away ? LIP_OK : lip_gain_of(&task, &a->gains[index], &a->errors[index]);
    if (plan->on_range && a->statuses[index] == LIP_OK)
        lip_range_gain_apply(&task, plan->on_range, &a->gains[index]);
    lip_model_release(a->model, plan->node);
    a->seconds[index] = now() - start;
    report_progress(a, plan->node->name);
}

/* A rough price, to start the dearest layers first: the operator's element count times its inner length. */
static double price(const lip_layer_plan *plan)
{
    const lip_gain *gain = &plan->gain;
    if (gain->kind == LIP_GAIN_CONV)
        return (double)lip_conv_output_count(&gain->conv) * (double)lip_conv_weight_count(&gain->conv);
    if (gain->kind == LIP_GAIN_DENSE)
        return (double)gain->dense.rows * (double)gain->dense.cols *
               (double)(gain->dense.rows < gain->dense.cols ? gain->dense.rows : gain->dense.cols);
    return 0;
}

static int dearer_first(const void *x, const void *y)
{
    const double *a = x, *b = y; /* pairs (cost, index) */
    if (a[0] != b[0])
        return a[0] > b[0] ? -1 : 1;
    return a[1] < b[1] ? -1 : 1;
}

static void sort_by_price(audit *a)
{
    for (size_t i = 0; i < a->count; i++) {
        a->costs[2 * i] = price(&a->plans[i]);
        a->costs[2 * i + 1] = (double)i;
    }
    qsort(a->costs, a->count, 2 * sizeof(double), dearer_first);
    for (size_t i = 0; i < a->count; i++)
        a->order[i] = (size_t)a->costs[2 * i + 1];
}

static lip_status allocate(audit *a, lip_error *error)
{
    int64_t n = (int64_t)a->count;
    a->gains = lip_arena_alloc(&a->arena, n, sizeof *a->gains);
    a->statuses = lip_arena_alloc(&a->arena, n, sizeof *a->statuses);
    a->errors = lip_arena_alloc(&a->arena, n, sizeof *a->errors);
    a->seconds = lip_arena_alloc(&a->arena, n, sizeof *a->seconds);
    a->costs = lip_arena_alloc(&a->arena, 2 * n, sizeof *a->costs);
    a->order = lip_arena_alloc(&a->arena, n, sizeof *a->order);
    if (!a->gains || !a->statuses || !a->errors || !a->seconds || !a->costs || !a->order)
        return lip_fail(error, LIP_EMEMORY, "the list of layers passes the memory cap");
    return LIP_OK;
}

static lip_status compute_layers(audit *a, lip_error *error)
{
    int blas_threads = openblas_get_num_threads();
    sort_by_price(a);
    openblas_set_num_threads(1);
    lip_run_jobs(compute_layer, a, a->order, a->count, a->options.threads);
    for (size_t i = 0; i < a->count; i++)
        if (a->statuses[i] == LIP_EMEMORY) {
            a->done--;
            compute_layer(a, i);
        }
    openblas_set_num_threads(blas_threads);
    for (size_t i = 0; i < a->count; i++)
        if (a->statuses[i] != LIP_OK) {
            if (error)
                *error = a->errors[i];
            return a->statuses[i];
        }
    return LIP_OK;
}

static lip_status add_pairwise(audit *a, const lip_propagation *network, lip_report *report, lip_error *error)
{
    lip_pairwise pairwise;
    lip_status status = lip_pairwise_bounds(a->model, a->plans, network->cumulative, a->count, network->network_upper,
                                            lip_report_arena(report), a->memory, &pairwise, error);
    if (status == LIP_OK)
        lip_report_set_pairwise(report, &pairwise);
    return status;
}

/* What the search for large slopes may do, by the products of one forward pass. */
static int64_t affordable_evaluations(const audit *a)
{
    double products = 1e5;
    for (size_t i = 0; i < a->count; i++) {
        const lip_gain *gain = &a->plans[i].gain;
        if (gain->kind == LIP_GAIN_CONV)
            products += (double)lip_conv_output_count(&gain->conv) * (double)lip_conv_weight_count(&gain->conv) /
                        (double)gain->conv.c_out;
        if (gain->kind == LIP_GAIN_DENSE)
            products += (double)gain->dense.rows * (double)gain->dense.cols * (double)gain->dense.batch;
    }
    double affordable = SEARCH_PRODUCTS / products;
    return affordable < 40 ? 0 : affordable > 5000 ? 5000 : (int64_t)affordable;
}

/* Bounds from below come from directions in the inputs; a channel without width has none on the box. */
static bool is_thin(const lip_input_range *range)
{
    for (size_t i = 0; range && i < range->count; i++)
        if (range->lo[i] == range->hi[i])
            return true;
    return false;
}

/* Where slopes are searched: inside of the box, since at a kink on its edge an adjoint may take the other side's. */
static const lip_input_range *inside_of(const lip_input_range *range, lip_arena *arena)
{
    double *lo = range ? lip_arena_alloc(arena, (int64_t)range->count, sizeof *lo) : NULL;
    double *hi = range ? lip_arena_alloc(arena, (int64_t)range->count, sizeof *hi) : NULL;
    lip_input_range *inside = range ? lip_arena_alloc(arena, 1, sizeof *inside) : NULL;
    if (!lo || !hi || !inside)
        return range;
    for (size_t i = 0; i < range->count; i++) {
        double margin = 0x1p-20 * (0.5 * range->hi[i] - 0.5 * range->lo[i]);
        lo[i] = range->lo[i] + margin;
        hi[i] = range->hi[i] - margin;
    }
    *inside = (lip_input_range) { lo, hi, range->count };
    return inside;
}

/* Levels of effort beyond the product. What they cannot do leaves the product as it is. */
static void add_multipliers(audit *a, const lip_propagation *network, lip_report *report)
{
    lip_effort effort = a->options.effort == LIP_EFFORT_DEFAULT ? LIP_EFFORT_COMMON : a->options.effort;
    lip_multiplier_options options = { .effort = (int)effort - (int)LIP_EFFORT_PRODUCT,
                                       .max_seconds = a->options.max_seconds,
                                       .threads = a->options.threads, .seed = a->options.seed,
                                       .no_search = a->options.bounds_only,
                                       .range = inside_of(a->options.range, &a->arena) };
    lip_multiplier_bounds bounds;
    if (options.effort == 0 || report->verdict != LIP_BOUNDED || report->network.upper == 0)
        return;
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    lip_stages_run(a->model, a->plans, a->gains, network->cumulative, a->count, &options, lip_report_arena(report),
                   &bounds);
    report->lower_estimate = bounds.lower_estimate;
    bool wanted = isnan(bounds.lower_estimate) || a->options.sample_count > 0;
    if (options.effort >= 2 && wanted && !options.no_search && affordable_evaluations(a) > 0) {
        lip_slope_options slopes = { options.range, a->options.seed, affordable_evaluations(a), a->options.samples,
                                     a->options.sample_count };
        report->lower_estimate = fmax(lip_slope_search(a->model, &slopes), bounds.lower_estimate); /* NaN: the other */
    }
    if (is_thin(a->options.range))
        report->lower_estimate = bounds.lower_estimate = (double)NAN;
    openblas_set_num_threads(blas_threads);
    lip_report_take_multipliers(report, a->plans, a->count, &bounds);
    report->peak_memory_bytes = atomic_load(&a->memory->peak);
}

static lip_status run(audit *a, lip_report **out, lip_error *error)
{
    lip_propagation network;
    lip_report *report = NULL;
    double start = now();
    lip_status status = lip_plan_layers(a->model, &a->arena, &a->plans, &a->count, error);
    if (status == LIP_OK)
        status = lip_plan_ranges(a->model, a->options.range, a->options.seed, a->plans, a->count, &a->arena, a->memory,
                                 error);
    if (status == LIP_OK)
        status = allocate(a, error);
    if (status == LIP_OK)
        status = compute_layers(a, error);
    if (a->options.progress)
        a->options.progress(a->options.progress_context, a->count, a->count, NULL);
    if (status == LIP_OK)
        status = lip_propagate(a->model, a->plans, a->gains, a->count, &a->arena, &network, error);
    if (status == LIP_OK && is_thin(a->options.range))
        network.network_lower = (double)NAN;
    if (status == LIP_OK)
        status = lip_report_build(a->plans, a->gains, a->seconds, a->count, &network, a->memory, &report, error);
    if (status == LIP_OK)
        status = add_pairwise(a, &network, report, error);
    if (status == LIP_OK)
        add_multipliers(a, &network, report);
    if (status == LIP_OK && a->options.range)
        status = lip_report_set_range(report, a->model, a->options.range, error);
    if (status != LIP_OK) {
        lip_report_free(&report);
        return status;
    }
    report->bounds_seconds = now() - start;
    *out = report;
    return LIP_OK;
}

lip_status lip_audit(const lip_model *model, const lip_audit_options *options, lip_report **out, lip_error *error)
{
    audit a = { .model = model, .memory = (lip_memory *)(uintptr_t)&model->memory }; /* the account is not the model */
    if (options)
        a.options = *options;
    if (a.options.iterations <= 0)
        a.options.iterations = 100;
    if (pthread_mutex_init(&a.lock, NULL) != 0)
        return lip_fail(error, LIP_EINTERNAL, "cannot make a lock");
    lip_arena_init(&a.arena, a.memory);
    lip_error inner = { 0 };
    lip_status status = run(&a, out, &inner);
    lip_arena_free(&a.arena);
    pthread_mutex_destroy(&a.lock);
    if (status != LIP_OK && error) {
        *error = inner;
        lip_copy_printable(error->file, sizeof error->file, model->path);
    }
    return status;
}
