/*
 * certificate.h: bounds of the network and of pairs of logits from any
 * multipliers, proved in floating point.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_CERTIFICATE_H
#define LIP_BOUNDS_CERTIFICATE_H

#include "form.h"

/* What one factorisation of J(T) proves, whatever T. */
typedef struct lip_certificate_of {
    int64_t classes, pairs;
    double shift;       /* c of certificate.c */
    double *gram;       /* R R' of the logits' rows, classes x classes, scaled by 2^(-2 network_exponent) */
    double *square;     /* per pair: squared norm of its row, scaled */
    double *exponent;   /* per pair: its scale */
    double network_exponent;
    double *work;       /* classes^2 + 2 classes */
    lip_memory *memory;
} lip_certificate_of;

/*
 * T from anywhere: multipliers that are not positive and finite, or for which J(T) is not proved positive definite,
 * give *proved = false. with_pairs: also the differences of all pairs of logits. LIP_EMEMORY.
 * Cost: one factorisation, and one solve for each row.
 */
lip_status lip_certificate_open(lip_form *form, const double *multipliers, bool with_pairs, lip_memory *memory,
                                lip_certificate_of *out, bool *proved, lip_error *error);
void lip_certificate_close(lip_certificate_of *certificate);

/* Whether it is proved that |f(x) - f(x')| <= bound |x - x'| for all x, x', f all logits in the Euclidean norm, or
 * f = f_i - f_j for the pair (i < j). False: not proved. */
bool lip_certificate_network(const lip_certificate_of *certificate, double bound);
bool lip_certificate_pair(const lip_certificate_of *certificate, int64_t i, int64_t j, double bound);

/* The smallest bounds that these prove, to 1e-9 or so; +inf: none. */
double lip_certificate_network_upper(const lip_certificate_of *certificate);
double lip_certificate_pair_upper(const lip_certificate_of *certificate, int64_t i, int64_t j);

/*
 * For other factorisations (spectral_certificate.c): room for a certificate; what appended rows (classes + pairs x
 * variables, column-major, overwritten) prove, and the squared norm of the error of their scaled rows, where errors[k]
 * is that of output k before scaling. Scaled diagonals of outputs stay below LIP_CERTIFICATE_OUTPUT.
 */
#define LIP_CERTIFICATE_OUTPUT 16.0
lip_status lip_certificate_allocate(lip_certificate_of *certificate, int64_t classes, bool with_pairs,
                                    lip_memory *memory, lip_error *error);
void lip_certificate_measure(lip_certificate_of *certificate, int64_t variables, double *rows);
double lip_certificate_output_error(const lip_certificate_of *certificate, const double *errors);

#endif
