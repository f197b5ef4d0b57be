/*
 * certifier.c: making ready for certificates: the analysis of rounding errors,
 * the first worker, and what is refused at once. certify.c does the samples.
 *
 * Precision: the logits are computed in float64 unless asked otherwise. Float32 would be proved as well, but its own
 * rounding error has the size of the deployed one and is taken off a second time: measured on the fixtures, 0.7 to 2.8
 * percent of every radius.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certifier.h"
#include "error_rules.h"
#include "rounding.h"

#include <stdio.h>
#include <string.h>

enum { TILE = 32, TILE_ELEMENTS = 1 << 22 };

static const char vacuous[] = "the rounding error of the deployed precision is bounded, but its bound exceeds every "
                              "margin so far";

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the certificates' analysis passes the memory cap");
}

/* ------------------------------------------------------------------- check */

static int64_t classes_of(const lip_value *logits)
{
    const lip_shape *s = &logits->shape;
    if (!logits->shape_known || s->rank < 1 || s->rank > 2 || (s->rank == 2 && s->dim[0] != 1))
        return 0;
    return s->dim[s->rank - 1];
}

static lip_status check_model(const lip_model *model, const lip_report *report, lip_error *error)
{
    char shape[96] = "of unknown shape";
    if (!isfinite(report->network.upper)) {
        lip_fail(error, LIP_EUNSUPPORTED, "the network has no finite Lipschitz bound: %s", report->reason);
        if (error)
            lip_copy_printable(error->node, sizeof error->node, report->reason_node);
        return LIP_EUNSUPPORTED;
    }
    if (model->input_count != 1 || !model->inputs[0]->varies)
        return lip_fail(error, LIP_EUNSUPPORTED, "the network has %zu inputs; certificates are for networks with one",
                        model->input_count);
    if (classes_of(model->logits) >= 2)
        return LIP_OK;
    if (model->logits->shape_known)
        lip_shape_text(&model->logits->shape, shape, sizeof shape);
    return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' are %s, not one vector of two classes or more",
                    model->logits->name, shape);
}

/* -------------------------------------------------------------------- open */

lip_status lip_certifier_worker(const lip_certifier *c, lip_worker **out, lip_error *error)
{
    lip_status status = lip_worker_open(c->model, &c->plan, c->precision, c->tile, c->elements, c->memory, out, error);
    if (status != LIP_OK || !c->local)
        return status;
    status = lip_local_tile_open(c->local, c->local_end, c->tile, c->plan.classes, c->memory, &(*out)->local, error);
    if (status != LIP_OK)
        lip_worker_free(out);
    return status;
}

static const lip_ieee *deployed_precision(lip_deployed deployed)
{
    return deployed == LIP_DEPLOYED_FLOAT16 ? &lip_ieee_float16 : &lip_ieee_float32;
}

/* The step without a bound in an execution of this precision, and why; or NULL. */
static const lip_error_step *refused_step(const lip_certifier *c, lip_worker *w, const lip_ieee *precision, bool is_own,
                                          const char **why)
{
    const lip_error_step *refused = NULL;
    double most;
    memset(w->norms.norms, 0, c->plan.value_count * sizeof(double));
    memset(w->radii.own_errors, 0, c->plan.value_count * sizeof(lip_affine));
    lip_error_case which = { .precision = precision, .norms = w->norms.norms,
                             .own = is_own ? NULL : w->radii.own_errors };
    if (lip_error_run(&c->plan, &which, w->radii.errors, &most, &refused))
        return NULL;
    *why = lip_error_refusal(refused, &which);
    return refused;
}

/* The roundings of our own execution. */
static void shorten_sums(lip_certifier *c)
{
    for (size_t i = 0; i < c->plan.count; i++) {
        lip_error_step *step = &c->plan.steps[i];
        if (step->product)
            step->own_units = fmin(step->own_units, step->own_units - LIP_PRODUCT_UNITS - step->product_terms +
                                                        lip_batch_roundings(c->pool->batch, step->product));
    }
}

static lip_status keep_growths(lip_certifier *c, const lip_worker *w, lip_error *error)
{
    const lip_error_case own = { .precision = &c->radii.own };
    const lip_error_case deployed = { .precision = &c->radii.deployed, .own = w->radii.own_errors };
    c->radii.own_growth = lip_arena_alloc(&c->arena, (int64_t)c->plan.count, sizeof(double));
    c->radii.deployed_growth = lip_arena_alloc(&c->arena, (int64_t)c->plan.count, sizeof(double));
    if (!c->radii.own_growth || !c->radii.deployed_growth)
        return full(error);
    lip_error_growths(&c->plan, &own, c->radii.own_growth);
    lip_error_growths(&c->plan, &deployed, c->radii.deployed_growth);
    return LIP_OK;
}

static void find_refusals(lip_certifier *c, lip_worker *w)
{
    static const char *const names[] = { "float32", "float16", "real arithmetic" };
    const char *why = "", *why_own = "";
    const lip_error_step *deployed =
        c->radii.deployed_is_exact ? NULL : refused_step(c, w, &c->radii.deployed, false, &why);
    const lip_error_step *own = refused_step(c, w, &c->radii.own, true, &why_own);
    c->radii.own_refused = own != NULL;
    c->radii.deployed_refused = deployed != NULL;
    const lip_error_step *step = own ? own : deployed;
    if (!step)
        return;
    char text[1024];
    snprintf(text, sizeof text, "no radius is proved for %s: the rounding of node '%s' (%s): %s",
             own ? "this network" : names[c->options.deployed], step->node->name, step->node->op_type,
             own ? why_own : why);
    lip_copy_printable(c->remark, sizeof c->remark, text);
}

/* Bounds around samples, or why there are none. */
static lip_status open_local(lip_certifier *c, lip_error *error)
{
    lip_error why = { 0 };
    if (!c->options.local)
        return LIP_OK;
    double *lipschitz = lip_arena_alloc(&c->arena, (int64_t)c->plan.value_count, sizeof *lipschitz);
    for (size_t v = 0; lipschitz && v < c->plan.value_count; v++) /* 0: not the end of a step */
        lipschitz[v] = c->plan.lipschitz[v] > 0 ? c->plan.lipschitz[v] : (double)INFINITY;
    const lip_local *local = NULL;
    lip_status status = lipschitz ? lip_local_open(c->model, c->plan.plans, c->plan.gains, c->plan.plan_count,
                                                   lipschitz, &c->arena, &local, &why) : full(&why);
    if (status == LIP_OK)
        status = lip_local_ends(local, &c->plan, &c->arena, &c->local_end, &why);
    if (status == LIP_OK)
        c->local = local;
    if (status == LIP_EMEMORY)
        snprintf(why.reason, sizeof why.reason, "the bounds around samples (local) pass the memory cap");
    if (status != LIP_EUNSUPPORTED) {
        if (status != LIP_OK && error)
            *error = why;
        return status;
    }
    char text[1280];
    snprintf(text, sizeof text, "%s%s%s", why.node[0] ? why.node : "", why.node[0] ? ": " : "", why.reason);
    lip_copy_printable(c->local_reason, sizeof c->local_reason, text);
    return LIP_OK;
}

static lip_status open_parts(lip_certifier *c, const lip_report *report, lip_error *error)
{
    const lip_model *model = c->model;
    int64_t largest = 1, count;
    lip_status status = lip_error_plan_of_report(model, report, classes_of(model->logits), &c->arena, c->memory,
                                                 &c->plan, error);
    if (status != LIP_OK)
        return status;
    for (size_t v = 0; v < model->value_count; v++)
        if (model->values[v]->varies && model->values[v]->shape_known &&
            lip_shape_count(&model->values[v]->shape, &count) && count > largest)
            largest = count;
    if (!lip_shape_count(&model->inputs[0]->shape, &c->elements))
        return lip_fail(error, LIP_EUNSUPPORTED, "the size of the input is not known");
    c->tile = largest < TILE_ELEMENTS / TILE ? TILE : largest < TILE_ELEMENTS ? TILE_ELEMENTS / largest : 1;
    c->box = &report->range;
    c->radii.plan = &c->plan;
    c->radii.network_upper = report->network.upper;
    c->radii.pairwise_upper = report->pairwise_upper;
    status = open_local(c, error);
    if (c->local) /* a sample takes long: threads are to share a few of them, too */
        c->tile = 1;
    if (status == LIP_OK)
        status = lip_certifier_worker(c, &c->pool, error);
    if (status != LIP_OK)
        return status;
    shorten_sums(c);
    find_refusals(c, c->pool);
    return keep_growths(c, c->pool, error);
}

static void set_options(lip_certifier *c, const lip_certify_options *options)
{
    if (options)
        c->options = *options;
    bool narrow = c->options.precision == LIP_PRECISION_FLOAT32;
    c->precision = narrow ? LIP_BATCH_F32 : LIP_BATCH_F64;
    c->radii.own = narrow ? lip_ieee_float32 : lip_ieee_float64;
    c->radii.own_converts = narrow;
    c->radii.deployed_is_exact = c->options.deployed == LIP_DEPLOYED_EXACT;
    c->radii.deployed = *deployed_precision(c->options.deployed);
}

lip_status lip_certifier_open(const lip_model *model, const lip_report *report, const lip_certify_options *options,
                              lip_certifier **out, lip_error *error)
{
    lip_memory *memory = (lip_memory *)(uintptr_t)&model->memory; /* the account is not the model */
    lip_error inner = { 0 };
    lip_status status = check_model(model, report, &inner);
    lip_certifier *c = status == LIP_OK ? lip_alloc(memory, 1, sizeof *c) : NULL;
    if (status == LIP_OK && !c)
        status = full(&inner);
    if (c) {
        c->model = model;
        c->memory = memory;
        lip_arena_init(&c->arena, memory);
        set_options(c, options);
        c->has_lock = pthread_mutex_init(&c->lock, NULL) == 0;
        c->has_condition = pthread_cond_init(&c->given, NULL) == 0;
        status = c->has_lock && c->has_condition ? open_parts(c, report, &inner)
                                                 : lip_fail(&inner, LIP_EINTERNAL, "cannot make a lock");
    }
    if (status == LIP_OK) {
        *out = c;
        return LIP_OK;
    }
    lip_certifier_free(&c);
    if (error) {
        *error = inner;
        lip_copy_printable(error->file, sizeof error->file, model->path);
    }
    return status;
}

void lip_certifier_free(lip_certifier **certifier)
{
    if (!certifier || !*certifier)
        return;
    lip_certifier *c = *certifier;
    for (lip_worker *w = c->pool, *next; w; w = next) {
        next = w->next;
        lip_worker_free(&w);
    }
    if (c->has_condition)
        pthread_cond_destroy(&c->given);
    if (c->has_lock)
        pthread_mutex_destroy(&c->lock);
    lip_arena_free(&c->arena);
    lip_free(c->memory, c);
    *certifier = NULL;
}

const char *lip_certifier_remark(const lip_certifier *c)
{
    if (c->remark[0])
        return c->remark;
    return atomic_load(&c->separated) > 0 && atomic_load(&c->certified) == 0 ? vacuous : "";
}

const char *lip_certifier_local_reason(const lip_certifier *c) { return c->local_reason; }
