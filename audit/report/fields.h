/*
 * fields.h: reads members of a report. A saved report may lack anything, or
 * hold anything: what is absent or of another type reads as "not there", so
 * that no format has to look twice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_FIELDS_H
#define LIP_AUDIT_FIELDS_H

#include "audit.h"

#include <jansson.h>

/* `path` names members of members: "gain.upper". NULL: not there. */
const json_t *field(const json_t *object, const char *path);

double field_number(const json_t *object, const char *path);    /* "inf" is INFINITY; NaN: not there */
const char *field_text(const json_t *object, const char *path); /* "": not there */
int64_t field_integer(const json_t *object, const char *path);  /* 0: not there */
uint64_t field_count(const json_t *object, const char *path);   /* 0: not there, or negative */
bool field_true(const json_t *object, const char *path);

/* The value itself, as field_number does. */
double value_number(const json_t *value);

/* A shape, false where it is not known. Dimensions beyond LIP_MAX_RANK are left out. */
bool field_shape(const json_t *object, const char *path, lip_shape *out);

#endif
