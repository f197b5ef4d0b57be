/*
 * range_forward.c: an operator's own forward on arrays of ends, in the place
 * of its inputs: what the rules of range_rules.c and range_norms.c evaluate.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"

#include <math.h>

typedef struct stand_in {
    lip_tensor *tensor; /* inputs, then outputs */
    const lip_tensor **in;
    lip_tensor **out;
    void **owned;
} stand_in;

static bool to_whole(const double *from, int64_t count, int64_t *to)
{
    for (int64_t i = 0; i < count; i++) {
        if (!(fabs(from[i]) <= 0x1p53)) return false;
        to[i] = (int64_t)from[i];
    }
    return true;
}

static lip_status bind_input(const lip_range_call *call, size_t i, const double *from, stand_in *s, lip_error *error)
{
    const lip_span *span = &call->in[i];
    const lip_tensor *constant = lip_node_constant(call->node, i);
    lip_tensor *t = &s->tensor[i];
    if (!span->lo) return LIP_OK;
    if (!from) from = span->lo;
    s->in[i] = t;
    *t = (lip_tensor){.dtype = span->dtype, .storage = LIP_F64, .shape = span->shape, .count = span->count,
                      .f64 = from};
    if (lip_dtype_is_real(span->dtype)) return LIP_OK;
    if (constant) {
        *t = *constant;
        return LIP_OK;
    }
    t->storage = LIP_I64;
    s->owned[i] = lip_alloc(call->memory, span->count, sizeof(int64_t));
    if (!s->owned[i]) return lip_fail_memory(error, call->node, "ranges");
    t->i64 = s->owned[i];
    return to_whole(from, span->count, s->owned[i]) ? LIP_OK : lip_fail(error, LIP_EUNSUPPORTED, "too large");
}

static lip_status bind_output(const lip_range_call *call, size_t i, double *to, stand_in *s, lip_error *error)
{
    const size_t at = call->node->input_count + i;
    const lip_value *value = call->node->outputs[i];
    lip_tensor *t = &s->tensor[at];
    if (!to) return LIP_OK;
    s->out[i] = t;
    *t = (lip_tensor){.dtype = value->dtype, .storage = LIP_F64, .shape = value->shape, .count = call->out[i].count,
                      .f64_room = to};
    if (lip_dtype_is_real(value->dtype)) return LIP_OK;
    t->storage = LIP_I64;
    s->owned[at] = t->room = lip_alloc(call->memory, t->count, sizeof(int64_t));
    return t->room ? LIP_OK : lip_fail_memory(error, call->node, "ranges");
}

static lip_status run(const lip_range_call *call, const double *const *in, double *const *out, stand_in *s,
                      lip_error *error)
{
    const lip_node *node = call->node;
    if (!s->tensor || !s->in || !s->out || !s->owned) return lip_fail_memory(error, node, "ranges");
    for (size_t i = 0; i < node->input_count; i++) LIP_TRY(bind_input(call, i, in[i], s, error));
    for (size_t i = 0; i < node->output_count; i++) LIP_TRY(bind_output(call, i, out[i], s, error));
    const lip_call forward = {.node = node, .in = s->in, .out = s->out, .memory = call->memory};
    LIP_TRY(node->op->forward(&forward, error));
    for (size_t i = 0; i < node->output_count; i++) {
        const lip_tensor *t = s->out[i];
        for (int64_t k = 0; t && t->storage == LIP_I64 && k < t->count; k++) out[i][k] = (double)t->i64[k];
    }
    return LIP_OK;
}

lip_status lip_range_forward(const lip_range_call *call, const double *const *in, double *const *out, lip_error *error)
{
    const int64_t inputs = (int64_t)call->node->input_count, outputs = (int64_t)call->node->output_count;
    stand_in s = {lip_alloc(call->memory, inputs + outputs, sizeof *s.tensor),
                  lip_alloc(call->memory, inputs, sizeof *s.in), lip_alloc(call->memory, outputs, sizeof *s.out),
                  lip_alloc(call->memory, inputs + outputs, sizeof *s.owned)};
    lip_status status = run(call, in, out, &s, error);
    for (int64_t i = 0; s.owned && i < inputs + outputs; i++) lip_free(call->memory, s.owned[i]);
    lip_free(call->memory, s.tensor);
    lip_free(call->memory, s.in);
    lip_free(call->memory, s.out);
    lip_free(call->memory, s.owned);
    return status;
}
