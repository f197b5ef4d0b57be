/*
 * json.c: JSON values as the reports need them, on jansson.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "json.h"
#include "format.h"
#include "number.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>

json_t *json_number(double value)
{
    if (isnan(value))
        return json_null();
    if (isinf(value))
        return json_string(value > 0.0 ? "inf" : "-inf");
    return json_real(value);
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    char *repaired = utf8_repair(text);
    json_t *value = repaired ? json_string(repaired) : NULL;
    free(repaired);
    return value;
}

json_t *json_optional(const char *text)
{
    return text && text[0] != '\0' ? json_text(text) : json_null();
}

json_t *json_count(uint64_t count)
{
    return json_integer(count <= INT64_MAX ? (json_int_t)count : INT64_MAX);
}

json_t *json_shape(const lip_shape *shape, bool known)
{
    bool complete = true;
    if (!known)
        return json_null();
    json_t *array = json_array();
    for (int i = 0; i < shape->rank; i++)
        json_push(array, &complete, json_integer(shape->dim[i]));
    return json_whole(array, complete);
}

json_t *json_names(const char *const *names, size_t count)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(array, &complete, json_text(names[i]));
    return json_whole(array, complete);
}

json_t *json_doubles(const double *values, size_t count)
{
    bool complete = true;
    if (!values)
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(array, &complete, json_number(values[i]));
    return json_whole(array, complete);
}

json_t *json_tensor(const lip_tensor_info *tensor)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "name", json_text(tensor->name));
    json_put(object, &complete, "dtype", json_text(tensor->dtype));
    json_put(object, &complete, "shape", json_shape(&tensor->shape, tensor->shape_known));
    return json_whole(object, complete);
}

json_t *json_tool(const lip_run_info *run)
{
    bool complete = true;
    json_t *tool = json_object();
    json_put(tool, &complete, "name", json_text("lipaudit"));
    json_put(tool, &complete, "version", json_text(lip_version()));
    json_put(tool, &complete, "blas", json_text(lip_blas_version()));
    json_put(tool, &complete, "lapack", json_text(lip_lapack_version()));
    json_put(tool, &complete, "threads", json_integer(run->threads));
    return json_whole(tool, complete);
}

json_t *json_command(const lip_run_info *run)
{
    return json_text(run->command);
}

json_t *json_model(const lip_model_info *info)
{
    bool complete = true;
    json_t *model = json_object();
    json_put(model, &complete, "path", json_text(info->path));
    json_put(model, &complete, "sha256", json_text(info->sha256));
    json_put(model, &complete, "producer", json_text(info->producer));
    json_put(model, &complete, "opset", json_integer(info->opset));
    json_put(model, &complete, "ir_version", json_integer(info->ir_version));
    json_put(model, &complete, "nodes", json_count(info->nodes));
    json_put(model, &complete, "nodes_in_file", json_count(info->nodes_in_file));
    json_put(model, &complete, "nodes_folded", json_count(info->nodes_folded));
    json_put(model, &complete, "parameters", json_count(info->parameters));
    return json_whole(model, complete);
}

void json_put(json_t *object, bool *complete, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        *complete = false;
}

void json_push(json_t *array, bool *complete, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        *complete = false;
}

json_t *json_whole(json_t *value, bool complete)
{
    if (complete)
        return value;
    json_decref(value);
    return NULL;
}

bool json_write(const json_t *root, FILE *stream)
{
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(NUMBER_DIGITS));
    if (!text)
        return false;
    fputs(text, stream);
    fputc('\n', stream);
    free(text);
    return true;
}

const lip_format format_json = {"json", ".json", json_write};
