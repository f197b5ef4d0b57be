/*
 * spectral_join.c: sums and concatenations of images.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_graph.h"

#include <string.h>

lip_status lip_spectral_unfit(lip_spectral_walk *w, const char *why)
{
    return lip_fail(w->error, LIP_EUNSUPPORTED, "%s", why);
}

lip_status lip_spectral_no_memory(lip_spectral_walk *w)
{
    return lip_fail(w->error, LIP_EMEMORY, "the torus of the multipliers passes the memory cap");
}

lip_image lip_image_derived(const lip_image *in)
{
    lip_image image = *in;
    image.group = -1;
    image.rows = NULL;
    image.error = 0;
    lip_image_read(in, image.reads);
    return image;
}

lip_status lip_spectral_add(lip_spectral_walk *w, double ca, const lip_image *a, double cb, const lip_image *b,
                            lip_image *out)
{
    if (a->channels != b->channels || a->n[0] != b->n[0] || a->n[1] != b->n[1] || a->stride != b->stride)
        return lip_spectral_unfit(w, "a sum of different grids is not put on a torus");
    *out = lip_image_derived(a);
    lip_image_read(b, out->reads);
    out->extended = a->extended && b->extended;
    return !w->numbers || lip_image_add(w, ca, a, cb, b, out) ? LIP_OK : lip_spectral_no_memory(w);
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

lip_status lip_spectral_sum(lip_spectral_walk *w, size_t at, lip_image *out)
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
            return lip_spectral_unfit(w, "a sum of this kind is not put on a torus");
        signs[first ? 1 : 0] = sign;
        *(first ? &second : &first) = image;
    }
    if (!second && signs[0] == 1 && !first->rows) {
        *out = *first;
        return LIP_OK;
    }
    if (!second)
        return lip_spectral_add(w, signs[0], first, 0, first, out); /* a copy, too: each value frees its own */
    return lip_spectral_add(w, signs[0], first, signs[1], second, out);
}

lip_status lip_spectral_concat(lip_spectral_walk *w, size_t at, lip_image *out)
{
    const lip_node *node = w->plans[at].node;
    const lip_image *first = NULL;
    int64_t axis = lip_attr_int(node, "axis", 1), row = 0;
    if (strcmp(node->op_type, "Concat") != 0 || node->domain[0] || node->outputs[0]->shape.rank != 4 ||
        (axis != 1 && axis != -3))
        return lip_spectral_unfit(w, "a concatenation of this kind is not put on a torus");
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_image *image = node->inputs[i] ? &w->values[node->inputs[i]->index] : NULL;
        if (!image || !node->inputs[i]->varies || image->form != LIP_IMAGE_GRID)
            return lip_spectral_unfit(w, "a concatenation with what is no image is not put on a torus");
        if (!first) {
            first = image;
            *out = lip_image_derived(image);
            continue;
        }
        if (image->n[0] != first->n[0] || image->n[1] != first->n[1] || image->stride != first->stride)
            return lip_spectral_unfit(w, "a concatenation of different grids is not put on a torus");
        lip_image_read(image, out->reads);
        out->channels += image->channels;
        out->extended = out->extended && image->extended;
    }
    if (!w->numbers)
        return LIP_OK;
    if (!lip_image_open(w, out))
        return lip_spectral_no_memory(w);
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_image *image = &w->values[node->inputs[i]->index];
        lip_image_place(w, image, row, out);
        row += lip_image_rows(w, image);
    }
    return LIP_OK;
}
