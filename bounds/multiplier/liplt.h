/*
 * liplt.h: bounds of the network by turning every slope's range around its
 * middle (LipLT), from norms of products of the linear parts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LIPLT_H
#define LIP_BOUNDS_LIPLT_H

#include "system.h"

/*
 * *network_upper: proved, |dy| <= *network_upper |dx|; pairs (NULL: not wanted): [classes][classes], of y_i - y_j,
 * symmetric, 0 on the diagonal. False: nothing is known, too dear (more than 1.5e9 products of sparse elements, or
 * 6e10 flops of norms) or no memory. The same for any number of threads.
 * [Fazlyab, Entesari, Roy, Chellappa 2023, Certified robustness via dynamic margin maximization and improved Lipschitz
 * regularization]; here for graphs, and for a range of slopes for each neuron.
 */
bool lip_liplt(const lip_system *system, int threads, uint64_t seed, lip_memory *memory, double *network_upper,
               double *pairs);

#endif
