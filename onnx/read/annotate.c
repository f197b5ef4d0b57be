/*
 * annotate.c: a model file with more metadata on its nodes.
 *
 * Works on the wire format, so that everything else in the file, also what
 * this program does not know, stays byte for byte as it is. An entry
 * {key, value} is appended to a node's field 9 (metadata_props), which makes
 * the node longer, the graph (field 7 of the model) that holds it, and the
 * lengths in front of both: each message is measured before it is written.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "failure.h"
#include "graph.h"
#include "source.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, NODE_OUTPUT = 2, NODE_METADATA = 9, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

typedef struct lip_annotator {
    const lip_annotation **sorted; /* by output */
    size_t count, matched;
    lip_annotation_write *write;
    void *context;
    lip_error *error;
} lip_annotator;

static int by_output(const void *a, const void *b)
{
    const lip_annotation *x = *(const lip_annotation *const *)a, *y = *(const lip_annotation *const *)b;
    int order = strcmp(x->output, y->output);
    return order != 0 ? order : (x > y) - (x < y);
}

/* -1, 0, 1 as the name of `size` bytes comes before, is, or comes after `output`. */
static int compare_name(const uint8_t *name, size_t size, const char *output)
{
    size_t length = strlen(output);
    int order = memcmp(name, output, size < length ? size : length);
    return order != 0 ? order : (size > length) - (size < length);
}

/* The annotations of a tensor: *count of them from the returned index on. */
static size_t find(const lip_annotator *a, const uint8_t *name, size_t size, size_t *count)
{
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_name(name, size, a->sorted[middle]->output) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < a->count && compare_name(name, size, a->sorted[low + *count]->output) == 0)
        (*count)++;
    return low;
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static size_t field_size(size_t content) /* of fields whose number is below 16 */
{
    return 1 + varint_size(content) + content;
}

static size_t entry_size(const lip_annotation *entry)
{
    return field_size(strlen(entry->key)) + field_size(strlen(entry->value));
}

static lip_status put(lip_annotator *a, const void *bytes, size_t size)
{
    if (size == 0 || a->write(a->context, bytes, size))
        return LIP_OK;
    return lip_fail(a->error, LIP_EIO, "could not be written");
}

static lip_status put_head(lip_annotator *a, unsigned number, size_t content)
{
    uint8_t head[12] = {(uint8_t)(number << 3 | LIP_WIRE_BYTES)};
    size_t length = 1;
    for (; content >= 0x80; content >>= 7)
        head[length++] = (uint8_t)(content | 0x80);
    head[length++] = (uint8_t)content;
    return put(a, head, length);
}

static lip_status put_text(lip_annotator *a, unsigned number, const char *text)
{
    lip_status status = put_head(a, number, strlen(text));
    return status ? status : put(a, text, strlen(text));
}

static lip_status put_entry(lip_annotator *a, const lip_annotation *entry)
{
    lip_status status = put_head(a, NODE_METADATA, entry_size(entry));
    if (!status)
        status = put_text(a, ENTRY_KEY, entry->key);
    return status ? status : put_text(a, ENTRY_VALUE, entry->value);
}

/* Which annotations a node gets, and by how much it grows. */
static lip_status measure_node(lip_annotator *a, const lip_wire_field *node, size_t *first, size_t *count,
                               size_t *growth)
{
    lip_wire wire = lip_wire_over(node->data, node->size);
    *first = *count = *growth = 0;
    while (wire.at < wire.end && *count == 0) {
        lip_wire_field field = {0};
        lip_status status = lip_wire_next(&wire, &field, a->error);
        if (status)
            return status;
        if (field.number == NODE_OUTPUT && field.type == LIP_WIRE_BYTES)
            *first = find(a, field.data, field.size, count);
    }
    for (size_t i = 0; i < *count; i++)
        *growth += field_size(entry_size(a->sorted[*first + i]));
    return LIP_OK;
}

static bool is_node(const lip_wire_field *field)
{
    return field->number == GRAPH_NODE && field->type == LIP_WIRE_BYTES;
}

static lip_status measure_graph(lip_annotator *a, const lip_wire_field *graph, size_t *size)
{
    lip_wire wire = lip_wire_over(graph->data, graph->size);
    *size = graph->size;
    while (wire.at < wire.end) {
        lip_wire_field field = {0};
        size_t first, count, growth = 0;
        lip_status status = lip_wire_next(&wire, &field, a->error);
        if (!status && is_node(&field))
            status = measure_node(a, &field, &first, &count, &growth);
        if (status)
            return status;
        if (growth > 0) /* with a length as short as can be, whatever the file has */
            *size += field_size(field.size + growth) - (size_t)(wire.at - field.tag);
    }
    return LIP_OK;
}

static lip_status put_node(lip_annotator *a, const lip_wire_field *field, const uint8_t *end)
{
    size_t first, count, growth;
    lip_status status = measure_node(a, field, &first, &count, &growth);
    if (status || count == 0)
        return status ? status : put(a, field->tag, (size_t)(end - field->tag));
    status = put_head(a, GRAPH_NODE, field->size + growth);
    if (!status)
        status = put(a, field->data, field->size);
    for (size_t i = 0; i < count && !status; i++)
        status = put_entry(a, a->sorted[first + i]);
    a->matched += count;
    return status;
}

static lip_status put_graph(lip_annotator *a, const lip_wire_field *graph)
{
    size_t size;
    lip_wire wire = lip_wire_over(graph->data, graph->size);
    lip_status status = measure_graph(a, graph, &size);
    if (!status)
        status = put_head(a, MODEL_GRAPH, size);
    while (!status && wire.at < wire.end) {
        lip_wire_field field = {0};
        status = lip_wire_next(&wire, &field, a->error);
        if (!status)
            status = is_node(&field) ? put_node(a, &field, wire.at) : put(a, field.tag, (size_t)(wire.at - field.tag));
    }
    return status;
}

static lip_status put_model(lip_annotator *a, const lip_source *source)
{
    lip_status status = LIP_OK;
    lip_wire wire = lip_wire_over(source->bytes, source->size);
    while (!status && wire.at < wire.end) {
        lip_wire_field field = {0};
        status = lip_wire_next(&wire, &field, a->error);
        if (status)
            return status;
        bool graph = field.number == MODEL_GRAPH && field.type == LIP_WIRE_BYTES;
        status = graph ? put_graph(a, &field) : put(a, field.tag, (size_t)(wire.at - field.tag));
    }
    return status;
}

lip_status lip_model_annotate(const lip_model *model, const lip_annotation *annotations, size_t count,
                              lip_annotation_write *write, void *context, size_t *matched, lip_error *error)
{
    lip_annotator a = {.count = count, .write = write, .context = context, .error = error};
    a.sorted = malloc((count + 1) * sizeof *a.sorted);
    if (!a.sorted)
        return lip_fail(error, LIP_EMEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        a.sorted[i] = &annotations[i];
    qsort(a.sorted, count, sizeof *a.sorted, by_output);
    lip_status status = put_model(&a, model->source);
    free(a.sorted);
    if (!status)
        *matched = a.matched;
    return status;
}
