/*
 * paper.c: the closed forms of [Tsuzuku 2018, section 4] for overlapping
 * windows, beside the exact counts and norms. They assume symmetric padding,
 * no dilation and rounding down of the output size.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain_of.h"
#include "rounding.h"

#include <string.h>

double lip_paper_overlap(int dims, const int64_t *n, const int64_t *k, const int64_t *stride, const int64_t *pad)
{
    double overlap = 1;
    for (int d = 0; d < dims; d++) {
        int64_t reach = n[d] + 2 * pad[d] - k[d] + 1;
        reach = reach < k[d] ? reach : k[d];
        reach = reach < 1 ? 1 : reach;
        overlap *= (double)((reach + stride[d] - 1) / stride[d]);
    }
    return overlap;
}

double lip_paper_pooling(const lip_node *node, bool average)
{
    int64_t ones[LIP_CONV_DIMS] = { 1, 1, 1 }, pads[LIP_CONV_DIMS] = { 0 };
    int64_t rank, stride_count, pad_count, dilation_count;
    const int64_t *k = lip_attr_ints(node, "kernel_shape", &rank);
    const int64_t *stride = lip_attr_ints(node, "strides", &stride_count);
    const int64_t *pad = lip_attr_ints(node, "pads", &pad_count);
    const int64_t *dilation = lip_attr_ints(node, "dilations", &dilation_count);
    const lip_value *in = lip_node_input(node, 0);
    double window = 1;
    if (strcmp(node->op_type, average ? "AveragePool" : "MaxPool") != 0) /* whose attributes were checked */
        return (double)NAN;
    if (!k || !in || rank < 1 || rank > LIP_CONV_DIMS || in->shape.rank != rank + 2)
        return (double)NAN;
    for (int64_t d = 0; dilation && d < dilation_count; d++)
        if (dilation[d] != 1)
            return (double)NAN;
    for (int64_t d = 0; d < rank; d++) {
        pads[d] = pad ? pad[d] : 0;
        window *= (double)k[d];
    }
    double overlap = lip_paper_overlap((int)rank, in->shape.dim + 2, k, stride ? stride : ones, pads);
    return average ? lip_sqrt_up(lip_div_up(overlap, window)) : lip_sqrt_up(overlap);
}
