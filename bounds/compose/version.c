/*
 * version.c: what computes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "audit.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdio.h>

const char *lip_version(void) { return LIP_VERSION; }

const char *lip_blas_version(void) { return openblas_get_config(); }

const char *lip_lapack_version(void)
{
    static char text[48]; /* written with the same bytes by every caller */
    lapack_int major = 0, minor = 0, patch = 0;
    LAPACKE_ilaver(&major, &minor, &patch);
    snprintf(text, sizeof text, "LAPACK %d.%d.%d", (int)major, (int)minor, (int)patch);
    return text;
}
