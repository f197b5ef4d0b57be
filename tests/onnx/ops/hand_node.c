/*
 * hand_node.c: see hand_node.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hand_node.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

double hand_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 33) / 1073741824.0 - 1.0;
}

static void *take(hand_node *h, int64_t count, size_t size)
{
    void *block = lip_arena_alloc(&h->arena, count, size);
    assert_non_null(block);
    return block;
}

static void *copy(hand_node *h, const void *from, int64_t count, size_t size)
{
    void *block = take(h, count, size);
    if (count > 0)
        memcpy(block, from, (size_t)count * size);
    return block;
}

void hand_begin(hand_node *h, const lip_op *op, int64_t opset, size_t outputs)
{
    *h = (hand_node){ .node = { .name = "hand", .op_type = op->name, .domain = op->domain, .module = "", .op = op } };
    h->node.opset = opset;
    lip_memory_init(&h->memory, 0);
    lip_arena_init(&h->arena, &h->memory);
    h->node.inputs = h->inputs;
    h->node.outputs = h->outputs;
    h->node.attrs = h->attrs;
    h->node.output_count = outputs;
    for (size_t i = 0; i < outputs; i++) {
        h->outputs[i] = take(h, 1, sizeof *h->outputs[i]);
        h->outputs[i]->name = "y";
        h->outputs[i]->consumers = i == 0;
    }
}

void hand_end(hand_node *h)
{
    lip_arena_free(&h->arena);
}

static lip_value *add_input(hand_node *h, lip_shape shape, lip_dtype dtype)
{
    assert_true(h->node.input_count < HAND_INPUTS);
    lip_value *value = take(h, 1, sizeof *value);
    *value = (lip_value){ .name = "x", .dtype = dtype, .shape_known = true, .shape = shape };
    h->inputs[h->node.input_count++] = value;
    return value;
}

static void set_constant(hand_node *h, lip_value *value, lip_storage storage, const void *data)
{
    lip_tensor *tensor = take(h, 1, sizeof *tensor);
    *tensor = (lip_tensor){ .dtype = value->dtype, .storage = storage, .shape = value->shape, .data = data };
    assert_true(lip_shape_count(&value->shape, &tensor->count));
    value->constant = tensor;
}

void hand_input(hand_node *h, lip_shape shape, const double *data, bool varies)
{
    int64_t count = 0;
    assert_true(lip_shape_count(&shape, &count));
    lip_value *value = add_input(h, shape, LIP_DTYPE_DOUBLE);
    value->varies = varies;
    h->data[h->node.input_count - 1] = copy(h, data, count, sizeof *data);
    if (!varies)
        set_constant(h, value, LIP_F64, h->data[h->node.input_count - 1]);
}

void hand_int_input(hand_node *h, lip_shape shape, const int64_t *data)
{
    int64_t count = 0;
    assert_true(lip_shape_count(&shape, &count));
    lip_value *value = add_input(h, shape, LIP_DTYPE_INT64);
    set_constant(h, value, LIP_I64, copy(h, data, count, sizeof *data));
}

void hand_no_input(hand_node *h)
{
    assert_true(h->node.input_count < HAND_INPUTS);
    h->inputs[h->node.input_count++] = NULL;
}

static lip_attr *add_attr(hand_node *h, const char *name, lip_attr_kind kind)
{
    assert_true(h->node.attr_count < HAND_ATTRS);
    lip_attr *attr = &h->attrs[h->node.attr_count++];
    *attr = (lip_attr){ .name = name, .kind = kind };
    return attr;
}

void hand_int(hand_node *h, const char *name, int64_t value)
{
    add_attr(h, name, LIP_ATTR_INT)->i = value;
}

void hand_ints(hand_node *h, const char *name, int64_t count, const int64_t *value)
{
    lip_attr *attr = add_attr(h, name, LIP_ATTR_INTS);
    attr->count = count;
    attr->ints = copy(h, value, count, sizeof *value);
}

void hand_float(hand_node *h, const char *name, float value)
{
    add_attr(h, name, LIP_ATTR_FLOAT)->f = value;
}

void hand_floats(hand_node *h, const char *name, int64_t count, const float *value)
{
    lip_attr *attr = add_attr(h, name, LIP_ATTR_FLOATS);
    attr->count = count;
    attr->floats = copy(h, value, count, sizeof *value);
}

void hand_string(hand_node *h, const char *name, const char *value)
{
    add_attr(h, name, LIP_ATTR_STRING)->s = value;
}

lip_status hand_shape(hand_node *h)
{
    const lip_status status = h->node.op->shape(&h->node, &h->error);
    for (size_t i = 0; status == LIP_OK && i < h->node.output_count; i++) {
        lip_value *value = h->outputs[i];
        lip_tensor *out = &h->out[i];
        assert_true(i > 0 || value->shape_known);
        *out = (lip_tensor){ .dtype = value->dtype, .shape = value->shape };
        out->storage = lip_dtype_storage(value->dtype, true);
        assert_true(lip_shape_count(&value->shape, &out->count));
        out->room = take(h, out->count, 8);
    }
    return status;
}

static void gather_inputs(const hand_node *h, lip_tensor *in, const lip_tensor **pointer)
{
    for (size_t i = 0; i < h->node.input_count; i++) {
        const lip_value *value = h->inputs[i];
        pointer[i] = value != NULL ? &in[i] : NULL;
        if (value == NULL)
            continue;
        in[i] = (lip_tensor){ .dtype = value->dtype, .storage = LIP_F64, .shape = value->shape, .data = h->data[i] };
        if (value->constant != NULL && value->dtype == LIP_DTYPE_INT64)
            in[i] = *value->constant;
        assert_true(lip_shape_count(&value->shape, &in[i].count));
    }
}

lip_status hand_forward(hand_node *h, bool linear_part)
{
    lip_tensor in[HAND_INPUTS];
    const lip_tensor *inputs[HAND_INPUTS];
    lip_tensor *outputs[HAND_OUTPUTS];
    gather_inputs(h, in, inputs);
    for (size_t i = 0; i < h->node.output_count; i++)
        outputs[i] = h->outputs[i]->shape_known ? &h->out[i] : NULL;
    const lip_call call = { .node = &h->node, .in = inputs, .out = outputs, .linear_part = linear_part,
                            .memory = &h->memory };
    return h->node.op->forward(&call, &h->error);
}

lip_status hand_adjoint(hand_node *h, const double *grad)
{
    lip_tensor in[HAND_INPUTS];
    const lip_tensor *inputs[HAND_INPUTS];
    lip_tensor *outputs[HAND_OUTPUTS];
    const double *out_grad[HAND_OUTPUTS] = { grad };
    gather_inputs(h, in, inputs);
    for (size_t i = 0; i < h->node.output_count; i++)
        outputs[i] = &h->out[i];
    for (size_t i = 0; i < h->node.input_count; i++)
        if (h->inputs[i] != NULL && h->inputs[i]->varies && h->gradient[i] == NULL)
            h->gradient[i] = take(h, in[i].count, sizeof(double));
    const lip_call call = { .node = &h->node, .in = inputs, .out = outputs, .out_grad = out_grad,
                            .in_grad = h->gradient, .memory = &h->memory };
    return h->node.op->adjoint(&call, &h->error);
}

lip_status hand_describe(hand_node *h, lip_gain *gain)
{
    *gain = h->node.op->gain;
    return h->node.op->describe == NULL ? LIP_OK : h->node.op->describe(&h->node, &h->arena, gain, &h->error);
}

static double *random_vector(hand_node *h, int64_t count, uint64_t *state)
{
    double *v = take(h, count, sizeof *v);
    for (int64_t i = 0; i < count; i++)
        v[i] = hand_random(state);
    return v;
}

static double dot(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static int64_t count_of(const lip_shape *shape)
{
    int64_t count = 0;
    assert_true(lip_shape_count(shape, &count));
    return count;
}

void hand_check_linear(hand_node *h, size_t index, uint64_t seed)
{
    const int64_t n = count_of(&h->inputs[index]->shape), m = h->out[0].count;
    double *u = random_vector(h, m, &seed);
    for (int64_t i = 0; i < n; i++)
        h->data[index][i] = hand_random(&seed);
    assert_int_equal(hand_forward(h, true), LIP_OK);
    assert_int_equal(hand_adjoint(h, u), LIP_OK);
    const double left = dot(h->out[0].f64, u, m), right = dot(h->data[index], h->gradient[index], n);
    const double size = sqrt(dot(h->out[0].f64, h->out[0].f64, m) * dot(u, u, m));
    if (!(fabs(left - right) <= 1e-12 * size + 1e-300))
        fail_msg("%s: <Ax, u> = %.17g, <x, A'u> = %.17g", h->node.op_type, left, right);
}

void hand_check_derivative(hand_node *h, size_t index, uint64_t seed, double tolerance)
{
    const int64_t n = count_of(&h->inputs[index]->shape), m = h->out[0].count;
    const double step = 1e-6;
    double *x = copy(h, h->data[index], n, sizeof *x), *u = random_vector(h, m, &seed);
    double *after = take(h, m, sizeof *after);
    for (int trial = 0; trial < 4; trial++) {
        double *v = random_vector(h, n, &seed);
        for (int64_t i = 0; i < n; i++)
            h->data[index][i] = x[i] + step * v[i];
        assert_int_equal(hand_forward(h, false), LIP_OK);
        memcpy(after, h->out[0].f64, (size_t)m * sizeof *after);
        for (int64_t i = 0; i < n; i++)
            h->data[index][i] = x[i] - step * v[i];
        assert_int_equal(hand_forward(h, false), LIP_OK);
        const double difference = (dot(after, u, m) - dot(h->out[0].f64, u, m)) / (2 * step);
        memcpy(h->data[index], x, (size_t)n * sizeof *x);
        assert_int_equal(hand_forward(h, false), LIP_OK);
        assert_int_equal(hand_adjoint(h, u), LIP_OK);
        const double slope = dot(h->gradient[index], v, n);
        if (!(fabs(difference - slope) <= tolerance * (1 + fabs(slope))))
            fail_msg("%s: differences give %.12g, the adjoint %.12g", h->node.op_type, difference, slope);
    }
}

double hand_largest_slope(hand_node *h, size_t index, uint64_t seed)
{
    const int64_t n = count_of(&h->inputs[index]->shape), m = h->out[0].count;
    double *x = take(h, n, sizeof *x), *first = take(h, m, sizeof *first), largest = 0;
    for (int trial = 0; trial < 400; trial++) {
        const double scale = pow(10, 3 * hand_random(&seed)), width = scale * pow(10, -2 + 2 * hand_random(&seed));
        double moved = 0, changed = 0;
        for (int64_t i = 0; i < n; i++)
            h->data[index][i] = x[i] = scale * hand_random(&seed);
        assert_int_equal(hand_forward(h, false), LIP_OK);
        memcpy(first, h->out[0].f64, (size_t)m * sizeof *first);
        for (int64_t i = 0; i < n; i++) {
            h->data[index][i] = x[i] + width * hand_random(&seed);
            moved += (h->data[index][i] - x[i]) * (h->data[index][i] - x[i]);
        }
        assert_int_equal(hand_forward(h, false), LIP_OK);
        for (int64_t i = 0; i < m; i++)
            changed += (h->out[0].f64[i] - first[i]) * (h->out[0].f64[i] - first[i]);
        largest = fmax(largest, sqrt(changed / moved));
    }
    return largest;
}

double hand_matrix_norm(const double *a, int64_t rows, int64_t cols)
{
    double *u = calloc((size_t)rows, sizeof *u), *v = calloc((size_t)cols, sizeof *v), norm = 0;
    uint64_t state = 1;
    assert_non_null(u);
    assert_non_null(v);
    for (int64_t j = 0; j < cols; j++)
        v[j] = hand_random(&state);
    for (int step = 0; step < 3000; step++) {
        for (int64_t i = 0; i < rows; i++)
            u[i] = dot(a + i * cols, v, cols);
        const double length = sqrt(dot(u, u, rows));
        memset(v, 0, (size_t)cols * sizeof *v);
        for (int64_t i = 0; length > 0 && i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                v[j] += a[i * cols + j] * u[i] / length;
        norm = sqrt(dot(v, v, cols));
        for (int64_t j = 0; norm > 0 && j < cols; j++)
            v[j] /= norm;
    }
    free(u);
    free(v);
    return norm;
}

double hand_jacobian_norm(hand_node *h, size_t index)
{
    const int64_t n = count_of(&h->inputs[index]->shape), m = h->out[0].count;
    double *jacobian = calloc((size_t)(n * m), sizeof *jacobian), *unit = calloc((size_t)m, sizeof *unit);
    assert_non_null(jacobian);
    assert_non_null(unit);
    assert_int_equal(hand_forward(h, false), LIP_OK);
    for (int64_t i = 0; i < m; i++) {
        unit[i] = 1;
        assert_int_equal(hand_adjoint(h, unit), LIP_OK);
        memcpy(jacobian + i * n, h->gradient[index], (size_t)n * sizeof *jacobian);
        unit[i] = 0;
    }
    const double norm = hand_matrix_norm(jacobian, m, n);
    free(jacobian);
    free(unit);
    return norm;
}
