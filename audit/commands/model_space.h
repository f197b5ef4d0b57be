/*
 * model_space.h: radii as distances at the model's input, though the data are
 * scaled on the way there: the model is certified as it is, around the point
 * that the data are taken to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MODEL_SPACE_H
#define LIP_AUDIT_MODEL_SPACE_H

#include "options.h"

typedef struct lip_model_space {
    const lip_preprocess *preprocess;
    size_t channels, inner; /* element i belongs to channel i / inner % channels */
    double lipschitz_upper; /* of the model; set by the caller */
} lip_model_space;

/* `input`: the model's input. False with a reason where mean or std fit no channels of it. */
bool model_space_of(const lip_preprocess *preprocess, const lip_shape *input, lip_model_space *out,
                    lip_options_error *reason);

typedef struct lip_model_space_task {
    double *samples; /* [count][elements]; overwritten */
    const int64_t *labels;
    size_t count, elements;
    lip_certificate *certificates;
    double *errors; /* [count], for the work */
} lip_model_space_task;

/* lip_certify of the samples after the preprocessing (space NULL: as they are). What is proved holds for the exact values,
 * not only for the doubles nearest to them. */
lip_status model_space_certify(const lip_model_space *space, lip_certifier *certifier, const lip_model_space_task *task,
                               lip_error *error);

#endif
