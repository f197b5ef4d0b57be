/*
 * test_pb.c: TensorProto files, alone and in folders of test data.
 *
 * Messages are written by hand: field 1 dims, 2 data_type, 9 raw_data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FLOAT 1
#define INT64 7
#define STRING 8

/* `rank` dimensions below 128, elements of 4 or 8 bytes below 128 bytes in all. */
static size_t message(unsigned char *to, int type, int rank, const int *dims, const void *raw, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < rank; i++) {
        to[used++] = 1 << 3;
        to[used++] = (unsigned char)dims[i];
    }
    to[used++] = 2 << 3;
    to[used++] = (unsigned char)type;
    to[used++] = 9 << 3 | 2;
    to[used++] = (unsigned char)size;
    memcpy(to + used, raw, size);
    return used + size;
}

static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};
static const double wanted[] = {1, 2, 3, 4, 5, 6, 7, 8};

static const char *put(const char *name, int rank, const int *dims, int first, int count)
{
    unsigned char bytes[200];
    return files_put(name, bytes, message(bytes, FLOAT, rank, dims, numbers + first, (size_t)count * sizeof(float)));
}

static const char *parent_of(const char *path, int levels)
{
    static char text[512];
    snprintf(text, sizeof text, "%s", path);
    while (levels-- > 0)
        *strrchr(text, '/') = '\0';
    return text;
}

static void reads_files(void **unused)
{
    unsigned char bytes[200];
    (void)unused;
    lip_data_options options = data_for(put("batch.pb", 2, (const int[]){4, 2}, 0, 8), SHAPE(2, 1, 2));
    expect_data(&options, 4, wanted, NULL);
    options = data_for(put("one.pb", 3, (const int[]){2, 2, 2}, 0, 8), SHAPE(4, 1, 2, 2, 2)); /* without a batch */
    expect_data(&options, 1, wanted, NULL);
    size_t size = message(bytes, FLOAT, 2, (const int[]){4, 2}, numbers, sizeof numbers);
    options = data_for(files_put_gz("packed.pb.gz", bytes, size), SHAPE(2, 1, 2));
    expect_data(&options, 4, wanted, NULL);
}

static void reads_folders_in_numeric_order(void **unused)
{
    static const int dims[] = {1, 2}, batch[] = {2, 2};
    (void)unused;
    const char *path = put("sets/test_data_set_2/input_0.pb", 2, dims, 2, 2);
    lip_data_options options = data_for(NULL, SHAPE(2, 1, 2));
    put("sets/test_data_set_10/input_0.pb", 2, batch, 4, 4); /* a batch among single samples */
    put("sets/test_data_set_0/input_0.pb", 2, dims, 0, 2);
    put("sets/test_data_set_x/input_0.pb", 2, dims, 6, 2);
    options.path = parent_of(path, 2);
    expect_data(&options, 4, wanted, NULL);
    options.path = parent_of(path, 1);
    expect_data(&options, 1, wanted + 2, NULL);
}

static void sets_without_a_batch_dimension(void **unused)
{
    static const int dims[] = {2, 2};
    (void)unused;
    const char *path = put("plain/test_data_set_0/input_0.pb", 2, dims, 0, 4);
    put("plain/test_data_set_1/input_0.pb", 2, dims, 4, 4);
    lip_data_options options = data_for(parent_of(path, 2), SHAPE(3, 1, 2, 2));
    expect_data(&options, 2, wanted, NULL);
}

static void digests_of_folders(void **unused)
{
    char first[65], second[65], none[65];
    lip_error error;
    lip_data *data = NULL;
    (void)unused;
    const char *path = put("digest/test_data_set_0/input_0.pb", 2, (const int[]){1, 2}, 0, 2);
    lip_data_options options = data_for(parent_of(path, 2), SHAPE(2, 1, 2));
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_digest(data, first, none, &error), LIP_OK);
    assert_string_equal(none, "");
    data_close(&data);
    put("digest/test_data_set_0/input_0.pb", 2, (const int[]){1, 2}, 2, 2);
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_digest(data, second, none, &error), LIP_OK);
    assert_string_not_equal(first, second);
    data_close(&data);
}

static void refuses(void **unused)
{
    unsigned char bytes[200];
    static const int64_t large[] = {1, (INT64_C(1) << 53) + 1};
    static const int two[] = {1, 2}, three[] = {1, 3};
    (void)unused;
    lip_data_options options = data_for(put("cut.pb", 2, (const int[]){4, 2}, 0, 7), SHAPE(2, 1, 2));
    expect_refusal(&options, LIP_EFORMAT, "holds 28 bytes");
    options.path = files_put("string.pb", bytes, message(bytes, STRING, 2, two, "ab", 2));
    expect_refusal(&options, LIP_EUNSUPPORTED, "holds elements of type string");
    options.path = files_put("large.pb", bytes, message(bytes, INT64, 2, two, large, sizeof large));
    expect_refusal(&options, LIP_EFORMAT, "sample 0: its element 1");
    options.path = files_put("huge.pb", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x08\x10\x10\x01\x4a\x00", 16);
    expect_refusal(&options, LIP_EFORMAT, "too large");
    options.path = files_put("empty.pb", "\x08\x00\x10\x01\x4a\x00", 6);
    expect_refusal(&options, LIP_EFORMAT, "holds no elements");
    options.path = files_put("nothing.pb", "", 0);
    expect_refusal(&options, LIP_EFORMAT, "the file is empty");
    options.path = files_put("page.pb", "<!DOCTYPE html><html>", 21);
    expect_refusal(&options, LIP_EFORMAT, "is an HTML page: did the download fail?");
    const char *path = put("uneven/test_data_set_0/input_0.pb", 2, two, 0, 2);
    put("uneven/test_data_set_1/input_0.pb", 2, three, 0, 3);
    options.path = parent_of(path, 2);
    expect_refusal(&options, LIP_EFORMAT, "the tensor is 1x3, the ones before are 1x2");
    path = put("twice/test_data_set_1/input_0.pb", 2, two, 0, 2);
    put("twice/test_data_set_01/input_0.pb", 2, two, 0, 2);
    options.path = parent_of(path, 2);
    expect_refusal(&options, LIP_EFORMAT, "two folders of the number 1");
    path = files_put("other/file", "x", 1);
    options.path = parent_of(path, 1);
    expect_refusal(&options, LIP_EFORMAT, "holds neither input_0.pb nor folders test_data_set_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(reads_folders_in_numeric_order),
        cmocka_unit_test(sets_without_a_batch_dimension),
        cmocka_unit_test(digests_of_folders),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
