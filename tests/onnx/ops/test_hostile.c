/*
 * test_hostile.c: nodes with wrong attributes, constants, shapes and missing
 * inputs, made from the cases by random changes. Nothing may crash (run it
 * with the sanitizers): a node is refused or unknown with a reason, or else
 * everything that its shape function let through can be evaluated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 60, MAX_ELEMENTS = 20000 };

static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -3000000000, -65, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 64,
                              3000000000, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};

static int64_t pick(op_fixture *f)
{
    return odd[(size_t)op_fixture_random(f, 0, sizeof odd / sizeof *odd)];
}

static size_t choose(op_fixture *f, size_t n)
{
    return n == 0 ? 0 : (size_t)op_fixture_random(f, 0, (double)n);
}

static void change_attr(op_fixture *f)
{
    if (f->node.attr_count == 0) return;
    lip_attr *attr = &f->attr[choose(f, f->node.attr_count)];
    if (attr->kind == LIP_ATTR_INT) attr->i = pick(f);
    if (attr->kind == LIP_ATTR_FLOAT) attr->f = (float)pick(f);
    if (attr->kind == LIP_ATTR_STRING) attr->s = "no such word";
    if (attr->kind == LIP_ATTR_INTS && choose(f, 3) == 0) attr->count = (int64_t)choose(f, (size_t)attr->count + 1);
    if (attr->kind == LIP_ATTR_INTS && attr->count > 0)
        ((int64_t *)attr->ints)[choose(f, (size_t)attr->count)] = pick(f);
}

static void change_constant(op_fixture *f)
{
    size_t k = choose(f, f->node.input_count);
    lip_tensor *tensor = &f->constant[k];
    if (!f->inputs[k] || !f->inputs[k]->constant || tensor->count == 0) return;
    size_t at = choose(f, (size_t)tensor->count);
    if (tensor->storage == LIP_I64)
        tensor->i64_room[at] = pick(f);
    else
        tensor->f64_room[at] = (double)pick(f);
}

/* Another shape, with data that fit it where it is a constant. */
static void change_shape(op_fixture *f)
{
    size_t k = choose(f, f->node.input_count);
    if (!f->inputs[k]) return;
    lip_value *value = f->inputs[k];
    int at = (int)choose(f, LIP_MAX_RANK);
    if (at < value->shape.rank) value->shape.dim[at] = (int64_t)choose(f, 5);
    if (at == LIP_MAX_RANK - 1 || at == value->shape.rank) value->shape.rank = (int)choose(f, LIP_MAX_RANK);
    for (int i = 0; i < value->shape.rank; i++) value->shape.dim[i] %= 8;
    if (!value->constant) return;
    lip_tensor *tensor = &f->constant[k];
    tensor->shape = value->shape;
    assert_true(lip_shape_count(&tensor->shape, &tensor->count));
    tensor->room = lip_arena_alloc(&f->arena, tensor->count, 8);
    for (int64_t i = 0; i < tensor->count; i++) {
        if (tensor->storage == LIP_I64)
            tensor->i64_room[i] = pick(f);
        else
            tensor->f64_room[i] = 1;
    }
}

static void change_inputs(op_fixture *f)
{
    size_t k = choose(f, f->node.input_count);
    switch (choose(f, 4)) {
    case 0: f->inputs[k] = NULL; break;
    case 1: f->node.input_count = k; break;
    case 2: f->node.output_count = choose(f, 4) + 1; break;
    default: f->node.opset = 1 + (int64_t)choose(f, 24); break;
    }
    for (size_t i = 0; i < f->node.output_count; i++) {
        f->outputs[i] = &f->value[CASE_MAX + i];
        *f->outputs[i] = (lip_value){.name = "y", .producer = &f->node, .consumers = i == 0};
    }
}

/* False: too large to evaluate here. */
static bool make(op_fixture *f, const lip_value *value, lip_tensor *out)
{
    *out = (lip_tensor){.dtype = value->dtype, .storage = lip_dtype_storage(value->dtype, true), .shape = value->shape};
    if (!lip_shape_count(&out->shape, &out->count) || out->count > MAX_ELEMENTS) return false;
    out->room = malloc((size_t)out->count * 8 + 1); /* not from the arena: the address sanitizer sees the ends */
    assert_non_null(out->room);
    for (int64_t i = 0; i < out->count; i++) {
        if (out->storage == LIP_I64)
            out->i64_room[i] = pick(f);
        else
            out->f64_room[i] = op_fixture_random(f, -2, 2);
    }
    return true;
}

static void evaluate(op_fixture *f)
{
    lip_tensor in[CASE_MAX] = {{0}}, out[CASE_MAX] = {{0}};
    const lip_tensor *in_list[CASE_MAX] = {NULL};
    lip_tensor *out_list[CASE_MAX] = {NULL};
    double *in_grad[CASE_MAX] = {NULL};
    const double *out_grad[CASE_MAX] = {NULL};
    bool fits = true, real = f->node.op->adjoint != NULL;
    for (size_t k = 0; k < f->node.input_count && fits; k++) {
        if (!f->inputs[k]) continue;
        fits = make(f, f->inputs[k], &in[k]);
        if (fits && f->inputs[k]->constant) memcpy(in[k].room, f->constant[k].data, (size_t)in[k].count * 8);
        in_list[k] = &in[k];
        if (fits && f->inputs[k]->varies) in_grad[k] = malloc((size_t)in[k].count * 8 + 1);
    }
    for (size_t k = 0; k < f->node.output_count && fits; k++) {
        if (!f->outputs[k]->shape_known) continue;
        fits = make(f, f->outputs[k], &out[k]);
        out_list[k] = &out[k];
        if (fits && out[k].storage == LIP_F64) out_grad[k] = out[k].f64;
    }
    lip_call call = {.node = &f->node, .in = in_list, .out = out_list, .out_grad = out_grad, .in_grad = in_grad,
                     .memory = &f->memory};
    if (fits && f->node.op->forward && f->node.op->forward(&call, NULL) == LIP_OK && real && out[0].storage == LIP_F64)
        (void)f->node.op->adjoint(&call, NULL);
    for (size_t k = 0; k < CASE_MAX; k++) {
        free(in[k].room);
        free(out[k].room);
        free(in_grad[k]);
    }
}

static void run_changed(const op_case *c, uint64_t seed)
{
    static void (*const change[])(op_fixture *) = {change_attr, change_constant, change_shape, change_inputs};
    op_fixture f;
    lip_error error = {0};
    assert_true(op_fixture_open(&f, c));
    f.seed = seed;
    for (size_t n = 1 + choose(&f, 2); n > 0; n--) change[choose(&f, 4)](&f);
    lip_status status = f.node.op->shape(&f.node, &error);
    if (status == LIP_OK) {
        lip_gain gain = f.node.op->gain;
        if (f.node.op->describe) (void)f.node.op->describe(&f.node, &f.arena, &gain, &error);
        evaluate(&f);
    } else {
        assert_true(error.reason[0] != '\0');
        assert_true(status == LIP_EFORMAT || status == LIP_EUNSUPPORTED || status == LIP_EMEMORY);
    }
    op_fixture_close(&f);
}

static void test_changed_cases(void **state)
{
    (void)state;
    static const op_cases *const tables[] = {&cases_copy, &cases_elementwise, &cases_linear,    &cases_ml,
                                             &cases_norm, &cases_quantized,   &cases_reduce};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            for (uint64_t round = 0; round < ROUNDS; round++)
                run_changed(&tables[t]->list[i], (t << 40) + (i << 20) + round);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changed_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
