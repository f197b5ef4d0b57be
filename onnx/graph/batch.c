/*
 * batch.c: forward passes of many samples, see batch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch.h"

#include "batch_parts.h"

#include <math.h>
#include <string.h>

/* Time (batch_parts.h) while no value is there. */
#define NEVER SIZE_MAX

enum {
    CACHE_BYTES = 384 << 10, /* for the live values of the samples that are worked on together */
    TOGETHER_MOST = 1020,
    TOGETHER_WHOLE = 12 /* samples of a tile of a dense layer (LIP_TILE_POSITIONS) */
};

struct lip_batch {
    const lip_model *model;
    lip_memory *memory;
    lip_arena arena;
    const lip_kernels *kernels;
    lip_batch_precision precision;
    int64_t capacity;
    int64_t together; /* samples that go through the network at once where nobody watches */
    lip_plan plan;
    void **slots;
    void *scratch;     /* for the step that runs */
    lip_step *steps;
    size_t step_count;
    const void **in;   /* of a generic step */
    void **out;
    void *logits;      /* [capacity][elements], when a forward is done */
    int64_t logit_count;
    size_t now;        /* time, or NEVER */
};

static lip_status refuse(const lip_model *model, int64_t capacity, lip_error *error)
{
    if (capacity < 0)
        return lip_fail(error, LIP_EUSAGE, "a batch of %lld samples", (long long)capacity);
    if (model->input_count != 1 || !lip_dtype_is_real(model->inputs[0]->dtype))
        return lip_fail(error, LIP_EUNSUPPORTED, "a batch needs a model with one floating-point input, this has %zu",
                        model->input_count);
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        if (node->folded)
            continue;
        if (node->unknown != NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%s", node->unknown);
        if (node->op == NULL || node->op->forward == NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "the operator cannot be evaluated");
    }
    if (!lip_dtype_is_real(model->logits->dtype) || !model->logits->shape_known)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' are not floating-point", model->logits->name);
    return LIP_OK;
}

static lip_status open_steps(lip_batch *b, lip_error *error)
{
    const lip_model *model = b->model;
    size_t inputs = 1, outputs = 1;
    lip_status status = LIP_OK;
    b->steps = lip_arena_alloc(&b->arena, (int64_t)model->node_count, sizeof *b->steps);
    if (b->steps == NULL)
        return lip_fail_memory(error, NULL, "a batch");
    for (size_t i = 0; i < model->node_count && status == LIP_OK; i++) {
        const lip_node *node = model->nodes[i];
        if (node->folded)
            continue;
        inputs = node->input_count > inputs ? node->input_count : inputs;
        outputs = node->output_count > outputs ? node->output_count : outputs;
        status = lip_step_open(node, b->kernels, b->memory, &b->steps[b->step_count++], error);
        lip_model_release(model, node);
    }
    b->in = lip_arena_alloc(&b->arena, (int64_t)inputs, sizeof *b->in);
    b->out = lip_arena_alloc(&b->arena, (int64_t)outputs, sizeof *b->out);
    if (status == LIP_OK && (b->in == NULL || b->out == NULL))
        status = lip_fail_memory(error, NULL, "a batch");
    return status;
}

/* Bytes of the matrices, roughly. */
static int64_t weight_bytes(const lip_batch *b)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < b->step_count; i++) {
        const lip_node *node = b->steps[i].node;
        for (size_t j = 0; b->steps[i].affine && j < node->input_count; j++) {
            const lip_tensor *constant = lip_node_constant(node, j);
            bytes += constant != NULL ? constant->count : 0;
        }
    }
    return bytes * (int64_t)b->kernels->size;
}

/*
 * What one sample leaves in the cache the next step finds there, as long as the samples of a pass are few; but every
 * pass reads all weights once more, which is to cost no more than the values do.
 */
static int64_t choose_together(const lip_batch *b)
{
    const int64_t weights = weight_bytes(b), room = weights > CACHE_BYTES ? weights : CACHE_BYTES;
    int64_t sample = 1;
    for (size_t i = 0; i < b->plan.slot_count; i++)
        sample += b->plan.slot[i] < room ? b->plan.slot[i] : room;
    const int64_t fit = room / sample < TOGETHER_MOST ? room / sample : TOGETHER_MOST;
    return fit >= TOGETHER_WHOLE ? fit / TOGETHER_WHOLE * TOGETHER_WHOLE : fit > 1 ? fit : 1;
}

static lip_status open_slots(lip_batch *b, lip_error *error)
{
    int64_t scratch = 0;
    for (size_t i = 0; i < b->step_count; i++) {
        const lip_step *step = &b->steps[i];
        const int64_t wanted = step->conv != NULL      ? lip_batch_conv_scratch(step->conv)
                               : step->generic != NULL ? lip_batch_generic_scratch(step->generic)
                                                       : 0;
        scratch = wanted > scratch ? wanted : scratch;
    }
    b->scratch = lip_alloc(b->memory, scratch, 1);
    if (b->scratch == NULL)
        return lip_fail_memory(error, NULL, "a node's workspace");
    b->slots = lip_arena_alloc(&b->arena, (int64_t)b->plan.slot_count, sizeof *b->slots);
    if (b->slots == NULL)
        return lip_fail_memory(error, NULL, "a batch");
    for (size_t i = 0; i < b->plan.slot_count; i++) {
        int64_t bytes;
        b->slots[i] = lip_size_mul(b->plan.slot[i], b->capacity, &bytes) ? lip_alloc(b->memory, bytes, 1) : NULL;
        if (b->slots[i] == NULL)
            return lip_fail_memory(error, NULL, "the values of a batch");
    }
    return LIP_OK;
}

static lip_status open_logits(lip_batch *b, lip_error *error)
{
    const lip_value *logits = b->model->logits;
    int64_t count;
    if (!lip_shape_count(&logits->shape, &b->logit_count) || !lip_size_mul(b->logit_count, b->capacity, &count))
        return lip_fail_memory(error, NULL, "the logits of a batch");
    b->logits = lip_alloc(b->memory, count, b->kernels->size);
    if (b->logits == NULL)
        return lip_fail_memory(error, NULL, "the logits of a batch");
    if (logits->constant == NULL)
        return LIP_OK;
    if (logits->constant->data == NULL)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' have no elements", logits->name);
    for (int64_t i = 0; i < count; i++) { /* they are there for every sample all the same */
        const double value = lip_tensor_real(logits->constant, i % b->logit_count);
        b->kernels->from_f64(1, &value, (char *)b->logits + (size_t)i * b->kernels->size);
    }
    return LIP_OK;
}

static lip_status open_parts(lip_batch *b, lip_error *error)
{
    lip_status status = open_steps(b, error);
    if (status == LIP_OK)
        status = lip_plan_make(b->model, b->precision, b->steps, b->step_count, &b->arena, &b->plan, error);
    if (status != LIP_OK)
        return status;
    b->together = choose_together(b);
    if (b->capacity == 0)
        b->capacity = b->together;
    status = open_slots(b, error);
    return status != LIP_OK ? status : open_logits(b, error);
}

lip_status lip_batch_open_with(const lip_model *model, int64_t capacity, lip_batch_precision precision,
                               const lip_kernels *kernels, lip_memory *memory, lip_batch **out, lip_error *error)
{
    lip_status status = refuse(model, capacity, error);
    if (status != LIP_OK)
        return status;
    lip_batch *b = lip_alloc(memory, 1, sizeof *b);
    if (b == NULL)
        return lip_fail_memory(error, NULL, "a batch");
    b->model = model;
    b->memory = memory;
    b->capacity = capacity;
    b->precision = precision;
    b->kernels = kernels;
    b->now = NEVER;
    lip_arena_init(&b->arena, memory);
    status = open_parts(b, error);
    if (status == LIP_OK)
        *out = b;
    else
        lip_batch_free(&b);
    return status;
}

lip_status lip_batch_open(const lip_model *model, int64_t capacity, lip_batch_precision precision, lip_memory *memory,
                          lip_batch **out, lip_error *error)
{
    return lip_batch_open_with(model, capacity, precision, lip_kernels_at(0, precision), memory, out, error);
}

int64_t lip_batch_capacity(const lip_batch *batch)
{
    return batch->capacity;
}

double lip_batch_roundings(const lip_batch *batch, const lip_node *node)
{
    for (size_t i = 0; i < batch->step_count; i++) {
        const lip_step *step = &batch->steps[i];
        const int64_t terms = step->node == node ? lip_step_terms(step) : -1;
        const bool is_exact = step->conv != NULL && batch->precision == LIP_BATCH_F64;
        if (terms >= 0)
            return (double)((terms < LIP_BATCH_SUM ? terms : LIP_BATCH_SUM) +
                            (terms + LIP_BATCH_SUM - 1) / LIP_BATCH_SUM + (is_exact ? 0 : 2));
    }
    return (double)INFINITY;
}

void lip_batch_free(lip_batch **batch)
{
    if (batch == NULL || *batch == NULL)
        return;
    lip_batch *b = *batch;
    for (size_t i = 0; i < b->step_count; i++)
        lip_step_free(&b->steps[i], b->memory);
    for (size_t i = 0; b->slots != NULL && i < b->plan.slot_count; i++)
        lip_free(b->memory, b->slots[i]);
    lip_free(b->memory, b->scratch);
    lip_free(b->memory, b->logits);
    lip_arena_free(&b->arena);
    lip_free(b->memory, b);
    *batch = NULL;
}

/* The array of a value's samples; NULL for constants, and for what is not computed. */
static void *array_of(const lip_batch *b, const lip_value *value)
{
    const lip_place *place = value != NULL ? lip_plan_place(&b->plan, value) : NULL;
    return place != NULL ? b->slots[place->slot] : NULL;
}

static lip_status run_generic(lip_batch *b, const lip_step *step, int64_t count, lip_error *error)
{
    for (size_t i = 0; i < step->node->input_count; i++)
        b->in[i] = array_of(b, step->node->inputs[i]);
    for (size_t i = 0; i < step->node->output_count; i++)
        b->out[i] = array_of(b, step->node->outputs[i]);
    return lip_batch_generic_run(step->generic, count, b->in, b->out, b->scratch, error);
}

/* `watched`: each node's own output is wanted, even where the Relu after it could be done at once. */
static lip_status run_step(lip_batch *b, const lip_step *step, bool watched, int64_t count, lip_error *error)
{
    if (step->kind == LIP_STEP_ALIAS || (!watched && step->before != LIP_NO_STEP))
        return LIP_OK;
    if (step->kind == LIP_STEP_GENERIC)
        return run_generic(b, step, count, error);
    const bool relu = !watched && step->relu != LIP_NO_STEP;
    const lip_value *from = step->node->inputs[step->affine ? lip_node_varying(step->node) : 0];
    const lip_value *to = relu ? b->steps[step->relu].node->outputs[0] : step->node->outputs[0];
    const void *x = array_of(b, from);
    void *y = array_of(b, to);
    if (step->kind == LIP_STEP_CONV)
        lip_batch_conv_run(step->conv, relu, count, x, y, b->scratch);
    else if (step->kind == LIP_STEP_DENSE)
        lip_batch_dense_run(step->dense, relu, count, x, y);
    else if (step->kind == LIP_STEP_POOL)
        lip_batch_pool_run(step->pool, count, x, y);
    else
        b->kernels->relu(count * lip_plan_place(&b->plan, to)->count, x, y);
    return LIP_OK;
}

/* All steps on samples that fit the slots. */
static lip_status run_steps(lip_batch *b, const double *samples, int64_t count, lip_batch_visit *visit, void *context,
                            lip_error *error)
{
    const lip_value *input = b->model->inputs[0];
    lip_status status = LIP_OK;
    b->kernels->from_f64(count * lip_plan_place(&b->plan, input)->count, samples, array_of(b, input));
    for (size_t i = 0; i < b->step_count && status == LIP_OK; i++) {
        status = run_step(b, &b->steps[i], visit != NULL, count, error);
        b->now = i + 1;
        if (status == LIP_OK && visit != NULL)
            status = visit(context, b, b->steps[i].node, count, error);
    }
    return status;
}

lip_status lip_batch_forward(lip_batch *batch, const double *samples, int64_t count, lip_batch_visit *visit,
                             void *context, lip_error *error)
{
    lip_batch *b = batch;
    const int64_t elements = lip_plan_place(&b->plan, b->model->inputs[0])->count;
    const size_t logits = (size_t)b->logit_count * b->kernels->size;
    const void *made = array_of(b, b->model->logits);
    lip_status status = LIP_OK;
    b->now = NEVER;
    if (count < 0 || count > b->capacity)
        return lip_fail(error, LIP_EUSAGE, "%lld samples in a batch for %lld", (long long)count,
                        (long long)b->capacity);
    for (int64_t s = 0, some; s < count && status == LIP_OK; s += some) {
        some = visit == NULL && count - s > b->together ? b->together : count - s;
        status = run_steps(b, samples + s * elements, some, visit, context, error);
        if (status == LIP_OK && made != NULL)
            memcpy((char *)b->logits + (size_t)s * logits, made, (size_t)some * logits);
    }
    b->now = status == LIP_OK ? b->step_count + 1 : NEVER;
    return status;
}

static const void *elements_of(const lip_batch *b, const lip_value *value, lip_storage storage)
{
    if (b->now == NEVER)
        return NULL;
    if (value == b->model->logits && (b->now > b->step_count || value->constant != NULL))
        return b->kernels->size == (storage == LIP_F32 ? sizeof(float) : sizeof(double)) ? b->logits : NULL;
    const lip_place *place = lip_plan_place_at(&b->plan, value, b->now);
    return place != NULL && place->storage == storage ? b->slots[place->slot] : NULL;
}

const double *lip_batch_f64(const lip_batch *batch, const lip_value *value)
{
    return elements_of(batch, value, LIP_F64);
}

const float *lip_batch_f32(const lip_batch *batch, const lip_value *value)
{
    return elements_of(batch, value, LIP_F32);
}

double lip_batch_square_sum(const lip_batch *batch, const lip_value *value, int64_t sample)
{
    const bool narrow = batch->precision == LIP_BATCH_F32;
    const char *from = narrow ? (const void *)lip_batch_f32(batch, value) : (const void *)lip_batch_f64(batch, value);
    const int64_t count = from != NULL ? lip_plan_place(&batch->plan, value)->count : 0;
    return from != NULL ? batch->kernels->square_sum(count, from + (size_t)(sample * count) * batch->kernels->size)
                        : (double)NAN;
}
