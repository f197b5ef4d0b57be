/*
 * test_annotate.c: a model with more metadata on its nodes: the entries are
 * there, everything else is as it was.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "read/wire.h"

#include <stdlib.h>
#include <string.h>

typedef struct taken {
    char *bytes;
    size_t size, most; /* most: bytes that are taken before writing fails */
} taken;

static bool take(void *context, const void *bytes, size_t size)
{
    taken *to = context;
    if (to->size + size > to->most)
        return false;
    to->bytes = realloc(to->bytes, to->size + size);
    assert_non_null(to->bytes);
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return true;
}

static build *small_model(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x2");
    build_floats(b, "w", "2x2", (const float[]){1, 2, 3, 4});
    build_node_in(b, "", "MatMul", "first", "x w", "h");
    build_node_in(b, "", "Relu", "second", "h", "y");
    build_output(b, "y");
    return b;
}

static lip_model *open_small(build *b)
{
    lip_model *model = NULL;
    lip_error error = {0};
    assert_int_equal(build_open(b, NULL, &model, &error), LIP_OK);
    return model;
}

/* The annotated bytes, and how many annotations were taken. */
static taken annotated(const lip_model *model, const lip_annotation *annotations, size_t count, size_t *matched)
{
    taken to = {.most = SIZE_MAX};
    lip_error error = {0};
    assert_int_equal(lip_model_annotate(model, annotations, count, take, &to, matched, &error), LIP_OK);
    return to;
}

static void nothing_to_say(void **state)
{
    (void)state;
    size_t size, matched;
    build *b = small_model();
    lip_model *model = open_small(b);
    const void *bytes = build_bytes(b, &size);
    taken none = annotated(model, NULL, 0, &matched);
    assert_int_equal(matched, 0);
    assert_int_equal(none.size, size);
    assert_memory_equal(none.bytes, bytes, size);
    const lip_annotation unknown = {"nowhere", "key", "value"};
    taken other = annotated(model, &unknown, 1, &matched);
    assert_int_equal(matched, 0);
    assert_int_equal(other.size, size);
    free(none.bytes);
    free(other.bytes);
    lip_model_free(&model);
    build_free(b);
}

/* The index-th field of that number in a message. */
static bool find(lip_wire_field message, uint32_t number, size_t index, lip_wire_field *out)
{
    lip_wire wire = lip_wire_over(message.data, message.size);
    lip_error error = {0};
    while (wire.at < wire.end) {
        assert_int_equal(lip_wire_next(&wire, out, &error), LIP_OK);
        if (out->number == number && index-- == 0)
            return true;
    }
    return false;
}

/* Does the node hold {key, value}? */
static bool node_holds(const taken *file, size_t node, const char *key, const char *value)
{
    lip_wire_field model = {.data = (const uint8_t *)file->bytes, .size = file->size};
    lip_wire_field graph = {0}, found = {0}, entry, name = {0}, text = {0};
    assert_true(find(model, 7, 0, &graph) && find(graph, 1, node, &found));
    for (size_t i = 0; find(found, 9, i, &entry); i++) {
        assert_true(find(entry, 1, 0, &name) && find(entry, 2, 0, &text));
        if (name.size == strlen(key) && memcmp(name.data, key, name.size) == 0)
            return text.size == strlen(value) && memcmp(text.data, value, text.size) == 0;
    }
    return false;
}

/* Lengths that need a byte more than before, two entries on one node, and the model is the same. */
static void entries_are_added(void **state)
{
    (void)state;
    char large[301];
    size_t matched;
    memset(large, 'v', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    const lip_annotation annotations[] = {{"y", "k", "1"}, {"h", "a", large}, {"h", "b", ""}};
    build *b = small_model();
    lip_model *model = open_small(b), *again = NULL;
    lip_error error = {0};
    taken to = annotated(model, annotations, 3, &matched);
    assert_int_equal(matched, 3);
    assert_int_equal(lip_wire_check(to.bytes, to.size, LIP_WIRE_MODEL, &error), LIP_OK);
    assert_true(node_holds(&to, 0, "a", large));
    assert_true(node_holds(&to, 0, "b", ""));
    assert_true(node_holds(&to, 1, "k", "1"));
    assert_false(node_holds(&to, 1, "a", large));
    assert_int_equal(lip_model_open_bytes(to.bytes, to.size, "m.onnx", NULL, &again, &error), LIP_OK);
    double x[] = {1.0, -2.0}, before[2], after[2];
    const double *inputs[] = {x};
    assert_int_equal(lip_model_forward(model, inputs, before, &error), LIP_OK);
    assert_int_equal(lip_model_forward(again, inputs, after, &error), LIP_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_string_equal(lip_model_node(again, 1).name, "second");
    lip_model_free(&again);
    lip_model_free(&model);
    free(to.bytes);
    build_free(b);
}

static void a_full_disk(void **state)
{
    (void)state;
    const lip_annotation annotation = {"y", "key", "value"};
    build *b = small_model();
    lip_model *model = open_small(b);
    size_t matched = 77, whole;
    taken all = annotated(model, &annotation, 1, &whole);
    for (size_t most = 0; most < all.size; most++) {
        taken to = {.most = most};
        lip_error error = {0};
        assert_int_equal(lip_model_annotate(model, &annotation, 1, take, &to, &matched, &error), LIP_EIO);
        free(to.bytes);
    }
    assert_int_equal(matched, 77); /* only on success */
    free(all.bytes);
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_say),
        cmocka_unit_test(entries_are_added),
        cmocka_unit_test(a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
