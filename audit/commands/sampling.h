/*
 * sampling.h: every sample of a run through the certifier, chunk by chunk.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SAMPLING_H
#define LIP_AUDIT_SAMPLING_H

#include "attacking.h"
#include "model_space.h"

typedef struct lip_sampling {
    /* what for */
    const lip_options *options;
    lip_data *data;
    lip_certifier *certifier;
    const lip_attacking *attacking; /* NULL: no attacks */
    const lip_model_space *space; /* radii are distances at the model's input (model_space.h); NULL: of the data */
    lip_channels range_channels; /* of options->audit.range, where there is one */
    int64_t first, count;      /* samples of the data */
    /* what came of it */
    lip_rows rows;
    bool partial;            /* a signal ended it */
    double lowest, highest;  /* elements of the samples done, as in the data */
    double seconds;
} lip_sampling;

/* Tells what went wrong on standard error and returns false. Writes options->per_sample. Free with sampling_free. */
bool sampling_run(lip_sampling *sampling);
void sampling_free(lip_sampling *sampling);

#endif
