/*
 * pool.c: the gain of max-pooling. Each output is one of the inputs of its
 * window, so |y - y'|_2^2 <= sum over windows of the largest squared change in
 * the window <= (windows that share an input, at most) |x - x'|_2^2. It is
 * attained where one element is the largest of all windows it lies in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain_of.h"
#include "rounding.h"

lip_status lip_gain_pool(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->upper = lip_sqrt_up((double)task->gain.select);
    out->lower = lip_sqrt_down((double)task->gain.select);
    out->lmt_bound = lip_paper_pooling(task->node, false);
    out->method = "overlap count";
    return LIP_OK;
}
