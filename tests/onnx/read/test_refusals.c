/*
 * test_refusals.c: files that must be refused, each with its reason, and
 * never with a crash.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const float weights[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* x (1x3) -> MatMul w (3x4) -> h -> Relu -> y */
static build *plain(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "w", "3x4", weights);
    build_node_in(b, "", "MatMul", "first", "x w", "h");
    build_node_in(b, "", "Relu", "second", "h", "y");
    build_output(b, "y");
    return b;
}

static Onnx__TensorProto *weight(build *b)
{
    return build_proto(b)->graph->initializer[0];
}

static void test_plain_is_accepted(void **state)
{
    (void)state;
    build *b = plain();
    lip_model *model = check_open(b, NULL);
    assert_int_equal(lip_model_describe(model).nodes, 2);
    lip_model_free(&model);
    lip_model_free(&model);
    build_free(b);
}

/* ---- names and edges */

static void test_missing_name(void **state)
{
    (void)state;
    build *b = plain();
    build_node_in(b, "", "Relu", "lost", "nowhere", "z");
    check_refused(b, LIP_EFORMAT, "its input 'nowhere' is written by no node");
}

static void test_two_writers(void **state)
{
    (void)state;
    build *b = plain();
    build_node_in(b, "", "Relu", "third", "x", "h");
    check_refused(b, LIP_EFORMAT, "tensor 'h' is written by node 'first' and node 'third'");
}

static void test_node_writes_input(void **state)
{
    (void)state;
    build *b = plain();
    build_node_in(b, "", "Relu", "third", "h", "x");
    check_refused(b, LIP_EFORMAT, "tensor 'x' is written by node 'third' and is also an input of the graph");
}

static void test_node_writes_initializer(void **state)
{
    (void)state;
    build *b = plain();
    build_node_in(b, "", "Relu", "third", "h", "w");
    check_refused(b, LIP_EFORMAT, "and is also an initializer");
}

static void test_initializer_twice(void **state)
{
    (void)state;
    build *b = plain();
    build_floats(b, "w", "3x4", weights);
    check_refused(b, LIP_EFORMAT, "tensor 'w' is stored twice");
}

static void test_input_twice(void **state)
{
    (void)state;
    build *b = plain();
    build_input(b, "x", "1x3");
    check_refused(b, LIP_EFORMAT, "two inputs 'x'");
}

static void test_cycle(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node_in(b, "", "Add", "one", "x c", "a");
    build_node_in(b, "", "Relu", "two", "a", "b");
    build_node_in(b, "", "Relu", "three", "b", "c");
    build_output(b, "c");
    check_refused(b, LIP_EFORMAT, "the graph has a cycle");
}

static void test_output_nobody_writes(void **state)
{
    (void)state;
    build *b = plain();
    build_output(b, "z");
    check_refused(b, LIP_EFORMAT, "output 'z' is written by no node");
}

static void test_no_opset(void **state)
{
    (void)state;
    build *b = plain();
    build_proto(b)->n_opset_import = 0;
    check_refused(b, LIP_EFORMAT, "does not say which version");
}

/* ---- tensors */

static void test_short_and_long_raw_data(void **state)
{
    (void)state;
    build *b = plain();
    weight(b)->raw_data.len = 44;
    check_refused(b, LIP_EFORMAT, "tensor 'w' holds 44 bytes, its shape 3x4 of float32 needs 48");
    b = plain();
    weight(b)->dims[0] = 2;
    check_refused(b, LIP_EFORMAT, "tensor 'w' holds 48 bytes, its shape 2x4 of float32 needs 32");
}

static void test_no_data(void **state)
{
    (void)state;
    build *b = plain();
    weight(b)->has_raw_data = 0;
    check_refused(b, LIP_EFORMAT, "tensor 'w' holds 0 elements, its shape 3x4 of float32 needs 12");
}

static void test_impossible_dimensions(void **state)
{
    (void)state;
    build *b = plain();
    weight(b)->dims[1] = -4;
    check_refused(b, LIP_EFORMAT, "tensor 'w' has a negative dimension: -4");
    b = plain();
    weight(b)->dims[0] = weight(b)->dims[1] = INT64_C(1) << 40;
    check_refused(b, LIP_EFORMAT, "tensor 'w': the product of its dimensions is too large");
    b = plain();
    weight(b)->dims[0] = INT64_C(1) << 58;
    check_refused(b, LIP_EFORMAT, "tensor 'w'");
}

static void test_not_a_number(void **state)
{
    (void)state;
    float values[12] = {0};
    values[7] = NAN;
    build *b = plain();
    memcpy(weight(b)->raw_data.data, values, sizeof values);
    check_refused(b, LIP_EFORMAT, "its constant 'w' holds NaN (element 7)");
    values[7] = -INFINITY;
    b = plain();
    memcpy(weight(b)->raw_data.data, values, sizeof values);
    check_refused(b, LIP_EFORMAT, "its constant 'w' holds infinity (element 7)");
}

/* ---- external data */

static void add_entry(build *b, const char *key, const char *value)
{
    Onnx__TensorProto *tensor = weight(b);
    Onnx__StringStringEntryProto *entry = build_memory(b, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = build_text(b, key);
    entry->value = build_text(b, value);
    Onnx__StringStringEntryProto **entries = build_memory(b, (tensor->n_external_data + 1) * sizeof(*entries));
    for (size_t i = 0; i < tensor->n_external_data; i++)
        entries[i] = tensor->external_data[i];
    entries[tensor->n_external_data++] = entry;
    tensor->external_data = entries;
}

static build *external(const char *location, const char *offset, const char *length)
{
    build *b = plain();
    weight(b)->has_raw_data = 0;
    weight(b)->has_data_location = 1;
    weight(b)->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    if (location)
        add_entry(b, "location", location);
    if (offset)
        add_entry(b, "offset", offset);
    if (length)
        add_entry(b, "length", length);
    return b;
}

static lip_status open_in(const char *folder, build *b, lip_error *error)
{
    char path[256];
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    build_write(b, path);
    build_free(b);
    lip_model *model = NULL;
    lip_status status = lip_model_open(path, NULL, &model, error);
    lip_model_free(&model);
    return status;
}

static void test_external_data(void **state)
{
    (void)state;
    static const struct {
        const char *location, *offset, *length;
        lip_status status;
        const char *fragment;
    } cases[] = {
        {"data.bin", NULL, NULL, LIP_OK, ""},
        {"data.bin", "16", "48", LIP_OK, ""},
        {"./data.bin", "3", "48", LIP_OK, ""}, /* not aligned: copied */
        {"sub/data.bin", "0", "48", LIP_OK, ""},
        {"missing.bin", NULL, NULL, LIP_EIO, "cannot open external data 'missing.bin'"},
        {"/etc/passwd", NULL, NULL, LIP_EFORMAT, "its path is absolute"},
        {"../data.bin", NULL, NULL, LIP_EFORMAT, "it leaves the model's folder"},
        {"sub/../data.bin", NULL, NULL, LIP_EFORMAT, "it leaves the model's folder"},
        {"link.bin", NULL, NULL, LIP_EFORMAT, "symbolic link"},
        {"linked/data.bin", NULL, NULL, LIP_EFORMAT, "symbolic link"},
        {"sub", NULL, NULL, LIP_EIO, "is a directory"},
        {"", NULL, NULL, LIP_EFORMAT, "no location"},
        {"sub/", NULL, NULL, LIP_EFORMAT, "names a folder"},
        {"data.bin", "17", "48", LIP_EFORMAT, "go past its end"},
        {"data.bin", "64", "0", LIP_EFORMAT, "holds 0 bytes"},
        {"data.bin", "65", NULL, LIP_EFORMAT, "go past its end"},
        {"data.bin", "0", "44", LIP_EFORMAT, "holds 44 bytes"},
        {"data.bin", "18446744073709551615", "48", LIP_EFORMAT, "not a number"},
        {"data.bin", "18446744073709551600", "48", LIP_EFORMAT, "tensor 'w'"},
        {"data.bin", "-1", "48", LIP_EFORMAT, "not a number"},
        {"data.bin", "0", "48 ", LIP_EFORMAT, "not a number"},
        {"data.bin", "0x0", "48", LIP_EFORMAT, "not a number"},
        {NULL, "0", "48", LIP_EFORMAT, "at no known location"},
    };
    char folder[64], command[512];
    float data[16] = {0};
    build_folder(folder);
    build_file(folder, "data.bin", data, sizeof data);
    snprintf(command, sizeof command,
             "cd %s && mkdir sub && cp data.bin sub && ln -s data.bin link.bin && ln -s sub linked", folder);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_error error;
        lip_status status = open_in(folder, external(cases[i].location, cases[i].offset, cases[i].length), &error);
        check_holds(error.reason, cases[i].fragment);
        assert_int_equal(status, cases[i].status);
    }
    build_remove_folder(folder);
}

/* ---- files of another kind */

static void test_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *fragment;
    } cases[] = {
        {"", 0, "the file is empty"},
        {"<!DOCTYPE html><html>", 21, "HTML page"},
        {"\n  <HTML>", 9, "HTML page"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, "git-lfs pointer"},
        {"\x1f\x8b\x08\x00", 4, "gunzip it"},
        {"PK\x03\x04....", 8, "zip archive"},
        {"....ORTM....", 12, "ONNX Runtime's own format"},
        {"\x1c\x00\x00\x00TFL3", 8, "TensorFlow Lite"},
        {"\x93NUMPY\x01\x00", 8, "numpy array"},
        {"hello world, this is text", 25, "not a valid protobuf message"},
        {"\x08\x08", 2, "holds no graph"},
        {"\x3a\x00\x3a\x00", 4, "more than one graph"},
        {"\x3a\x10", 2, "truncated at byte 2: field 7 (graph) claims 16 bytes, 0 are left"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_model *model = NULL;
        lip_error error;
        lip_status status = lip_model_open_bytes(cases[i].bytes, cases[i].size, "test.onnx", NULL, &model, &error);
        check_holds(error.reason, cases[i].fragment);
        assert_int_equal(status, LIP_EFORMAT);
        assert_null(model);
    }
}

static void test_paths(void **state)
{
    (void)state;
    lip_model *model = NULL;
    lip_error error;
    assert_int_equal(lip_model_open("/nonexistent/model.onnx", NULL, &model, &error), LIP_EIO);
    check_holds(error.reason, "No such file");
    assert_string_equal(error.file, "/nonexistent/model.onnx");
    assert_int_equal(lip_model_open("/tmp", NULL, &model, &error), LIP_EIO);
    check_holds(error.reason, "is a directory");
    assert_int_equal(lip_model_open("/dev/null", NULL, &model, &error), LIP_EIO);
    check_holds(error.reason, "not a regular file");
    assert_int_equal(lip_model_open("/nonexistent", NULL, &model, NULL), LIP_EIO);
    assert_null(model);
}

/* ---- damage */

static void try_bytes(const void *bytes, size_t size)
{
    const lip_memory preset = {.cap = 4 << 20};
    lip_model *model = NULL;
    lip_error error;
    lip_status status = lip_model_read(bytes, size, "test.onnx", NULL, &preset, &model, &error);
    assert_true(status ? model == NULL && error.reason[0] : model != NULL);
    lip_model_free(&model);
}

static build *rich(void)
{
    build *b = plain();
    build_node_in(b, "", "Constant", "c", "", "k");
    build_attr_tensor(b, "value", build_tensor(b, "", LIP_DTYPE_INT64, "2", (int64_t[]){1, 4}, 16));
    build_node_in(b, "", "Reshape", "r", "y k", "z");
    build_node_in(b, "", "If", "if", "z", "v");
    build_attr_graph(b, "then_branch");
    build_output(b, "v");
    return b;
}

static void test_truncated_everywhere(void **state)
{
    (void)state;
    build *b = rich();
    size_t size;
    const uint8_t *bytes = build_bytes(b, &size);
    for (size_t length = 0; length <= size; length++) {
        uint8_t *copy = malloc(length ? length : 1); /* its own block: a sanitizer sees a read past the end */
        assert_non_null(copy);
        memcpy(copy, bytes, length);
        try_bytes(copy, length);
        free(copy);
    }
    build_free(b);
}

static void test_every_byte_changed(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xFF, 0x7F, 0x08};
    build *b = rich();
    size_t size;
    const uint8_t *bytes = build_bytes(b, &size);
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (size_t at = 0; at < size; at++)
        for (size_t i = 0; i < sizeof changes; i++) {
            memcpy(copy, bytes, size);
            copy[at] ^= changes[i];
            try_bytes(copy, size);
        }
    free(copy);
    build_free(b);
}

/* A graph in an attribute in a node in a graph in ..., written from the inside. */
static void test_deep_nesting(void **state)
{
    (void)state;
    enum { LEVELS = 5000, ROOM = 200000 };
    uint8_t *bytes = malloc(ROOM);
    assert_non_null(bytes);
    size_t start = ROOM;
    static const uint8_t tags[] = {0x32, 0x2a, 0x0a}; /* attribute.g, node.attribute, graph.node */
    for (int level = 0; level < 3 * LEVELS; level++) {
        size_t length = ROOM - start;
        uint8_t prefix[8];
        size_t used = 0;
        prefix[used++] = tags[level % 3];
        do
            prefix[used++] = (uint8_t)((length & 0x7F) | (length > 0x7F ? 0x80 : 0));
        while (length >>= 7);
        start -= used;
        memcpy(bytes + start, prefix, used);
    }
    uint8_t head[8] = {0x3a};
    size_t length = ROOM - start, used = 1;
    do
        head[used++] = (uint8_t)((length & 0x7F) | (length > 0x7F ? 0x80 : 0));
    while (length >>= 7);
    start -= used;
    memcpy(bytes + start, head, used);

    lip_model *model = NULL;
    lip_error error;
    assert_int_equal(lip_model_open_bytes(bytes + start, ROOM - start, "test.onnx", NULL, &model, &error),
                     LIP_EFORMAT);
    check_holds(error.reason, "nested more than 64 levels deep");
    free(bytes);
}

/* ---- memory */

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    build *b = rich();
    size_t size;
    const void *bytes = build_bytes(b, &size);
    lip_memory preset = {.cap = 64 << 20};
    bool done = false;
    for (int_fast64_t k = 1; !done && k < 10000; k++) {
        atomic_store(&preset.fail_in, k);
        lip_model *model = NULL;
        lip_error error;
        lip_status status = lip_model_read(bytes, size, "test.onnx", NULL, &preset, &model, &error);
        done = status == LIP_OK && atomic_load(&model->memory.fail_in) > 0;
        if (status) {
            assert_int_equal(status, LIP_EMEMORY);
            assert_null(model);
        }
        lip_model_free(&model);
    }
    assert_true(done);
    build_free(b);
}

static void test_memory_cap(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1");
    build_ints(b, "shape", "2", (int64_t[]){1 << 20, 1 << 12});
    build_node_in(b, "", "ConstantOfShape", "huge", "shape", "z");
    build_node_in(b, "", "Add", "add", "x z", "y");
    build_output(b, "y");
    const lip_load_options options = {.max_memory = 16 << 20};
    check_refused_with(b, &options, LIP_EMEMORY, "memory cap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_is_accepted),
        cmocka_unit_test(test_missing_name),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_node_writes_input),
        cmocka_unit_test(test_node_writes_initializer),
        cmocka_unit_test(test_initializer_twice),
        cmocka_unit_test(test_input_twice),
        cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_output_nobody_writes),
        cmocka_unit_test(test_no_opset),
        cmocka_unit_test(test_short_and_long_raw_data),
        cmocka_unit_test(test_no_data),
        cmocka_unit_test(test_impossible_dimensions),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_external_data),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_memory_cap),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
