/*
 * form.h: the matrix J(T) of a system in tiles, variables in an order that
 * keeps its factor sparse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_FORM_H
#define LIP_BOUNDS_FORM_H

#include "system.h"
#include "tiled.h"

typedef struct lip_form {
    const lip_system *system;
    int32_t *position; /* variable -> place in the order */
    lip_tiled tiles;
    lip_memory *memory;
} lip_form;

/* LIP_EMEMORY. Free with lip_form_close in any case. */
lip_status lip_form_open(const lip_system *system, const lip_model *model, int threads, lip_memory *memory,
                         lip_form *out, lip_error *error);
void lip_form_close(lip_form *form);

/* The diagonal element of a variable (AUX: rounded down), and the factor of its row. */
double lip_form_diagonal(const lip_variable *variable, double multiplier);
static inline double lip_form_factor(const lip_variable *variable, double multiplier)
{
    return variable->kind == LIP_VAR_SLOPE ? -variable->constant * multiplier : 1;
}
static inline double lip_form_multiplier(const lip_variable *variable, const double *multipliers)
{
    return variable->multiplier < 0 ? 1 : multipliers[variable->multiplier];
}

/*
 * Tiles := the lower triangle of S (J(T) - shift I') S in the form's order, S diagonal (NULL: I), where I' = S^-2: the
 * shift comes off the scaled diagonal, rounded down. With off = the first plan whose variables are left
 * out (their rows are those of the identity); SIZE_MAX: none.
 */
void lip_form_fill(lip_form *form, const double *multipliers, const double *scale, double shift, size_t off);

#endif
