/*
 * load.c: reads a saved report. What it lets through, every format can render:
 * the parts that are read without asking have the types of the schema.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "document.h"
#include "fields.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_MEMORY ((uint64_t)1 << 30)

LIP_PRINTF(4, 5) static lip_status refuse(lip_error *error, lip_status status, const char *path, const char *text, ...)
{
    va_list arguments;
    *error = (lip_error){.status = status};
    snprintf(error->file, sizeof error->file, "%s", path);
    va_start(arguments, text);
    vsnprintf(error->reason, sizeof error->reason, text, arguments);
    va_end(arguments);
    return status;
}

static lip_status read_stream(FILE *stream, size_t size, const char *path, char **out, lip_error *error)
{
    char *text = malloc(size + 1);
    if (!text)
        return refuse(error, LIP_EMEMORY, path, "a report of %zu bytes does not fit into memory", size);
    if (fread(text, 1, size, stream) != size) {
        free(text);
        return refuse(error, LIP_EIO, path, "it ended, or could not be read, while it was being read");
    }
    *out = text;
    return LIP_OK;
}

static lip_status read_file(const char *path, uint64_t most, char **out, size_t *size, lip_error *error)
{
    struct stat status;
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return refuse(error, LIP_EIO, path, "%s", strerror(errno));
    lip_status result;
    if (fstat(fileno(stream), &status) != 0 || !S_ISREG(status.st_mode))
        result = refuse(error, LIP_EIO, path, "not a regular file");
    else if ((uint64_t)status.st_size > most)
        result = refuse(error, LIP_EMEMORY, path, "a report of %lld bytes", (long long)status.st_size);
    else
        result = read_stream(stream, *size = (size_t)status.st_size, path, out, error);
    fclose(stream);
    return result;
}

static const char *const verdicts[] = {"bounded", "unbounded", "unknown"};

static bool has_verdict(const json_t *object)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(field_text(object, "verdict"), verdicts[i]) == 0)
            return true;
    return false;
}

/* A bounded layer has a bound, and one that is not must not look as if it had. */
static bool has_bound(const json_t *object, const char *path)
{
    bool bounded = strcmp(field_text(object, "verdict"), "bounded") == 0;
    double upper = field_number(object, path);
    return bounded ? upper >= 0.0 : isnan(upper) || upper == HUGE_VAL;
}

static lip_status check_layers(const char *path, const json_t *layers, lip_error *error)
{
    const json_t *layer;
    size_t i;
    if (!json_is_array(layers))
        return refuse(error, LIP_EFORMAT, path, "not a report: it has no array 'layers'");
    json_array_foreach((json_t *)layers, i, layer) {
        if (!json_is_string(field(layer, "name")) || !json_is_string(field(layer, "op")))
            return refuse(error, LIP_EFORMAT, path, "not a report: layer %zu has no name or no operator", i);
        if (!has_verdict(layer) || !has_bound(layer, "gain.upper"))
            return refuse(error, LIP_EFORMAT, path, "not a report: layer %zu, '%.80s', has no verdict, or a bound"
                          " that does not fit it", i, field_text(layer, "name"));
    }
    return LIP_OK;
}

static lip_status check(const char *path, const json_t *root, lip_error *error)
{
    const json_t *schema = json_object_get(root, "schema"), *network = json_object_get(root, "network");
    if (!json_is_string(schema))
        return refuse(error, LIP_EFORMAT, path, "not a report of lipaudit: it has no 'schema'");
    if (strcmp(json_string_value(schema), DOCUMENT_SCHEMA) != 0)
        return refuse(error, LIP_EFORMAT, path, "its schema is '%.80s'; wanted is '%s'", json_string_value(schema),
                      DOCUMENT_SCHEMA);
    if (!json_is_object(network) || !has_verdict(network) || !has_bound(network, "lipschitz.upper"))
        return refuse(error, LIP_EFORMAT, path, "not a report: 'network' has no verdict, or a bound that does not"
                      " fit it");
    return check_layers(path, json_object_get(root, "layers"), error);
}

json_t *document_load(const char *path, uint64_t max_memory, lip_error *error)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t why;
    if (read_file(path, max_memory > 0 ? max_memory : DEFAULT_MEMORY, &text, &size, error) != LIP_OK)
        return NULL;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!root) {
        refuse(error, LIP_EFORMAT, path, "not JSON: line %d, column %d: %s", why.line, why.column, why.text);
        return NULL;
    }
    if (check(path, root, error) == LIP_OK)
        return root;
    json_decref(root);
    return NULL;
}

bool document_recognises(const char *path)
{
    FILE *stream = fopen(path, "rb");
    int c = EOF;
    if (stream) {
        while ((c = fgetc(stream)) == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        fclose(stream);
    }
    return c == '{';
}
