/*
 * fit.h: how stored samples become the model's input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_FIT_H
#define LIP_AUDIT_FIT_H

#include "data.h"
#include "rows.h"

typedef struct lip_fit {
    int64_t elements;     /* of a sample */
    lip_shape sample;     /* as stored */
    int64_t lines, steps; /* a sample is stored as a matrix [lines][steps] and given as [steps][lines]; 0: as it is */
} lip_fit;

/*
 * See data_open. May take `rows` as whole samples, or set their lead. LIP_EUSAGE where they do not fit: both
 * shapes are named.
 */
lip_status fit_rows(lip_rows *rows, const lip_data_options *options, lip_fit *out, lip_error *error);

/* Samples as stored to samples as given, in place. `room`: elements of one; may be NULL where lines is 0. */
void fit_apply(const lip_fit *fit, int64_t count, double *samples, double *room);

#endif
