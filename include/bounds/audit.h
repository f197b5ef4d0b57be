/*
 * audit.h: what bounds/ offers audit/, and all of the library that audit/
 * sees: the public API, and the few names that a report gives a meaning to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_AUDIT_H
#define LIP_BOUNDS_AUDIT_H

#include "../lipaudit.h"

/* lip_bound.method of a node that only re-arranges its input (Reshape, Transpose ...): its gain is exactly 1. */
#define LIP_METHOD_ISOMETRY "isometry"

#endif
