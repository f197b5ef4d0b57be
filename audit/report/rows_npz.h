/*
 * rows_npz.h: rows as NumPy reads them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ROWS_NPZ_H
#define LIP_AUDIT_ROWS_NPZ_H

#include "certification.h"

/*
 * An .npz archive, not compressed: index, label, predicted (int64, -1: none), margin, radius, sqrt2, pairwise (float64)
 * and method (bytes); local (float64, NaN: none); attack and gradient (float64, NaN: not attacked). The same rows give
 * the same bytes.
 * False: out of memory; errors of the stream are left in it. Takes as much memory as the archive is large, twice.
 */
bool rows_npz_write(const lip_rows *rows, lip_row_columns columns, FILE *stream);

#endif
