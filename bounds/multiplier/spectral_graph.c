/*
 * spectral_graph.c: see spectral_graph.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_graph.h"

#include "compose/pairwise.h"
#include "rounding.h"
#include "run.h"

#include <string.h>

static lip_status unfit(lip_spectral_walk *w, const char *why) { return lip_fail(w->error, LIP_EUNSUPPORTED, "%s", why); }

static lip_status no_memory(lip_spectral_walk *w)
{
    return lip_fail(w->error, LIP_EMEMORY, "the torus of the multipliers passes the memory cap");
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* A group of variables for the image; the same one in each walk. */
static lip_status add_group(lip_spectral_walk *w, lip_spectral_group group, const lip_image *image)
{
    lip_spectral *s = w->spectral;
    if (!w->numbers) {
        if (w->next_group == LIP_SPECTRAL_GROUPS)
            return unfit(w, "it has too many activations");
        group.channels = image->channels;
        group.first = image->stride; /* until ratios are known */
        s->group[w->next_group] = group;
        s->groups = w->next_group + 1;
    }
    w->next_group++;
    return LIP_OK;
}

static lip_image variable_image(const lip_spectral_walk *w, const lip_image *like)
{
    lip_image image = *like;
    image.form = LIP_IMAGE_GRID;
    image.extended = true;
    image.group = w->next_group - 1;
    image.rows = NULL;
    image.error = 0;
    return image;
}

static int64_t take_multipliers(lip_spectral_walk *w, int64_t channels)
{
    int64_t first = w->spectral->multipliers;
    if (!w->numbers)
        w->spectral->multipliers += channels;
    return first;
}

/* New variables g = dh - a dz with dz = z; the image of g. */
static lip_status add_slopes(lip_spectral_walk *w, const lip_image *z, size_t at, double width, lip_image *g)
{
    lip_spectral_group group = { .kind = LIP_VAR_SLOPE, .multiplier = take_multipliers(w, z->channels),
                                 .plan = (int32_t)at, .constant = width };
    lip_status status = add_group(w, group, z);
    if (status == LIP_OK && w->numbers)
        lip_image_store(w, z, w->next_group - 1);
    *g = variable_image(w, z);
    return status;
}

/* The model's input as an image: by the convolution that reads it, or by its shape. */
static lip_status grid_of_input(lip_spectral_walk *w, const lip_value *value, const lip_conv *conv)
{
    lip_image *in = &w->values[value->index];
    lip_image image = { .form = LIP_IMAGE_GRID, .channels = conv ? conv->c_in : value->shape.dim[1], .stride = 1,
                        .extended = true };
    if (!conv && (value->shape.rank != 4 || value->shape.dim[0] != 1))
        return unfit(w, "its input is no image");
    for (int d = 0; d < 2; d++)
        image.n[d] = conv ? conv->n[d] : value->shape.dim[2 + d];
    const lip_spectral_group *input = &w->spectral->group[0];
    if (!w->numbers && input->channels > 0 && input->channels != image.channels)
        return unfit(w, "its input is read in two shapes");
    w->spectral->group[0].channels = image.channels;
    image.group = 0;
    *in = image;
    return LIP_OK;
}

static bool is_plain(const lip_conv *c)
{
    return c->k[0] == 1 && c->k[1] == 1 && c->pad_begin[0] == 0 && c->pad_begin[1] == 0 &&
           (c->n_out[0] - 1) * c->stride[0] < c->n[0] && (c->n_out[1] - 1) * c->stride[1] < c->n[1];
}

/* Torus side that a convolution needs, in positions of its input. */
static int64_t needed_side(const lip_conv *c)
{
    int64_t need = 0;
    for (int d = 0; d < 2; d++) {
        int64_t last = (c->n_out[d] - 1) * c->stride[d] + (c->k[d] - 1) * c->dilation[d] - c->pad_begin[d];
        int64_t begin = larger(0, c->pad_begin[d]), end = larger(0, last - (c->n[d] - 1));
        need = larger(need, c->n[d] + larger(begin, end));
        need = larger(need, c->n_out[d] * c->stride[d]);
    }
    return need;
}

static void require(lip_spectral_walk *w, int64_t stride, int64_t side)
{
    w->coarsest = larger(w->coarsest, stride);
    int64_t positions = side * stride; /* of the input's grid */
    w->need = larger(w->need, positions);
}

static lip_status convolution(lip_spectral_walk *w, size_t at, lip_image *in, lip_image *out)
{
    const lip_conv *c = &w->plans[at].gain.conv;
    if (c->transposed || c->dims != 2 || c->batch != 1 || c->stride[0] != c->stride[1] || in->channels != c->c_in ||
        in->n[0] != c->n[0] || in->n[1] != c->n[1])
        return unfit(w, "a convolution of this kind is not put on a torus");
    lip_image variable, *from = in;
    if (!in->extended && !is_plain(c)) {
        lip_status status = add_slopes(w, in, at, 1, &variable); /* slopes [0, 1]: the identity is among them */
        if (status != LIP_OK)
            return status;
        from = &variable;
    }
    *out = (lip_image) { .form = LIP_IMAGE_GRID, .channels = c->c_out, .n = { c->n_out[0], c->n_out[1] },
                         .stride = in->stride * c->stride[0], .group = -1 };
    if (!w->numbers) {
        require(w, in->stride, needed_side(c));
        require(w, out->stride, larger(c->n_out[0], c->n_out[1]));
        return LIP_OK;
    }
    return lip_image_convolve(w, c, from, out) ? LIP_OK : no_memory(w);
}

static lip_status scale(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    const lip_scale *s = &w->plans[at].gain.scale;
    if (s->multiplicity != 1 || !(s->axis == -1 || (s->axis == 1 && s->count == in->channels)))
        return unfit(w, "a scale of this kind is not put on a torus");
    *out = *in;
    out->group = -1;
    out->rows = NULL;
    return !w->numbers || lip_image_scale(w, s, in, out) ? LIP_OK : no_memory(w);
}

static lip_status add(lip_spectral_walk *w, double ca, const lip_image *a, double cb, const lip_image *b, lip_image *out)
{
    if (a->channels != b->channels || a->n[0] != b->n[0] || a->n[1] != b->n[1] || a->stride != b->stride)
        return unfit(w, "a sum of different grids is not put on a torus");
    *out = *a;
    out->group = -1;
    out->rows = NULL;
    out->extended = a->extended && b->extended;
    return !w->numbers || lip_image_add(w, ca, a, cb, b, out) ? LIP_OK : no_memory(w);
}

static lip_status slopes(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    double a = fmin(0, w->plans[at].gain.slopes.a), b = fmax(0, w->plans[at].gain.slopes.b);
    lip_image g;
    lip_status status = add_slopes(w, in, at, a == 0 ? b : lip_sub_up(b, a), &g);
    if (status != LIP_OK || a == 0) {
        *out = g;
        return status;
    }
    status = add(w, a, in, 1, &g, out); /* h = a z + g, zero outside by the definition of g */
    out->extended = true;
    return status;
}

static lip_status max_pool(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    const lip_node *node = w->plans[at].node;
    const lip_shape *shape = &node->outputs[0]->shape;
    int64_t count, stride[2] = { 1, 1 };
    const int64_t *strides = lip_attr_ints(node, "strides", &count);
    for (int d = 0; strides && d < 2 && count == 2; d++)
        stride[d] = strides[d];
    if (strcmp(node->op_type, "MaxPool") != 0 || node->domain[0] || shape->rank != 4 || shape->dim[1] != in->channels ||
        stride[0] != stride[1] || stride[0] < 1)
        return unfit(w, "a node that only a gain is known of is not put on a torus");
    int64_t multiplier = take_multipliers(w, in->channels);
    lip_spectral_group aux = { .kind = LIP_VAR_AUX, .multiplier = multiplier, .plan = (int32_t)at,
                               .constant = (double)w->plans[at].gain.select };
    lip_spectral_group pass = { .kind = LIP_VAR_PASS, .multiplier = multiplier, .plan = (int32_t)at };
    lip_status status = add_group(w, aux, in);
    if (status == LIP_OK && w->numbers)
        lip_image_store(w, in, w->next_group - 1);
    lip_image result = *in;
    result.stride = in->stride * stride[0];
    result.n[0] = shape->dim[2];
    result.n[1] = shape->dim[3];
    if (!w->numbers)
        require(w, result.stride, larger(result.n[0], result.n[1]));
    if (status == LIP_OK)
        status = add_group(w, pass, &result);
    *out = variable_image(w, &result);
    return status;
}

/* The mean of each channel over all positions: one adjoint tells whether it is one, for each channel. */
static lip_status check_mean(lip_spectral_walk *w, size_t at, const lip_image *in, double *factor)
{
    lip_apply *apply = NULL;
    lip_memory *memory = w->spectral->memory;
    int64_t plane = in->n[0] * in->n[1], all = plane * in->channels;
    double *x = lip_alloc(memory, all, sizeof *x), *y = lip_alloc(memory, in->channels, sizeof *y);
    lip_status status = x && y ? lip_apply_open(w->plans[at].node, memory, &apply, w->error) : no_memory(w);
    bool mean = status == LIP_OK && lip_apply_input_count(apply) == all && lip_apply_output_count(apply) == in->channels;
    for (int64_t c = 0; mean && c < in->channels; c++) {
        y[c] = 1;
        mean = lip_apply_adjoint(apply, y, x, NULL) == LIP_OK;
        y[c] = 0;
        for (int64_t i = 0; mean && i < all; i++)
            mean = fabs(x[i] - (i / plane == c ? 1 / (double)plane : 0)) <= 16 * LIP_UNIT / (double)plane;
    }
    *factor = 1 / (double)plane;
    lip_apply_free(&apply);
    lip_free(memory, x);
    lip_free(memory, y);
    return status == LIP_OK && !mean ? unfit(w, "an average of this kind is not put on a torus") : status;
}

static lip_status mean(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    lip_rows_builder rows;
    if (!in->extended)
        return unfit(w, "a mean of what is no activation is not put on a torus");
    if (w->mean.form != LIP_IMAGE_NONE)
        return unfit(w, "it takes the mean over positions twice");
    w->mean = *in;
    out->form = LIP_IMAGE_FLAT;
    if (w->numbers)
        return LIP_OK;
    lip_status status = check_mean(w, at, in, &w->mean_factor);
    if (status != LIP_OK)
        return status;
    out->flat = lip_arena_alloc(w->arena, 1, sizeof *out->flat);
    if (!out->flat || !lip_rows_begin(&rows, w->arena, in->channels, in->channels))
        return no_memory(w);
    for (int64_t c = 0; c < in->channels; c++) {
        if (!lip_rows_put(&rows, c, 1))
            return no_memory(w);
        lip_rows_next(&rows);
    }
    *out->flat = (lip_enclosed) { .m = rows.m };
    return LIP_OK;
}

/* After the mean: one linear node after the other. */
static lip_status tail(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    lip_rows matrix;
    double relative;
    lip_gain_kind kind = w->plans[at].gain.kind;
    *out = *in;
    if (w->numbers || kind == LIP_GAIN_SUM)
        return kind == LIP_GAIN_SUM && lip_node_varying(w->plans[at].node) < 0 ? unfit(w, "branches after the mean") : LIP_OK;
    if (kind != LIP_GAIN_DENSE && kind != LIP_GAIN_ISOMETRY && kind != LIP_GAIN_SCALE && kind != LIP_GAIN_CONV)
        return unfit(w, "an activation after the mean is not put on a torus");
    lip_status status = lip_linear_rows(&w->plans[at], w->arena, &matrix, &relative, w->error);
    if (status != LIP_OK)
        return status;
    out->flat = lip_arena_alloc(w->arena, 1, sizeof *out->flat);
    return out->flat && lip_enclosed_product(&matrix, relative, in->flat, w->arena, out->flat) ? LIP_OK : no_memory(w);
}

static double sign_of(const lip_node *node, const lip_gain *gain, size_t index)
{
    bool alike = lip_shape_equal(&node->inputs[index]->shape, &node->outputs[0]->shape);
    if (node->domain[0] || gain->coefficient != 1 || !alike)
        return 0;
    if (strcmp(node->op_type, "Sub") == 0)
        return index == 0 ? 1 : -1;
    return strcmp(node->op_type, "Add") == 0 || strcmp(node->op_type, "Sum") == 0 ? 1 : 0;
}

static lip_status sum(lip_spectral_walk *w, size_t at, lip_image *out)
{
    const lip_node *node = w->plans[at].node;
    const lip_image *first = NULL, *second = NULL;
    double signs[2] = { 1, 1 };
    for (size_t i = 0; i < node->input_count; i++) {
        if (!node->inputs[i] || !node->inputs[i]->varies)
            continue;
        double sign = sign_of(node, &w->plans[at].gain, i);
        const lip_image *image = &w->values[node->inputs[i]->index];
        if (sign == 0 || second || image->form != LIP_IMAGE_GRID)
            return unfit(w, "a sum of this kind is not put on a torus");
        signs[first ? 1 : 0] = sign;
        *(first ? &second : &first) = image;
    }
    if (!second && signs[0] == 1) {
        *out = *first;
        out->rows = NULL;
        if (first->rows && w->numbers) /* a copy: each value frees its own */
            return lip_image_add(w, 1, first, 0, first, out) ? LIP_OK : no_memory(w);
        return LIP_OK;
    }
    return add(w, signs[0], first, second ? signs[1] : 0, second ? second : first, out);
}

static lip_status visit(lip_spectral_walk *w, size_t at)
{
    const lip_layer_plan *plan = &w->plans[at];
    const lip_node *node = plan->node;
    int input = lip_node_varying(node);
    lip_image *out = &w->values[node->outputs[0]->index];
    lip_gain_kind kind = plan->gain.kind;
    if (input < 0)
        return kind == LIP_GAIN_SUM ? sum(w, at, out) : unfit(w, "several inputs of a node vary");
    lip_image *in = &w->values[node->inputs[input]->index];
    if (in->form == LIP_IMAGE_RAW && kind == LIP_GAIN_ISOMETRY) {
        *out = *in;
        return LIP_OK;
    }
    if (in->form == LIP_IMAGE_RAW) {
        lip_status status =
            grid_of_input(w, node->inputs[input], kind == LIP_GAIN_CONV && !plan->gain.conv.transposed &&
                          plan->gain.conv.dims == 2 ? &plan->gain.conv : NULL);
        if (status != LIP_OK)
            return status;
    }
    if (in->form == LIP_IMAGE_FLAT)
        return tail(w, at, in, out);
    if (in->form != LIP_IMAGE_GRID)
        return unfit(w, "a node reads a second output");
    switch (kind) {
    case LIP_GAIN_CONV: return convolution(w, at, in, out);
    case LIP_GAIN_SCALE: return scale(w, at, in, out);
    case LIP_GAIN_SLOPES: return slopes(w, at, in, out);
    case LIP_GAIN_SUM: return sum(w, at, out);
    case LIP_GAIN_SELECT: return max_pool(w, at, in, out);
    case LIP_GAIN_NONNEGATIVE: return mean(w, at, in, out);
    default: return unfit(w, "a node that is neither convolution, scale, activation, sum nor pooling is not put on a torus");
    }
}

lip_status lip_spectral_walk_all(lip_spectral_walk *w)
{
    const lip_model *model = w->model;
    w->next_group = 0;
    if (model->input_count != 1 || !model->inputs[0]->varies)
        return unfit(w, "it has several inputs");
    w->values[model->inputs[0]->index].form = LIP_IMAGE_RAW;
    lip_image input = { .stride = 1 };
    lip_status status = add_group(w, (lip_spectral_group) { .kind = LIP_VAR_INPUT, .multiplier = -1, .plan = -1 }, &input);
    for (size_t i = 0; i < w->count && status == LIP_OK; i++) {
        if (!w->plans[i].node->outputs[0])
            return unfit(w, "a node has no first output");
        status = visit(w, i);
    }
    if (status == LIP_OK && w->values[model->logits->index].form != LIP_IMAGE_FLAT)
        return unfit(w, "its logits do not come from a mean over positions");
    return status;
}

void lip_spectral_walk_end(lip_spectral_walk *w)
{
    for (size_t i = 0; w->values && i < w->model->value_count; i++)
        lip_free(w->spectral->memory, w->values[i].rows);
    lip_free(w->spectral->memory, w->values);
    w->values = NULL;
}
