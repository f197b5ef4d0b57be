/*
 * stored.c: see stored.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stored.h"

#include "read/tensor_proto.h"

#include "onnx.pb-c.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MNIST = 28, SIDE_CIFAR = 32, MAX_PIXELS = 3 * SIDE_CIFAR * SIDE_CIFAR };

static void stop(const char *format, ...) LIP_PRINTF(1, 2);

static void stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static void *need(lip_arena *arena, int64_t count, size_t size)
{
    void *block = lip_arena_alloc(arena, count, size);
    if (!block)
        stop("the stored data are larger than memory");
    return block;
}

static char *text(lip_arena *arena, const char *string)
{
    char *copy = lip_arena_string(arena, string, strlen(string));
    if (!copy)
        stop("the stored data are larger than memory");
    return copy;
}

/* NULL where there is no such file. */
static void *read_file(lip_arena *arena, const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *bytes = need(arena, length + 1, 1);
    *size = fread(bytes, 1, (size_t)length, file);
    fclose(file);
    return bytes;
}

static bool is_initializer(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (strcmp(graph->initializer[i]->name, name) == 0)
            return true;
    return false;
}

bool stored_read_names(lip_arena *arena, const char *model, stored_names *names)
{
    size_t size;
    *names = (stored_names){0};
    void *bytes = read_file(arena, model, &size);
    if (!bytes)
        stop("%s cannot be read", model);
    Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, size, bytes);
    if (!proto || !proto->graph) {
        onnx__model_proto__free_unpacked(proto, NULL);
        return false;
    }
    const Onnx__GraphProto *graph = proto->graph;
    for (size_t i = 0; i < graph->n_input && names->inputs < STORED_MAX_IO; i++)
        if (!is_initializer(graph, graph->input[i]->name))
            names->input[names->inputs++] = text(arena, graph->input[i]->name);
    for (size_t i = 0; i < graph->n_output && i < STORED_MAX_IO; i++)
        names->output[names->outputs++] = text(arena, graph->output[i]->name);
    onnx__model_proto__free_unpacked(proto, NULL);
    return true;
}

/* FOLDER/KIND_INDEX.pb; false where there is none, or where it holds no numbers (a sequence, for instance). */
static bool read_tensor(lip_arena *arena, const char *folder, const char *kind, size_t index, lip_tensor *out,
                        const char **name)
{
    char path[1024];
    size_t size;
    lip_error error = {0};
    lip_tensor_reader reader = {.arena = arena};
    snprintf(path, sizeof path, "%s/%s_%zu.pb", folder, kind, index);
    void *bytes = read_file(arena, path, &size);
    return bytes && lip_tensor_read(&reader, bytes, size, out, name, &error) == LIP_OK;
}

/* By name, or by position where the file has another name or none. */
static size_t position(const char *const *names, size_t count, const char *name, size_t otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return otherwise;
}

static void read_set(lip_arena *arena, const stored_names *names, stored_set *set)
{
    for (size_t i = 0; i < names->inputs; i++) {
        lip_tensor tensor;
        const char *name = "";
        if (read_tensor(arena, set->folder, "input", i, &tensor, &name))
            set->input[position(names->input, names->inputs, name, i)] = tensor;
    }
    for (size_t i = 0; i < names->outputs; i++) {
        const char *name = "";
        if (read_tensor(arena, set->folder, "output", i, &set->output[set->outputs], &name))
            set->output_name[set->outputs++] = names->output[position(names->output, names->outputs, name, i)];
    }
}

static int is_set(const struct dirent *entry)
{
    return strncmp(entry->d_name, "ort_ref_", 8) == 0 || strncmp(entry->d_name, "test_data_set_", 14) == 0;
}

size_t stored_read_sets(lip_arena *arena, const char *folder, const stored_names *names,
                        stored_set sets[STORED_MAX_SETS])
{
    char path[1024];
    size_t count = 0;
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_set, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (count == STORED_MAX_SETS)
            continue;
        sets[count] = (stored_set){.folder = text(arena, path)};
        read_set(arena, names, &sets[count++]);
    }
    free(entries);
    return count;
}

/* (pixel / divisor - mean) / deviation, by channel; and how the image lies. */
typedef struct preprocessing {
    int channels, side;
    bool transposed; /* columns first */
    double divisor, mean[3], deviation[3];
} preprocessing;

static void three_numbers(const char *line, const char *key, double out[3])
{
    const char *at = strstr(line, key);
    if (!at || sscanf(at + strlen(key), "%lf,%lf,%lf", &out[0], &out[1], &out[2]) != 3)
        stop("img_logits.csv: no '%s' in '%s'", key, line);
}

static preprocessing read_preprocessing(const char *line)
{
    preprocessing p = {1, SIDE_MNIST, strstr(line, "layout=WH") != NULL, 255, {0, 0, 0}, {1, 1, 1}};
    if (strstr(line, "dataset=cifar")) {
        p.channels = 3;
        p.side = SIDE_CIFAR;
    }
    const char *how = strstr(line, "preprocess=");
    how = how ? how + strlen("preprocess=") : "";
    if (strncmp(how, "raw0-255", 8) == 0) {
        p.divisor = 1;
    } else if (strncmp(how, "x/127.5-1", 9) == 0) {
        p.divisor = 127.5;
        p.mean[0] = 1;
    } else if (strncmp(how, "(x/255-m)/", 10) == 0) {
        three_numbers(how, " m=", p.mean);
        if (how[10] == 's')
            three_numbers(how, " s=", p.deviation);
        else
            p.deviation[0] = p.deviation[1] = p.deviation[2] = strtod(how + 10, NULL);
    } else if (sscanf(how, "(x/255-%lf)/%lf", &p.mean[0], &p.deviation[0]) != 2 && strncmp(how, "x/255", 5) != 0) {
        stop("img_logits.csv: unknown preprocessing '%s'", line);
    }
    return p;
}

/* The CSV file holds rows, columns, then channels; the model takes channels first. In float32, as the reference did. */
static double *prepare(lip_arena *arena, const preprocessing *p, const double *stored)
{
    int side = p->side;
    double *image = need(arena, p->channels * side * side, sizeof *image);
    for (int c = 0; c < p->channels; c++)
        for (int row = 0; row < side; row++)
            for (int column = 0; column < side; column++) {
                double pixel = stored[(row * side + column) * p->channels + c];
                int to = p->transposed ? column * side + row : row * side + column;
                image[c * side * side + to] = (float)((pixel / p->divisor - p->mean[c]) / p->deviation[c]);
            }
    return image;
}

/* Up to `most` numbers separated by commas; how many. */
static size_t read_numbers(char *line, double *out, size_t most)
{
    size_t count = 0;
    while (count < most) {
        char *end;
        double number = strtod(line, &end);
        if (end == line)
            break;
        out[count++] = number;
        line = *end == ',' ? end + 1 : end;
    }
    return count;
}

void stored_read_images(lip_arena *arena, const char *folder, const char *data, stored_images *images)
{
    static double pixels[1 + MAX_PIXELS];
    char path[1024], *line = NULL, *save = NULL;
    size_t size, rows = 0;
    images->count = 0;
    snprintf(path, sizeof path, "%s/img_logits.csv", folder);
    char *logits = read_file(arena, path, &size);
    if (!logits)
        return;
    preprocessing p = read_preprocessing(strtok_r(logits, "\n", &save));
    images->pixels = (size_t)(p.channels * p.side * p.side);
    strtok_r(NULL, "\n", &save); /* the names of the columns */
    while ((line = strtok_r(NULL, "\n", &save)) && rows < STORED_MAX_IMAGES) {
        double row[2 + STORED_CLASSES];
        if (read_numbers(line, row, 2 + STORED_CLASSES) != 2 + STORED_CLASSES || row[0] != (double)rows)
            stop("%s: line %zu is not as it should be", path, rows + 3);
        memcpy(images->logits[rows++], row + 2, STORED_CLASSES * sizeof *row);
    }
    snprintf(path, sizeof path, "%s/%s_test_0_49.csv", data, p.channels == 3 ? "cifar10" : "mnist");
    char *stored = read_file(arena, path, &size);
    line = stored ? strtok_r(stored, "\n", &save) : NULL;
    for (; line && images->count < rows; line = strtok_r(NULL, "\n", &save)) {
        if (read_numbers(line, pixels, 1 + images->pixels) != 1 + images->pixels)
            stop("%s: line %zu is not an image", path, images->count + 1);
        images->pixel[images->count++] = prepare(arena, &p, pixels + 1); /* the label comes first */
    }
}
