/*
 * error_interpolation.c: the local rounding error of Resize and Upsample.
 *
 * The bounds are of the map whose coefficients are computed here [onnx/ops/interpolate.c]. Our own execution resamples
 * one axis after the other, a product and at most four sums each: with coefficients >= 0 the terms add up to |A| |x| =
 * A |x|, of norm at most gain ||x||, and each meets 5 roundings an axis.
 *
 * A deployed execution computes coordinates and coefficients on its own, in its precision. Where every scale is a power
 * of two within 2^-8 .. 2^8, lengths are at most 2^12 and the corners are not aligned, (o + 1/2) / s - 1/2 and o / s
 * are multiples of 2^-9 below 2^13: exact in float32, as are the coefficients of linear interpolation and the products
 * of two of them (18 bits). Three or more axes round the products: 2 more each. Then the same elements are read, with
 * the same coefficients, and a sum of 2^axes products is left. Elsewhere, the neighbours that a runtime takes
 * may differ from the standard's by rounding, and the step is refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_rules.h"

#include <string.h>

static bool is_power_of_two(double scale)
{
    int exponent;
    return frexp(scale, &exponent) == 0.5 && exponent >= -7 && exponent <= 9;
}

/* Scales as the file states them: the whole list, of an input or an attribute; true where there is none. */
static bool scales_are_exact(const lip_node *node)
{
    bool is_old = strcmp(node->op_type, "Upsample") == 0 || node->opset < 11;
    const lip_tensor *scales = lip_node_constant(node, is_old ? 1 : 2);
    const lip_attr *list = lip_attr_find(node, "scales");
    if (scales && scales->storage == LIP_OPAQUE)
        return false;
    for (int64_t i = 0; scales && i < scales->count; i++)
        if (!is_power_of_two(lip_tensor_real(scales, i)))
            return false;
    for (int64_t i = 0; list && list->kind == LIP_ATTR_FLOATS && i < list->count; i++)
        if (!is_power_of_two((double)list->floats[i]))
            return false;
    return true;
}

/* Axes that change; -1: by other factors than those of the derivation. */
static int exact_axes(const lip_node *node)
{
    const lip_shape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
    int moved = 0;
    if (strcmp(lip_attr_string(node, "coordinate_transformation_mode", ""), "align_corners") == 0 ||
        lip_attr_int(node, "exclude_outside", 0) != 0 || !scales_are_exact(node) || x->rank != y->rank)
        return -1;
    for (int d = 0; d < x->rank; d++) {
        if (x->dim[d] < 1 || x->dim[d] > 1 << 12 || y->dim[d] > 1 << 12 ||
            !is_power_of_two((double)y->dim[d] / (double)x->dim[d]))
            return -1;
        moved += x->dim[d] != y->dim[d];
    }
    return moved;
}

void lip_error_interpolation(const lip_node *node, lip_error_step *step)
{
    int rank = node->inputs[0]->shape.rank, axes = exact_axes(node);
    bool copies = strcmp(lip_attr_string(node, "mode", "nearest"), "nearest") == 0;
    if (!copies)
        lip_round_outputs(step, fmax(5.0 * rank, ldexp(1, rank) + 4.0 * rank));
    step->refusal_half = "the coordinates of its interpolation are not exact in half precision";
    if (axes < 0)
        step->refusal_deployed = "the coordinates of its interpolation are not exact in a runtime's precision";
}
