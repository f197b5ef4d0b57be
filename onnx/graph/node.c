/*
 * node.c: looking at a node's attributes, inputs and outputs; remarks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph.h"

#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_NOTES 1000

const lip_attr *lip_attr_find(const lip_node *node, const char *name)
{
    for (size_t i = 0; i < node->attr_count; i++)
        if (strcmp(node->attrs[i].name, name) == 0)
            return &node->attrs[i];
    return NULL;
}

static const lip_attr *find_kind(const lip_node *node, const char *name, lip_attr_kind kind)
{
    const lip_attr *attr = lip_attr_find(node, name);
    return attr && attr->kind == kind ? attr : NULL;
}

int64_t lip_attr_int(const lip_node *node, const char *name, int64_t otherwise)
{
    const lip_attr *attr = find_kind(node, name, LIP_ATTR_INT);
    return attr ? attr->i : otherwise;
}

double lip_attr_float(const lip_node *node, const char *name, float otherwise)
{
    const lip_attr *attr = find_kind(node, name, LIP_ATTR_FLOAT);
    return (double)(attr ? attr->f : otherwise);
}

const char *lip_attr_string(const lip_node *node, const char *name, const char *otherwise)
{
    const lip_attr *attr = find_kind(node, name, LIP_ATTR_STRING);
    return attr ? attr->s : otherwise;
}

const int64_t *lip_attr_ints(const lip_node *node, const char *name, int64_t *count)
{
    const lip_attr *attr = find_kind(node, name, LIP_ATTR_INTS);
    *count = attr ? attr->count : 0;
    return attr ? attr->ints : NULL;
}

lip_value *lip_node_input(const lip_node *node, size_t index)
{
    return index < node->input_count ? node->inputs[index] : NULL;
}

lip_value *lip_node_output(const lip_node *node, size_t index)
{
    return index < node->output_count ? node->outputs[index] : NULL;
}

const lip_tensor *lip_node_constant(const lip_node *node, size_t index)
{
    const lip_value *value = lip_node_input(node, index);
    return value ? value->constant : NULL;
}

int lip_node_varying(const lip_node *node)
{
    int found = -1;
    for (size_t i = 0; i < node->input_count; i++) {
        if (!node->inputs[i] || !node->inputs[i]->varies)
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

void lip_model_remark(lip_model *model, const char *format, ...)
{
    char text[1024], printable[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lip_copy_printable(printable, sizeof printable, text);

    if (model->note_count >= MAX_NOTES)
        return;
    /* The list doubles when the count is a power of two; the old one stays behind in the arena. */
    if ((model->note_count & (model->note_count - 1)) == 0) {
        int64_t room = model->note_count ? 2 * (int64_t)model->note_count : 1;
        const char **notes = lip_arena_alloc(&model->arena, room, sizeof *notes);
        if (!notes)
            return;
        if (model->note_count)
            memcpy(notes, model->notes, model->note_count * sizeof *notes);
        model->notes = notes;
    }
    const char *note = lip_arena_string(&model->arena, printable, strlen(printable));
    if (note)
        model->notes[model->note_count++] = note;
}
