/*
 * match.c: which layer is which.
 *
 * Names first, the most lasting ones before the others. What they leave is
 * aligned by the longest common subsequence of (operator, shapes).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "match.h"
#include "layers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ALIGNED 4096 /* layers on either side: the table has 64 MiB */

const char *match_text(lip_match_by by)
{
    static const char *const text[] = {
        [MATCH_NOT] = "none", [MATCH_WEIGHT] = "weight", [MATCH_MODULE] = "module", [MATCH_NAME] = "name",
        [MATCH_ORDER] = "order",
    };
    return text[by];
}

typedef const char *key_of(const json_t *layer);

static const char *weight_key(const json_t *layer)
{
    const char *name = json_string_value(json_array_get(field(layer, "weights"), 0));
    return name ? name : "";
}

static const char *module_key(const json_t *layer)
{
    return field_text(layer, "module");
}

static const char *name_key(const json_t *layer)
{
    return field_text(layer, "name");
}

/* Key -> index of the one layer that has it; -1 where several do. */
static json_t *index_by(const json_t *layers, key_of *key)
{
    const json_t *layer;
    size_t i;
    json_t *table = json_object();
    json_array_foreach((json_t *)layers, i, layer) {
        const char *name = key(layer);
        if (name[0] != '\0')
            json_object_set_new(table, name, json_integer(json_object_get(table, name) ? -1 : (json_int_t)i));
    }
    return table;
}

typedef struct lip_matching {
    const json_t *older, *layers;
    lip_match *match; /* of `layers` */
    bool *taken;      /* of `older` */
} lip_matching;

static bool same_operator(const json_t *a, const json_t *b)
{
    return strcmp(field_text(a, "op"), field_text(b, "op")) == 0;
}

static bool same_kind(const json_t *a, const json_t *b)
{
    bool rearrange = layer_rearranges(a) && layer_rearranges(b); /* Flatten here, Reshape there */
    return (rearrange || same_operator(a, b)) && json_equal(field(a, "input_shape"), field(b, "input_shape")) &&
           json_equal(field(a, "output_shape"), field(b, "output_shape"));
}

static void take(lip_matching *m, size_t index, size_t other, lip_match_by by)
{
    m->match[index] = (lip_match){other, by};
    m->taken[other] = true;
}

static void match_by_key(lip_matching *m, key_of *key, lip_match_by by)
{
    const json_t *layer;
    size_t i;
    json_t *older = index_by(m->older, key), *newer = index_by(m->layers, key);
    json_array_foreach((json_t *)m->layers, i, layer) {
        const json_t *found = json_object_get(older, key(layer)), *own = json_object_get(newer, key(layer));
        json_int_t other = found ? json_integer_value(found) : -1;
        if (m->match[i].by != MATCH_NOT || other < 0 || !own || json_integer_value(own) < 0 || m->taken[other])
            continue;
        if (by == MATCH_WEIGHT || same_operator(layer, json_array_get(m->older, (size_t)other)))
            take(m, i, (size_t)other, by);
    }
    json_decref(older);
    json_decref(newer);
}

/* Indices of the layers that are not matched yet. */
static size_t *rest_of(const lip_matching *m, bool older, size_t *count)
{
    size_t all = json_array_size(older ? m->older : m->layers);
    size_t *rest = malloc((all + 1) * sizeof *rest);
    *count = 0;
    for (size_t i = 0; rest && i < all; i++)
        if (older ? !m->taken[i] : m->match[i].by == MATCH_NOT)
            rest[(*count)++] = i;
    return rest;
}

/* length[i][j]: of the longest common subsequence of the rests from i and j on. */
static void align(lip_matching *m, const size_t *a, size_t rows, const size_t *b, size_t columns, uint32_t *length)
{
    size_t stride = columns + 1;
    for (size_t i = rows; i-- > 0;)
        for (size_t j = columns; j-- > 0;) {
            uint32_t down = length[(i + 1) * stride + j], right = length[i * stride + j + 1];
            bool same = same_kind(json_array_get(m->older, a[i]), json_array_get(m->layers, b[j]));
            length[i * stride + j] = same ? length[(i + 1) * stride + j + 1] + 1 : down > right ? down : right;
        }
    for (size_t i = 0, j = 0; i < rows && j < columns;) {
        if (same_kind(json_array_get(m->older, a[i]), json_array_get(m->layers, b[j])))
            take(m, b[j++], a[i++], MATCH_ORDER);
        else if (length[(i + 1) * stride + j] >= length[i * stride + j + 1])
            i++;
        else
            j++;
    }
}

static bool match_by_order(lip_matching *m)
{
    size_t rows, columns;
    size_t *a = rest_of(m, true, &rows), *b = rest_of(m, false, &columns);
    bool fits = rows <= MOST_ALIGNED && columns <= MOST_ALIGNED;
    uint32_t *length = a && b && fits ? calloc((rows + 1) * (columns + 1), sizeof *length) : NULL;
    if (length)
        align(m, a, rows, b, columns, length);
    bool complete = length || (a && b && !fits);
    free(length);
    free(a);
    free(b);
    return complete;
}

lip_match *match_layers(const json_t *older, const json_t *layers)
{
    size_t count = json_array_size(layers);
    lip_matching m = {older, layers, calloc(count + 1, sizeof *m.match),
                      calloc(json_array_size(older) + 1, sizeof *m.taken)};
    bool complete = m.match && m.taken;
    for (size_t i = 0; complete && i < count; i++)
        m.match[i].other = MATCH_NONE;
    if (complete) {
        match_by_key(&m, weight_key, MATCH_WEIGHT);
        match_by_key(&m, module_key, MATCH_MODULE);
        match_by_key(&m, name_key, MATCH_NAME);
        complete = match_by_order(&m);
    }
    free(m.taken);
    if (complete)
        return m.match;
    free(m.match);
    return NULL;
}
