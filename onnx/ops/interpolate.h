/*
 * interpolate.h: resampling along axes, for Resize and Upsample: a linear map,
 * one sparse matrix per axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_INTERPOLATE_H
#define LIP_ONNX_OPS_INTERPOLATE_H

#include "op.h"

typedef enum lip_resample { LIP_NEAREST, LIP_LINEAR, LIP_CUBIC } lip_resample;
typedef enum lip_nearest { LIP_ROUND_PREFER_FLOOR, LIP_ROUND_PREFER_CEIL, LIP_FLOOR, LIP_CEIL } lip_nearest;
typedef enum lip_coordinates {
    LIP_HALF_PIXEL,
    LIP_PYTORCH_HALF_PIXEL,
    LIP_ASYMMETRIC,
    LIP_ALIGN_CORNERS,
    LIP_TF_HALF_PIXEL_FOR_NN,
    LIP_HALF_PIXEL_SYMMETRIC
} lip_coordinates;

typedef struct lip_interpolation {
    lip_resample mode;
    lip_nearest nearest;
    lip_coordinates coordinates;
    double cubic_a;
    bool exclude_outside;
    lip_shape in, out;
    double scale[LIP_MAX_RANK]; /* 1: the axis is left alone */
} lip_interpolation;

/* out = floor(in * scale), scales taken as float32 as runtimes do; LIP_EFORMAT for a scale that is not positive or a
 * size past INT32_MAX. */
lip_status lip_interpolation_scale(const lip_node *node, lip_interpolation *p, int axis, double scale,
                                   lip_error *error);

lip_status lip_interpolation_forward(const lip_call *call, const lip_interpolation *p, lip_error *error);
lip_status lip_interpolation_adjoint(const lip_call *call, const lip_interpolation *p, lip_error *error);

/* lower <= spectral norm of the map <= upper, LIP_ENOMEM where the arena has no room. Of the modes linear and cubic,
 * whose coefficients may have either sign. */
lip_status lip_interpolation_norm(const lip_node *node, const lip_interpolation *p, lip_arena *arena, double *lower,
                                  double *upper, lip_error *error);

#endif
