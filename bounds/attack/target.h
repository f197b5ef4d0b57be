/*
 * target.h: one sample under attack: points tried around it, the gradients
 * there, and the nearest one so far that has another class.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_TARGET_H
#define LIP_BOUNDS_TARGET_H

#include "run.h"

enum { LIP_TARGET_RIVALS = 10, LIP_TARGET_VECTORS = 5 };

typedef struct lip_target {
    const lip_model *model;
    lip_memory *memory;
    lip_run *run;
    const lip_input_range *box; /* points lie in it; NULL: anywhere */
    int64_t n, classes;         /* elements of a sample, logits */
    double *room;
    double *logits, *seed;                /* classes */
    double *best;                         /* n: the nearest point of another class */
    double *vector[LIP_TARGET_VECTORS];   /* n: for whoever attacks */

    const double *sample;
    int64_t label;
    int64_t rivals[LIP_TARGET_RIVALS]; /* the other classes of largest logits at the sample */
    int rival_count;
    double distance; /* |best - sample|; inf: none yet */
    int64_t found;   /* the class there; -1: none yet */

    double lead;   /* f_label - f_rival at the last point */
    int64_t rival; /* the other class of largest logit there */
    lip_error error; /* of the first function that returned false */
} lip_target;

/* Room for attacks on samples of the model, which has one input and classes >= 2 logits. */
lip_status lip_target_open(const lip_model *model, const lip_input_range *box, lip_target *out, lip_error *error);
void lip_target_close(lip_target *target); /* also after a failed open */

/* All that follows: false, with target->error, where the network cannot be evaluated or differentiated. */

/* Takes up a sample, and looks at it. */
bool lip_target_take(lip_target *target, const double *sample, int64_t label);
/* lead and rival at x, moved into the box before. */
bool lip_target_look(lip_target *target, double *x);
/* The same; x becomes the best where its class is another and it is nearer. */
bool lip_target_try(lip_target *target, double *x);
/* Gradient of f_label - f_rival at the last point; *length: its norm. */
bool lip_target_gradient(lip_target *target, int64_t rival, double *gradient, double *length);
/* Bisection between the sample and the best. */
bool lip_target_way_back(lip_target *target);

double lip_target_distance(const lip_target *target, const double *x); /* |x - sample| */

#endif
