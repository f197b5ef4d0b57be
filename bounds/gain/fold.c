/*
 * fold.c: scales (batch-norm, products with constants) multiplied into the
 * linear node beside them, so that the norm of the product is bounded and not
 * the product of norms.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain_of.h"
#include "rounding.h"

static bool fits(const lip_scale *scale, int axis, int64_t channels)
{
    if (scale->multiplicity != 1)
        return false;
    return scale->axis == -1 || (scale->axis == axis && scale->count == channels);
}

static bool is_single_matrix(const lip_gain *gain)
{
    return gain->kind == LIP_GAIN_DENSE && gain->dense.batch == 1 && gain->dense.multiplicity == 1;
}

bool lip_scale_fits_before(const lip_scale *scale, const lip_gain *gain)
{
    if (gain->kind == LIP_GAIN_CONV)
        return fits(scale, 1, gain->conv.transposed ? gain->conv.c_out : gain->conv.c_in);
    return is_single_matrix(gain) && fits(scale, gain->dense.in_axis, gain->dense.cols);
}

bool lip_scale_fits_after(const lip_scale *scale, const lip_gain *gain)
{
    if (gain->kind == LIP_GAIN_CONV)
        return fits(scale, 1, gain->conv.transposed ? gain->conv.c_in : gain->conv.c_out);
    return is_single_matrix(gain) && fits(scale, gain->dense.out_axis, gain->dense.rows);
}

double lip_fold_error(const lip_layer_task *task, bool has_alpha)
{
    double units = (has_alpha ? 1 : 0) + (task->before ? 1 : 0) + (task->after ? 1 : 0);
    double factors = task->before ? task->before->relative_error : 0;
    factors += task->after ? task->after->relative_error : 0;
    /* products of errors are far below 2^-20 of their sum */
    return units == 0 ? 0 : lip_up((units * LIP_UNIT + factors) * (1 + 0x1p-20));
}
