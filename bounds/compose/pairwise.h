/*
 * pairwise.h: Lipschitz bounds of the difference of two logits, and the rows
 * of the network's last linear part that they are made of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_PAIRWISE_H
#define LIP_BOUNDS_PAIRWISE_H

#include "propagate.h"

enum { LIP_PAIRWISE_CLASSES = 4096, LIP_PAIRWISE_ELEMENTS = 1 << 24 };
#define LIP_PAIRWISE_FLOPS 1e10

typedef struct lip_pairwise {
    int64_t classes;     /* 0: the logits are not [K] or [1, K], 2 <= K <= 4096 */
    double *upper;       /* [classes][classes], symmetric, 0 on the diagonal */
    double max_upper;
    const char *method;
} lip_pairwise;

/*
 * upper[t][j] >= Lipschitz constant of f_t - f_j: with R the matrix of the linear nodes at the end of the network and c
 * the bound of what comes before them, c ||R_t - R_j||, and never above sqrt(2) network_upper (the method where there
 * is no such node, or R is too large). [Leino, Wang, Fredrikson 2021; the authors' code of Tsuzuku 2018.]
 * cumulative[i] belongs to plans[i]. The table lies in the arena. Cost: K times the adjoints of these nodes, K^2 / 2
 * distances.
 */
lip_status lip_pairwise_bounds(const lip_model *model, const lip_layer_plan *plans, const double *cumulative,
                               size_t count, double network_upper, lip_arena *arena, lip_memory *memory,
                               lip_pairwise *out, lip_error *error);

/* Whether a layer keeps each element where it is in memory, up to its sign and a constant. */
bool lip_keeps_order(const lip_layer_plan *plan);

/* Whether a DENSE layer is one matrix applied to all of its input at once. */
bool lip_dense_is_whole(const lip_layer_plan *plan);

/* Its rows, alpha and the folded scales multiplied in, [rows][cols]: each element within the returned relative error
 * (NaN where a product is too small to have one). */
double lip_dense_rows(const lip_layer_plan *plan, double *rows);

/* distance[t][j] >= ||true row t - true row j||, [count][count], where ||true row t - rows[t]|| <= errors[t]. */
void lip_pair_distances(const double *rows, int64_t count, int64_t width, const double *errors, double *distance);

#endif
