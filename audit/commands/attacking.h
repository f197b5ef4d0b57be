/*
 * attacking.h: --attack: each sample that is right, attacked; and what the
 * attack found held against what was proved.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ATTACKING_H
#define LIP_AUDIT_ATTACKING_H

#include "certification.h"

typedef struct lip_attacking {
    const lip_model *model;
    lip_attack_options options;
    double steepest_upper; /* proved: every |grad(f_i - f_j)| is at most this */
} lip_attacking;

/* Can the network be attacked? Otherwise false with the reason. */
bool attacking_check(const lip_attacking *attacking, lip_error *error);

/*
 * Samples [count][elements], the first of which is sample rows[0].index; those that are right are attacked, and their
 * rows say what came of it. False with the reason, also where an attack refutes a proof (attacking_refutes).
 */
bool attacking_run(const lip_attacking *attacking, const double *samples, lip_row *rows, size_t count,
                   lip_error *error);

/* Another class nearer than the certified radius, or a gradient above its bound: then a proof is wrong, and the error
 * says which. */
bool attacking_refutes(const lip_attacking *attacking, const lip_row *row, lip_error *error);

#endif
