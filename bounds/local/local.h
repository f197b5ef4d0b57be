/*
 * local.h: how far logits can move when one sample's input moves by at most r:
 * bounds around a sample, tighter than any Lipschitz constant of the network.
 *
 * The network is multiplier/system.h's: dz = Z v for the inputs of its neurons, dy = Y v for the logits. From a
 * sample x, let d denote the change to any x' with |x' - x| <= r. The secant slope dg / dz of a neuron lies between
 * bounds that depend on where its z is at the sample and on how far z can move (slope.h): most neurons of a
 * trained network cannot reach their kink, and those that can have used up a part of the way. So layer after layer
 *     reach_m >= |dz_m|  ->  c_m, w_m with |dg_m - c_m dz_m| <= w_m |dz_m|  ->  reaches of the next layer,
 * where a row p v (p = Z_m, or a difference of two rows of Y) is taken back from its last neuron to the input,
 *     p v = q dx + sum_m p_m (dg_m - c_m dz_m),   p <- p + p_m c_m Z_m for the last m first        (rows.c)
 *     |p v| <= r |q| + sum over layers of min( sum |p_m| w_m reach_m, |p w|_2 |dz of those with w > 0|_2 ).
 * The first of the minimum is what linear relaxations have [Zhang et al. 2018, CROWN]; the second is
 * Lipschitz's: neurons of one layer cannot all move as far as each of them could [Tsuzuku et al. 2018, and LipLT
 * on a ball, Fazlyab et al. 2023]. Where the sign of p_m decides which side matters, c_m and w_m depend on it.
 * A max-pool follows the row of its largest input, and loses what another can rise above that (follow.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LOCAL_H
#define LIP_BOUNDS_LOCAL_H

#include "compose/layers.h"

/* What does not depend on the sample; many threads may read it. */
typedef struct lip_local lip_local;

/* One sample at a time: its neurons, and room for the bounds. */
typedef struct lip_local_sample lip_local_sample;

/*
 * Plans as lip_plan_layers makes them, without ranges; gains[i] belongs to plans[i]; lipschitz[v] >= the Lipschitz
 * constant from the input to value v, for the inputs of layers that are not linear (+inf: not known). Everything lies
 * in the arena. LIP_EUNSUPPORTED, with the reason, where system.h has no system of the network.
 */
lip_status lip_local_open(const lip_model *model, const lip_layer_plan *plans, const double *gains, size_t count,
                          const double *lipschitz, lip_arena *arena, const lip_local **out, lip_error *error);

/* What is wanted of a sample: for each index < lip_local_layers the input *value of the activation that is returned,
 * with its elements at *offset among lip_local_anchored; NULL: nothing. */
size_t lip_local_layers(const lip_local *local);
int64_t lip_local_anchored(const lip_local *local);
const lip_node *lip_local_anchor(const lip_local *local, size_t index, const lip_value **value, int64_t *offset);

/* LIP_EMEMORY. Room: about 300 bytes for each neuron and input. */
lip_status lip_local_sample_new(const lip_local *local, lip_memory *memory, lip_local_sample **out, lip_error *error);
void lip_local_sample_free(lip_local_sample **sample);

/* z: the anchored values as computed; |true - z| <= error[i] for every element of layer i, at the sample itself.
 * Copied. */
void lip_local_sample_set(lip_local_sample *sample, const double *z, const double *error);

/*
 * fall[j] >= (f_t - f_j)(x) - (f_t - f_j)(x') for all |x' - x| <= r and every class j; 0 for j = t, +inf where there
 * is no bound. The network is that of real arithmetic. Cost: for each neuron that may cross its kink two passes
 * through the layers before it, in blocks of 8 neurons.
 */
void lip_local_falls(lip_local_sample *sample, double r, int64_t t, double *fall);

/* Keeps what the last call found of its neurons for calls with smaller r, which it makes cheaper and no worse. */
void lip_local_keep(lip_local_sample *sample);

#endif
