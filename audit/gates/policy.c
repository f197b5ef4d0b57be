/*
 * policy.c: a policy file, by libyaml's events.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define MOST_BYTES (1 << 20)
#define MOST_ENTRIES 1000

typedef struct lip_reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *path;
    lip_policy policy;
    lip_error *error;
} lip_reader;

LIP_PRINTF(3, 4) static lip_status refuse(lip_reader *r, size_t line, const char *text, ...)
{
    char reason[640];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(reason, sizeof reason, text, arguments);
    va_end(arguments);
    *r->error = (lip_error){.status = LIP_EFORMAT};
    snprintf(r->error->file, sizeof r->error->file, "%s", r->path);
    snprintf(r->error->reason, sizeof r->error->reason, "line %zu: %s", line + 1, reason);
    return LIP_EFORMAT;
}

static size_t here(const lip_reader *r)
{
    return r->event.start_mark.line;
}

static lip_status next(lip_reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return LIP_OK;
    const yaml_parser_t *p = &r->parser;
    size_t line = p->error == YAML_READER_ERROR ? p->mark.line : p->problem_mark.line;
    return refuse(r, line, "not YAML: %s", p->problem ? p->problem : "out of memory");
}

static lip_status want_scalar(lip_reader *r, const char *what)
{
    if (r->event.type == YAML_ALIAS_EVENT)
        return refuse(r, here(r), "aliases are not read");
    if (r->event.type != YAML_SCALAR_EVENT)
        return refuse(r, here(r), "%s is wanted here", what);
    if (r->event.data.scalar.anchor || r->event.data.scalar.tag)
        return refuse(r, here(r), "anchors and tags are not read");
    if (strlen((const char *)r->event.data.scalar.value) != r->event.data.scalar.length)
        return refuse(r, here(r), "a NUL byte");
    return LIP_OK;
}

static const char *scalar(const lip_reader *r)
{
    return (const char *)r->event.data.scalar.value;
}

static lip_status add(lip_reader *r, const char *key, const char *left)
{
    lip_policy *p = &r->policy;
    size_t line = here(r), room = strlen(left) + strlen(scalar(r)) + 2;
    if (p->count == MOST_ENTRIES)
        return refuse(r, line, "more than %d entries", MOST_ENTRIES);
    lip_policy_entry *entry = realloc(p->entry, (p->count + 1) * sizeof *entry);
    if (!entry)
        return refuse(r, line, "out of memory");
    p->entry = entry;
    entry[p->count] = (lip_policy_entry){malloc(strlen(key) + 1), malloc(room), (long)line + 1};
    p->count++;
    if (!entry[p->count - 1].key || !entry[p->count - 1].value)
        return refuse(r, line, "out of memory");
    strcpy(entry[p->count - 1].key, key);
    snprintf(entry[p->count - 1].value, room, "%s%s%s", left, left[0] != '\0' ? "=" : "", scalar(r));
    return LIP_OK;
}

/* An empty list would be a gate that nobody asks. */
static lip_status next_of_some(lip_reader *r, const char *key, yaml_event_type_t end)
{
    lip_status status = next(r);
    if (status == LIP_OK && r->event.type == end)
        return refuse(r, here(r), "'%s' has no value", key);
    return status;
}

/* [value, value ...] */
static lip_status read_list(lip_reader *r, const char *key)
{
    lip_status status = next_of_some(r, key, YAML_SEQUENCE_END_EVENT);
    for (; status == LIP_OK && r->event.type != YAML_SEQUENCE_END_EVENT; status = next(r))
        if ((status = want_scalar(r, "a value")) != LIP_OK || (status = add(r, key, "")) != LIP_OK)
            return status;
    return status;
}

/* {left: right ...} */
static lip_status read_pairs(lip_reader *r, const char *key)
{
    char left[256];
    lip_status status = next_of_some(r, key, YAML_MAPPING_END_EVENT);
    for (; status == LIP_OK && r->event.type != YAML_MAPPING_END_EVENT; status = next(r)) {
        if ((status = want_scalar(r, "a name")) != LIP_OK)
            return status;
        if (strlen(scalar(r)) == 0 || strlen(scalar(r)) >= sizeof left)
            return refuse(r, here(r), "a name of 1 to %zu bytes is wanted here", sizeof left - 1);
        strcpy(left, scalar(r));
        if ((status = next(r)) != LIP_OK || (status = want_scalar(r, "a value")) != LIP_OK ||
            (status = add(r, key, left)) != LIP_OK)
            return status;
    }
    return status;
}

static lip_status read_value(lip_reader *r, const char *key)
{
    lip_status status = next(r);
    if (status != LIP_OK)
        return status;
    if (r->event.type == YAML_SEQUENCE_START_EVENT)
        return read_list(r, key);
    if (r->event.type == YAML_MAPPING_START_EVENT)
        return read_pairs(r, key);
    status = want_scalar(r, "a value, a list or a mapping");
    return status == LIP_OK ? add(r, key, "") : status;
}

static bool given(const lip_policy *policy, const char *key)
{
    for (size_t i = 0; i < policy->count; i++)
        if (strcmp(policy->entry[i].key, key) == 0)
            return true;
    return false;
}

static lip_status read_mapping(lip_reader *r)
{
    char key[64];
    lip_status status = next(r);
    for (; status == LIP_OK && r->event.type != YAML_MAPPING_END_EVENT; status = next(r)) {
        if ((status = want_scalar(r, "a key")) != LIP_OK)
            return status;
        if (strlen(scalar(r)) >= sizeof key)
            return refuse(r, here(r), "there is no key '%.60s...'", scalar(r));
        strcpy(key, scalar(r));
        if (given(&r->policy, key))
            return refuse(r, here(r), "'%s' is given twice; several values are a list", key);
        if ((status = read_value(r, key)) != LIP_OK)
            return status;
    }
    return status;
}

/* Stream start, document start, the mapping, document end, stream end. */
static lip_status read_stream(lip_reader *r)
{
    lip_status status;
    if ((status = next(r)) != LIP_OK || (status = next(r)) != LIP_OK)
        return status;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return refuse(r, 0, "the policy is empty");
    if ((status = next(r)) != LIP_OK)
        return status;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return refuse(r, here(r), "a policy is a mapping of keys to values, such as 'max-lipschitz: 20'");
    if ((status = read_mapping(r)) != LIP_OK || (status = next(r)) != LIP_OK || (status = next(r)) != LIP_OK)
        return status;
    return r->event.type == YAML_STREAM_END_EVENT ? LIP_OK : refuse(r, here(r), "a second document");
}

static lip_status open_file(const char *path, FILE **out, lip_error *error)
{
    struct stat status;
    FILE *stream = fopen(path, "rb");
    const char *reason = stream ? NULL : strerror(errno);
    if (stream && (fstat(fileno(stream), &status) != 0 || !S_ISREG(status.st_mode)))
        reason = "not a regular file";
    else if (stream && status.st_size > MOST_BYTES)
        reason = "a policy of more than 1 MiB";
    *out = stream;
    if (!reason)
        return LIP_OK;
    if (stream)
        fclose(stream);
    *error = (lip_error){.status = LIP_EIO};
    snprintf(error->file, sizeof error->file, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return LIP_EIO;
}

lip_status policy_load(const char *path, lip_policy *out, lip_error *error)
{
    lip_reader r = {.path = path, .error = error};
    FILE *stream;
    lip_status status = open_file(path, &stream, error);
    if (status != LIP_OK)
        return status;
    if (yaml_parser_initialize(&r.parser)) {
        yaml_parser_set_input_file(&r.parser, stream);
        status = read_stream(&r);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
    } else {
        status = refuse(&r, 0, "out of memory");
    }
    fclose(stream);
    if (status == LIP_OK)
        *out = r.policy;
    else
        policy_free(&r.policy);
    return status;
}

void policy_free(lip_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        free(policy->entry[i].key);
        free(policy->entry[i].value);
    }
    free(policy->entry);
    *policy = (lip_policy){0};
}
