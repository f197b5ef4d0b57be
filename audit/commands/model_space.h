/*
 * model_space.h: radii as distances at the model's input, though the data are
 * scaled on the way there: the model is certified as it is, around the point
 * that the data are taken to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MODEL_SPACE_H
#define LIP_AUDIT_MODEL_SPACE_H

#include "channels.h"
#include "options.h"

typedef struct lip_model_space {
    const lip_preprocess *preprocess;
    lip_channels channels;
    double lipschitz_upper; /* of the model; set by the caller */
} lip_model_space;

/* `input`: the model's input. False with a reason where mean or std fit no channels of it. */
bool model_space_of(const lip_preprocess *preprocess, const lip_shape *input, lip_model_space *out,
                    lip_options_error *reason);

typedef struct lip_model_space_task {
    double *samples; /* [count][elements] */
    size_t count, elements;
    lip_certificate *certificates;
    double *errors; /* [count]: how far from the exact point a sample is, at most */
} lip_model_space_task;

/* Takes the samples to the model's input, and sets `errors`. */
void model_space_take(const lip_model_space *space, const lip_model_space_task *task);

/* What is proved of the samples taken becomes what is proved of the exact points. */
void model_space_move(const lip_model_space *space, const lip_model_space_task *task);

#endif
