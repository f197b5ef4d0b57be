/*
 * make_large.c FOLDER: the files of the refusal corpus that are large: names
 * of a megabyte, names that collide under FNV-1a, subgraphs nested 5,000 deep.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 1 << 20, NODES = 20000, LEVELS = 5000, ROOM = 200000 };

static void save(build *b, const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    build_output(b, "y");
    build_write(b, path);
    build_free(b);
}

static void long_name(const char *folder)
{
    build *b = build_new(17);
    char *name = build_memory(b, LONG + 1);
    memset(name, 'n', LONG);
    build_input(b, "x", "1x3");
    build_node(b, "Add", "x nowhere", "y")->name = name;
    save(b, folder, "long_node_name.onnx");
}

static uint64_t fnv(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* Tensors and operators with names whose hashes end in eight zero bits. */
static void colliding_names(const char *folder)
{
    build *b = build_new(17);
    char last[32] = "x", name[32], inputs[64];
    unsigned long long next = 0;
    build_input(b, "x", "1x3");
    for (int i = 0; i < NODES; i++) {
        do
            snprintf(name, sizeof name, "n%llx", next++);
        while (fnv(name) & 0xff);
        snprintf(inputs, sizeof inputs, "%s", last);
        build_node_in(b, "", i % 2 ? "Relu" : name, name, inputs, name);
        snprintf(last, sizeof last, "%s", name);
    }
    build_node_in(b, "", "Relu", "last", last, "y");
    save(b, folder, "colliding_names.onnx");
}

/* Writes `tag` and the length of what follows in front of bytes[*start]. */
static void wrap(uint8_t *bytes, size_t *start, uint8_t tag)
{
    size_t length = ROOM - *start, used = 0;
    uint8_t prefix[8];
    prefix[used++] = tag;
    do
        prefix[used++] = (uint8_t)((length & 0x7F) | (length > 0x7F ? 0x80 : 0));
    while (length >>= 7);
    *start -= used;
    memcpy(bytes + *start, prefix, used);
}

/* A graph in an attribute in a node in a graph in ..., from the inside. */
static void deep_nesting(const char *folder)
{
    static const uint8_t tags[] = {0x32, 0x2a, 0x0a}; /* attribute.g, node.attribute, graph.node */
    static uint8_t bytes[ROOM];
    size_t start = ROOM;
    for (int level = 0; level < 3 * LEVELS; level++)
        wrap(bytes, &start, tags[level % 3]);
    wrap(bytes, &start, 0x3a); /* model.graph */
    build_file(folder, "deep_nesting.onnx", bytes + start, ROOM - start);
}

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    long_name(arguments[1]);
    colliding_names(arguments[1]);
    deep_nesting(arguments[1]);
    return 0;
}
