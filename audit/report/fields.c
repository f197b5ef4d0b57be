/*
 * fields.c: reads members of a report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"

#include <math.h>
#include <string.h>

const json_t *field(const json_t *object, const char *path)
{
    char key[64];
    for (;;) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        object = json_object_get(object, key);
        if (!object || path[length] == '\0')
            return object;
        path += length + 1;
    }
}

double value_number(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text)
        return strcmp(text, "inf") == 0 ? INFINITY : strcmp(text, "-inf") == 0 ? -INFINITY : NAN;
    return json_is_number(value) ? json_number_value(value) : NAN;
}

double field_number(const json_t *object, const char *path)
{
    return value_number(field(object, path));
}

const char *field_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(field(object, path));
    return text ? text : "";
}

int64_t field_integer(const json_t *object, const char *path)
{
    return json_integer_value(field(object, path));
}

uint64_t field_count(const json_t *object, const char *path)
{
    int64_t value = field_integer(object, path);
    return value > 0 ? (uint64_t)value : 0;
}

bool field_true(const json_t *object, const char *path)
{
    return json_is_true(field(object, path));
}

bool field_shape(const json_t *object, const char *path, lip_shape *out)
{
    const json_t *dimensions = field(object, path);
    lip_shape shape = {0};
    if (!json_is_array(dimensions))
        return false;
    for (size_t i = 0; i < json_array_size(dimensions) && shape.rank < LIP_MAX_RANK; i++)
        shape.dim[shape.rank++] = json_integer_value(json_array_get(dimensions, i));
    *out = shape;
    return true;
}
