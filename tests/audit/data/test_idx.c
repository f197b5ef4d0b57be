/*
 * test_idx.c: IDX files of every element type, MNIST's own, and the refused
 * ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MNIST "shared/data/mnist/t10k-"

static const lip_shape four = {2, {1, 4}};

static void reads_every_type(void **unused)
{
    static const struct {
        unsigned char code;
        const char *bytes; /* of eight elements */
        size_t size;
        double first, last;
    } cases[] = {
        {0x08, "\xff\0\0\0\0\0\0\x01", 8, 255, 1},
        {0x09, "\xff\0\0\0\0\0\0\x01", 8, -1, 1},
        {0x0B, "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02", 16, -32768, 258},
        {0x0C, "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0", 32, -0x1p31, 256},
        {0x0D, "\xbf\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 32, -1, 0x1p-149},
        {0x0E, "\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\0\0\0\0\0\0\0\0\x3f\xf0\0\0\0\0\0\0", 64, -2, 1},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[100] = {0, 0, cases[i].code, 2, 0, 0, 0, 2, 0, 0, 0, 4};
        double wanted[8] = {cases[i].first, 0, 0, 0, 0, 0, 0, cases[i].last};
        memcpy(bytes + 12, cases[i].bytes, cases[i].size);
        lip_data_options options = data_for(files_put("idx2", bytes, 12 + cases[i].size), four);
        expect_data(&options, 2, wanted, NULL);
        options.path = files_put_gz("idx2.gz", bytes, 12 + cases[i].size);
        expect_data(&options, 2, wanted, NULL);
    }
}

static void refuses(void **unused)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } cases[] = {
        {"\0\0\x08\x02\0\0\0\x02\0\0\0\x04 1234567", 19, "the data end in sample 1 of 2"},
        {"\0\0\x08\x02\0\0\0\x02\0\0\0\x04 123456789", 21, "holds 1 bytes more"},
        {"\0\0\x08\x02\0\0\0\x02\0\0", 10, "the data end in the IDX header"},
        {"\0\0\x08\x00\0\0\0\x02\0\0", 10, "tells 0 dimensions"},
        {"\0\0\x08\x09\0\0\0\x02\0\0", 10, "tells 9 dimensions"},
        {"\0\0\x0A\x02\0\0\0\x02\0\0", 10, "is not an IDX file"},
        {"\0\0\x08\x02\0\0\0\x00\0\0\0\x04", 12, "holds no samples"},
        {"\0\0\x0E\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20, "product"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_data_options options = data_for(files_put("refused", cases[i].bytes, cases[i].size), four);
        expect_refusal(&options, LIP_EFORMAT, cases[i].part);
    }
}

/* The first test images and their labels are well known; the sums were taken with numpy. */
static void reads_mnist(void **unused)
{
    static const int64_t first[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
    char images[1024], labels[1024];
    (void)unused;
    snprintf(images, sizeof images, "%s/../../../../../" MNIST "images-idx3-ubyte.gz", files_folder);
    snprintf(labels, sizeof labels, "%s/../../../../../" MNIST "labels-idx1-ubyte.gz", files_folder);
    FILE *there = fopen(images, "rb");
    if (!there) {
        print_message("# skipped: ../shared/data/mnist is absent\n");
        skip();
    }
    fclose(there);
    lip_data_options options = data_for(images, SHAPE(4, 1, 1, 28, 28));
    options.labels = labels;
    options.classes = 10;
    lip_data *data = NULL;
    lip_error error;
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    lip_data_info info = data_describe(data);
    assert_int_equal(info.count, 10000);
    assert_int_equal(info.elements, 784);
    assert_string_equal(info.format, "IDX");
    assert_string_equal(info.dtype, "uint8");
    assert_int_equal(info.note_count, 1);
    assert_non_null(strstr(data_note(data, 0), "--scale 1/255"));
    double *samples = calloc(1000 * 784, sizeof *samples), total = 0;
    int64_t found[1000], label_sum = 0;
    assert_non_null(samples);
    for (int64_t at = 0; at < 10000; at += 1000) {
        assert_int_equal(data_read(data, at, 1000, samples, found, &error), LIP_OK);
        for (int i = 0; i < 1000 * 784; i++)
            total += samples[i];
        for (int i = 0; i < 1000; i++)
            label_sum += found[i];
        if (at == 0)
            assert_memory_equal(found, first, sizeof first);
    }
    assert_true(total == 264923200);
    assert_int_equal(label_sum, 44434);
    char digest[65], label_digest[65];
    assert_int_equal(data_digest(data, digest, label_digest, &error), LIP_OK);
    assert_int_equal(strlen(digest), 64);
    assert_string_not_equal(digest, label_digest);
    free(samples);
    data_close(&data);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(refuses),
        cmocka_unit_test(reads_mnist),
    };
    files_folder = count > 1 ? arguments[1] : files_folder;
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
