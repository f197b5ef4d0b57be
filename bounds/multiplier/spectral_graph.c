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

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* A group of variables for the image, with the rows z or NULL; the same one in each walk. */
static lip_status add_group(lip_spectral_walk *w, lip_spectral_group group, const lip_image *image, const lip_image *z)
{
    lip_spectral *s = w->spectral;
    if (w->numbers && z)
        lip_image_store(w, z, w->next_group);
    if (!w->numbers) {
        if (w->next_group == LIP_SPECTRAL_GROUPS)
            return lip_spectral_unfit(w, "it has too many activations");
        if (z)
            lip_image_read(z, w->reads + w->next_group * LIP_SPECTRAL_GROUPS);
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
    memset(image.reads, 0, sizeof image.reads);
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
    lip_status status = add_group(w, group, z, z);
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
        return lip_spectral_unfit(w, "its input is no image");
    for (int d = 0; d < 2; d++)
        image.n[d] = conv ? conv->n[d] : value->shape.dim[2 + d];
    const lip_spectral_group *input = &w->spectral->group[0];
    if (!w->numbers && input->channels > 0 && input->channels != image.channels)
        return lip_spectral_unfit(w, "its input is read in two shapes");
    if (!w->numbers)
        w->spectral->group[0].channels = image.channels;
    image.group = 0;
    *in = image;
    return LIP_OK;
}

/* Whether it reads true positions only. */
static bool is_plain(const lip_conv *c)
{
    bool plain = true;
    for (int d = 0; d < 2; d++)
        plain = plain && c->pad_begin[d] == 0 &&
                (c->n_out[d] - 1) * c->stride[d] + (c->k[d] - 1) * c->dilation[d] < c->n[d];
    return plain;
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

static lip_status convolve(lip_spectral_walk *w, size_t at, const lip_conv *c, const double *weights,
                           const lip_image *in, lip_image *out)
{
    if (c->transposed || c->dims != 2 || c->batch != 1 || c->stride[0] != c->stride[1] || in->channels != c->c_in ||
        in->n[0] != c->n[0] || in->n[1] != c->n[1])
        return lip_spectral_unfit(w, "a convolution of this kind is not put on a torus");
    lip_image variable;
    const lip_image *from = in;
    if (!in->extended && !is_plain(c)) {
        lip_status status = add_slopes(w, in, at, 1, &variable); /* slopes [0, 1]: the identity is among them */
        if (status != LIP_OK)
            return status;
        from = &variable;
    }
    *out = (lip_image) { .form = LIP_IMAGE_GRID, .channels = c->c_out, .n = { c->n_out[0], c->n_out[1] },
                         .stride = in->stride * c->stride[0], .group = -1 };
    lip_image_read(from, out->reads);
    if (!w->numbers) {
        require(w, in->stride, needed_side(c));
        require(w, out->stride, larger(c->n_out[0], c->n_out[1]));
        return LIP_OK;
    }
    return lip_image_convolve(w, c, weights, from, out) ? LIP_OK : lip_spectral_no_memory(w);
}

static lip_status convolution(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    const lip_conv *c = &w->plans[at].gain.conv;
    double *weights = w->numbers ? lip_alloc(w->spectral->memory, lip_conv_weight_count(c), sizeof *weights) : NULL;
    if (w->numbers && !weights)
        return lip_spectral_no_memory(w);
    if (weights)
        lip_tensor_to_real(c->weight, weights);
    lip_status status = convolve(w, at, c, weights, in, out);
    lip_free(w->spectral->memory, weights);
    return status;
}

static lip_status scale(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    const lip_scale *s = &w->plans[at].gain.scale;
    if (s->multiplicity != 1 || !(s->axis == -1 || (s->axis == 1 && s->count == in->channels)))
        return lip_spectral_unfit(w, "a scale of this kind is not put on a torus");
    *out = lip_image_derived(in);
    return !w->numbers || lip_image_scale(w, s, in, out) ? LIP_OK : lip_spectral_no_memory(w);
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
    status = lip_spectral_add(w, a, in, 1, &g, out); /* h = a z + g, zero outside by the definition of g */
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
        return lip_spectral_unfit(w, "a node that only a gain is known of is not put on a torus");
    int64_t multiplier = take_multipliers(w, in->channels);
    lip_spectral_group aux = { .kind = LIP_VAR_AUX, .multiplier = multiplier, .plan = (int32_t)at,
                               .constant = (double)w->plans[at].gain.select };
    lip_spectral_group pass = { .kind = LIP_VAR_PASS, .multiplier = multiplier, .plan = (int32_t)at };
    lip_status status = add_group(w, aux, in, in);
    lip_image result = *in;
    result.stride = in->stride * stride[0];
    result.n[0] = shape->dim[2];
    result.n[1] = shape->dim[3];
    if (!w->numbers)
        require(w, result.stride, larger(result.n[0], result.n[1]));
    if (status == LIP_OK)
        status = add_group(w, pass, &result, NULL);
    *out = variable_image(w, &result);
    return status;
}

/* An average over whole windows: a convolution of each channel on its own. */
static lip_status average_pool(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    const lip_node *node = w->plans[at].node;
    const lip_shape *shape = &node->outputs[0]->shape;
    int64_t counts[4], elements;
    const int64_t *kernel = lip_attr_ints(node, "kernel_shape", &counts[0]);
    const int64_t *strides = lip_attr_ints(node, "strides", &counts[1]);
    const int64_t *pads = lip_attr_ints(node, "pads", &counts[2]);
    const int64_t *dilations = lip_attr_ints(node, "dilations", &counts[3]);
    const char *mode = lip_attr_string(node, "auto_pad", "NOTSET");
    bool fine = strcmp(node->op_type, "AveragePool") == 0 && !node->domain[0] && kernel && counts[0] == 2 &&
                (!strides || counts[1] == 2) && (!pads || counts[2] == 4) && (!dilations || counts[3] == 2) &&
                lip_attr_int(node, "ceil_mode", 0) == 0 && shape->dim[1] == in->channels &&
                (strcmp(mode, "NOTSET") == 0 || strcmp(mode, "VALID") == 0);
    lip_conv c = { .dims = 2, .batch = 1, .groups = in->channels, .c_in = in->channels, .c_out = in->channels };
    for (int d = 0; fine && d < 2; d++) {
        c.k[d] = kernel[d];
        c.stride[d] = strides ? strides[d] : 1;
        c.dilation[d] = dilations ? dilations[d] : 1;
        c.n[d] = in->n[d];
        c.n_out[d] = shape->dim[2 + d];
        fine = (!pads || (pads[d] == 0 && pads[2 + d] == 0)) && c.k[d] >= 1 && c.k[d] <= c.n[d] && c.stride[d] >= 1;
    }
    fine = fine && is_plain(&c) && lip_size_mul(c.k[0] * c.k[1], c.c_in, &elements);
    double *weights = fine && w->numbers ? lip_alloc(w->spectral->memory, elements, sizeof *weights) : NULL;
    if (!fine)
        return lip_spectral_unfit(w, "an average of this kind is not put on a torus");
    if (w->numbers && !weights)
        return lip_spectral_no_memory(w);
    for (int64_t i = 0; weights && i < elements; i++)
        weights[i] = 1 / (double)(c.k[0] * c.k[1]); /* its rounding: the symbol's error has 4 u to spare */
    lip_status status = convolve(w, at, &c, weights, in, out);
    lip_free(w->spectral->memory, weights);
    return status;
}

/* The mean of each channel over all positions: one adjoint tells whether it is one, for each channel. */
static lip_status check_mean(lip_spectral_walk *w, size_t at, const lip_image *in, double *factor)
{
    lip_apply *apply = NULL;
    lip_memory *memory = w->spectral->memory;
    int64_t plane = in->n[0] * in->n[1], all = plane * in->channels;
    double *x = lip_alloc(memory, all, sizeof *x), *y = lip_alloc(memory, in->channels, sizeof *y);
    lip_status status = x && y ? lip_apply_open(w->plans[at].node, memory, &apply, w->error)
                               : lip_spectral_no_memory(w);
    bool mean = status == LIP_OK && lip_apply_input_count(apply) == all &&
                lip_apply_output_count(apply) == in->channels;
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
    return status == LIP_OK && !mean ? lip_spectral_unfit(w, "an average of this kind is not put on a torus") : status;
}

static lip_status mean(lip_spectral_walk *w, size_t at, const lip_image *in, lip_image *out)
{
    lip_rows_builder rows;
    if (w->mean.form != LIP_IMAGE_NONE)
        return lip_spectral_unfit(w, "it takes the mean over positions twice");
    w->mean = *in;
    if (!in->extended) { /* slopes [0, 1], as for a convolution */
        lip_status extended = add_slopes(w, in, at, 1, &w->mean);
        if (extended != LIP_OK)
            return extended;
    }
    out->form = LIP_IMAGE_FLAT;
    if (w->numbers)
        return LIP_OK;
    lip_status status = check_mean(w, at, in, &w->mean_factor);
    if (status != LIP_OK)
        return status;
    out->flat = lip_arena_alloc(w->arena, 1, sizeof *out->flat);
    if (!out->flat || !lip_rows_begin(&rows, w->arena, in->channels, in->channels))
        return lip_spectral_no_memory(w);
    for (int64_t c = 0; c < in->channels; c++) {
        if (!lip_rows_put(&rows, c, 1))
            return lip_spectral_no_memory(w);
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
    if (kind == LIP_GAIN_SUM && lip_node_varying(w->plans[at].node) < 0)
        return lip_spectral_unfit(w, "branches after the mean");
    if (w->numbers || kind == LIP_GAIN_SUM)
        return LIP_OK;
    if (kind != LIP_GAIN_DENSE && kind != LIP_GAIN_ISOMETRY && kind != LIP_GAIN_SCALE && kind != LIP_GAIN_CONV)
        return lip_spectral_unfit(w, "an activation after the mean is not put on a torus");
    lip_status status = lip_linear_rows(&w->plans[at], w->arena, &matrix, &relative, w->error);
    if (status != LIP_OK)
        return status;
    out->flat = lip_arena_alloc(w->arena, 1, sizeof *out->flat);
    bool fine = out->flat && lip_enclosed_product(&matrix, relative, in->flat, w->arena, out->flat);
    return fine ? LIP_OK : lip_spectral_no_memory(w);
}

/* Whether at most one position of each channel is left. */
static bool is_mean(const lip_node *node)
{
    const lip_shape *shape = &node->outputs[0]->shape;
    return shape->rank != 4 || (shape->dim[2] == 1 && shape->dim[3] == 1);
}

static lip_status visit(lip_spectral_walk *w, size_t at)
{
    const lip_layer_plan *plan = &w->plans[at];
    const lip_node *node = plan->node;
    int input = lip_node_varying(node);
    lip_image *out = &w->values[node->outputs[0]->index];
    lip_gain_kind kind = plan->gain.kind;
    if (input < 0)
        return kind == LIP_GAIN_SUM      ? lip_spectral_sum(w, at, out)
               : kind == LIP_GAIN_CONCAT ? lip_spectral_concat(w, at, out)
                                         : lip_spectral_unfit(w, "several inputs of a node vary");
    lip_image *in = &w->values[node->inputs[input]->index];
    if (in->form == LIP_IMAGE_RAW && kind == LIP_GAIN_ISOMETRY) {
        *out = *in;
        return LIP_OK;
    }
    if (in->form == LIP_IMAGE_RAW) {
        bool plane = kind == LIP_GAIN_CONV && !plan->gain.conv.transposed && plan->gain.conv.dims == 2;
        lip_status status = grid_of_input(w, node->inputs[input], plane ? &plan->gain.conv : NULL);
        if (status != LIP_OK)
            return status;
    }
    if (in->form == LIP_IMAGE_FLAT)
        return tail(w, at, in, out);
    if (in->form != LIP_IMAGE_GRID)
        return lip_spectral_unfit(w, "a node reads a second output");
    switch (kind) {
    case LIP_GAIN_CONV: return convolution(w, at, in, out);
    case LIP_GAIN_SCALE: return scale(w, at, in, out);
    case LIP_GAIN_SLOPES: return slopes(w, at, in, out);
    case LIP_GAIN_SUM: return lip_spectral_sum(w, at, out);
    case LIP_GAIN_SELECT: return max_pool(w, at, in, out);
    case LIP_GAIN_NONNEGATIVE: return is_mean(node) ? mean(w, at, in, out) : average_pool(w, at, in, out);
    default:
        return lip_spectral_unfit(w, "a node that is neither convolution, scale, activation, sum nor pooling is not "
                                     "put on a torus");
    }
}

/* Where the output is an image: the group of its variables, with one multiplier. */
static lip_status finish(lip_spectral_walk *w)
{
    const lip_image *y = &w->values[w->model->logits->index];
    if (y->form == LIP_IMAGE_FLAT)
        return LIP_OK;
    if (y->form != LIP_IMAGE_GRID)
        return lip_spectral_unfit(w, "its output is no image");
    lip_spectral_group aux = { .kind = LIP_VAR_AUX, .multiplier = take_multipliers(w, 1), .plan = -1, .constant = 1 };
    w->spectral->output = w->next_group;
    return add_group(w, aux, y, y);
}

lip_status lip_spectral_walk_all(lip_spectral_walk *w)
{
    const lip_model *model = w->model;
    w->next_group = 0;
    if (model->input_count != 1 || !model->inputs[0]->varies)
        return lip_spectral_unfit(w, "it has several inputs");
    w->values[model->inputs[0]->index].form = LIP_IMAGE_RAW;
    lip_image input = { .stride = 1 };
    lip_spectral_group dx = { .kind = LIP_VAR_INPUT, .multiplier = -1, .plan = -1 };
    lip_status status = add_group(w, dx, &input, NULL);
    for (size_t i = 0; i < w->count && status == LIP_OK; i++) {
        if (!w->plans[i].node->outputs[0])
            return lip_spectral_unfit(w, "a node has no first output");
        status = visit(w, i);
    }
    return status == LIP_OK ? finish(w) : status;
}

void lip_spectral_walk_end(lip_spectral_walk *w)
{
    for (size_t i = 0; w->values && i < w->model->value_count; i++)
        lip_free(w->spectral->memory, w->values[i].rows);
    lip_free(w->spectral->memory, w->values);
    w->values = NULL;
}
