/*
 * objective.h: what the multipliers are chosen by, its gradient, a start and
 * a minimiser. Nothing here is proved; certificate.h proves what comes out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_OBJECTIVE_H
#define LIP_BOUNDS_OBJECTIVE_H

#include "form.h"
#include "linear/random.h"

typedef enum lip_goal {
    LIP_GOAL_NETWORK, /* the largest eigenvalue of S = Y J^-1 Y', smoothed: half the log of it is log L */
    LIP_GOAL_PAIRS,   /* the mean over pairs of (e_i - e_j)' S (e_i - e_j) */
    LIP_GOAL_PAIR     /* of one pair */
} lip_goal;

typedef struct lip_objective {
    lip_form *form;
    lip_goal goal;
    double power;    /* of the norm that stands for the largest eigenvalue; larger: nearer, and less smooth */
    double sharpest; /* a descent raises it while it is less */
    int64_t first, second; /* of LIP_GOAL_PAIR */
    double *rows, *z, *s, *weight, *eigenvalues, *work; /* rows: classes x variables; s, weight: classes^2 */
    double *multipliers;
    double *curvature; /* in theta, of the separable model (objective.c), where a gradient was asked for last */
    int64_t work_count;
    lip_memory *memory;
} lip_objective;

lip_status lip_objective_open(lip_form *form, lip_memory *memory, lip_objective *out, lip_error *error);
void lip_objective_close(lip_objective *objective);

/* Log of the goal at T = exp(theta), and its gradient in theta; +inf where J is not positive definite. */
double lip_objective_at(lip_objective *objective, const double *theta, double *gradient);

/*
 * T of each layer in turn = 1 / largest eigenvalue of Z_k J^-1 Z_k', J of the layers before [Xu & Sivaranjani 2024,
 * ECLipsE-Fast]; `choose` false: theta stays. reach[plan]: an estimate of the bound that the multipliers of the layers
 * before give for what enters this one, the root of that eigenvalue. False: out of memory, or J is not positive
 * definite. Cost: a factorisation for each layer.
 */
bool lip_start_layerwise(lip_form *form, bool choose, lip_random *random, double *theta, double *reach);

/* Seconds of the monotonic clock. */
double lip_clock(void);

typedef struct lip_descent {
    int iterations;   /* at most */
    double deadline;  /* of lip_clock */
    double tolerance; /* stop when five iterations bring less, relatively to 1 in the logarithm */
    double early;     /* sharpen when they bring less */
    bool (*sharpen)(void *context); /* true: the value is nearer to what is wanted now, and less smooth; may be NULL */
} lip_descent;

/* A value to make small, and its gradient, at theta; +inf: not in its domain. */
typedef double lip_value_at(void *context, const double *theta, double *gradient);

/*
 * L-BFGS [Nocedal & Wright 2006, algorithm 7.4] from theta; theta becomes the best point. Returns the value there. What
 * it knows of the curvature outlives a sharpening, which is why this is part of it. lip_descend sharpens by itself:
 * objective->power is as before when it returns, the value that of the sharpest.
 */
double lip_descend(lip_objective *objective, const lip_descent *options, double *theta);
double lip_descend_on(lip_value_at *at, void *context, const double *curvature, int64_t n, const lip_descent *options,
                      lip_memory *memory, double *theta); /* curvature, of the last evaluation, may be NULL */

#endif
