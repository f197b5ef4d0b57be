/*
 * model_space.c: radii as distances at the model's input.
 *
 * The exact point is y = (x s - m) / d in every element, and z = fl(fl(fl(x s) - m) / d) is what is certified. With
 * |delta_i| <= u, z = ((x s (1 + delta_1) - m) (1 + delta_2)) (1 + delta_3) / d, so that
 *
 *     |z - y| <= u (3 |x s| + 2 |m|) (1 + 2 u) / d  <=  4 u (|x s| + |m|) / d,
 *
 * which has room for the roundings of its own evaluation; 1e-300 stands for underflow. The 2-norm of the errors is at
 * most their sum, which n + 2 roundings leave below sum (1 + 2 n u) for n elements. What holds within r of z holds
 * within r - |z - y| of y, and a margin at y is not more than sqrt(2) L_F |z - y| less than that at z.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_space.h"

#include <float.h>
#include <math.h>

bool model_space_of(const lip_preprocess *preprocess, const lip_shape *input, lip_model_space *out,
                    lip_options_error *reason)
{
    size_t count = preprocess->mean_count > preprocess->std_count ? preprocess->mean_count : preprocess->std_count;
    lip_model_space space = {.preprocess = preprocess};
    if (!channels_of(count, input, &space.channels))
        return options_refuse(reason, "--mean and --std hold %zu values, and the input has no such channels", count);
    *out = space;
    return true;
}

static double of_channel(const double *values, size_t count, size_t channel, double otherwise)
{
    return !values ? otherwise : values[count > 1 ? channel : 0];
}

/* Takes one sample to the model's input; returns an upper bound of how far it lands from the exact point. */
static double take(const lip_model_space *space, double *sample, size_t elements)
{
    const lip_preprocess *p = space->preprocess;
    double error = 0.0;
    for (size_t i = 0; i < elements; i++) {
        size_t channel = i / space->channels.inner % space->channels.count;
        double mean = of_channel(p->mean, p->mean_count, channel, 0.0);
        double std = of_channel(p->std, p->std_count, channel, 1.0);
        double scaled = sample[i] * p->scale;
        sample[i] = (scaled - mean) / std;
        error += 2.0 * DBL_EPSILON * (fabs(scaled) + fabs(mean)) / std + 1e-300;
    }
    return error * (1.0 + (double)elements * DBL_EPSILON);
}

/* a - b, rounded down. */
static double minus_lower(double a, double b)
{
    return nextafter(a - b, -INFINITY);
}

/* A radius that much less; NaN stays. */
static double nearer(double radius, double error)
{
    double left = minus_lower(radius, error);
    return left > 0.0 || isnan(left) ? left : 0.0;
}

static void move(const lip_model_space *space, double error, lip_certificate *c)
{
    c->margin_lower = minus_lower(c->margin_lower, 1.5 * space->lipschitz_upper * error);
    c->radius = nearer(c->radius, error);
    c->sqrt2_radius = nearer(c->sqrt2_radius, error);
    c->pairwise_radius = nearer(c->pairwise_radius, error);
    c->local_radius = nearer(c->local_radius, error);
    if (c->radius == 0.0)
        c->method = "";
}

void model_space_take(const lip_model_space *space, const lip_model_space_task *task)
{
    for (size_t i = 0; i < task->count; i++)
        task->errors[i] = take(space, task->samples + i * task->elements, task->elements);
}

void model_space_move(const lip_model_space *space, const lip_model_space_task *task)
{
    for (size_t i = 0; i < task->count; i++)
        move(space, task->errors[i], &task->certificates[i]);
}
