/*
 * methods.h: how a target is attacked. Each leaves the nearest point of
 * another class that it came upon in the target, or a nearer one on the way
 * back from it; false as in target.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_METHODS_H
#define LIP_BOUNDS_METHODS_H

#include "linear/random.h"
#include "target.h"

typedef bool lip_attack_method(lip_target *target, lip_random *random);

/* [Moosavi-Dezfooli, Fawzi, Frossard 2016]: to the nearest face of the classifier linearised at the last point, again
 * and again; overshoot 0.02, at most 50 steps. About 1 + rivals evaluations a step. */
lip_attack_method lip_deepfool;

/* [Madry et al. 2018] with L2 balls, after DeepFool: the smallest ball in which it finds another class, by bisection
 * of the radius; in each 20 steps and, where they fail, 40 from another random point. Up to 1200 evaluations. */
lip_attack_method lip_pgd;

/* [Carlini & Wagner 2017], L2, after DeepFool: min |d|^2 + c max(f_label - f_rival, 0) over d by Adam, the least c that
 * succeeds by bisection: 8 times 100 steps. Up to 1600 evaluations. */
lip_attack_method lip_carlini_wagner;

/* The largest |grad(f_label - f_rival)| at the sample and at `directions` points at distance `reach` from it, in
 * uniformly random directions [Tsuzuku 2018, inequality (5)]. (1 + directions) (1 + rivals) evaluations. */
bool lip_local_gradient(lip_target *target, int directions, double reach, lip_random *random, double *largest);

#endif
