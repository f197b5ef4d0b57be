/*
 * json.h: JSON values as the reports need them, on jansson. Doubles have 17
 * significant digits and read back exactly; an infinite number is the string
 * "inf" or "-inf", a number that was not computed (NaN) is null.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_JSON_H
#define LIP_AUDIT_JSON_H

#include "run.h"

#include <jansson.h>
#include <stdio.h>

/* New references, NULL without memory: jansson's *_new functions accept NULL and fail in turn. */
json_t *json_number(double value);
json_t *json_text(const char *text); /* null for NULL; bytes that are not UTF-8 become U+FFFD */
json_t *json_optional(const char *text); /* null for NULL and "" */
json_t *json_count(uint64_t count);
json_t *json_shape(const lip_shape *shape, bool known);
json_t *json_names(const char *const *names, size_t count);
json_t *json_doubles(const double *values, size_t count); /* null for NULL */
json_t *json_tensor(const lip_tensor_info *tensor); /* {name, dtype, shape} */
json_t *json_tool(const lip_run_info *run);
json_t *json_command(const lip_run_info *run);
json_t *json_model(const lip_model_info *info);

/* Sets a member of an object under construction; steals `value`. Notes a failure in *complete. */
void json_put(json_t *object, bool *complete, const char *key, json_t *value);
void json_push(json_t *array, bool *complete, json_t *value);

/* `value` if it is complete; otherwise releases it and returns NULL. */
json_t *json_whole(json_t *value, bool complete);

/* False for want of memory. */
bool json_write(const json_t *root, FILE *stream);

#endif
