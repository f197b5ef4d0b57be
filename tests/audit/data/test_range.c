/*
 * test_range.c: which samples are chosen, what is no data file, what passes
 * the memory cap, digests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const double numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};

static lip_data_options four(void)
{
    return data_for(files_put("four.csv", "1,2\n3,4\n5,6\n7,8\n", 16), SHAPE(2, 1, 2));
}

static void ranges(void **unused)
{
    (void)unused;
    lip_data_options options = four();
    options.first = 1;
    expect_data(&options, 3, numbers + 2, NULL);
    options.end = 3;
    expect_data(&options, 2, numbers + 2, NULL);
    options.limit = 1;
    expect_data(&options, 1, numbers + 2, NULL);
    options.limit = 9;
    expect_data(&options, 2, numbers + 2, NULL);
    options.end = 5;
    expect_refusal(&options, LIP_EUSAGE, "the range 1:5 does not lie within its 4 samples");
    options.first = 4;
    options.end = 0;
    expect_refusal(&options, LIP_EUSAGE, "the range 4:4 does not");
}

static void reads_only_the_chosen_ones(void **unused)
{
    double room[4];
    lip_error error;
    lip_data *data = NULL;
    (void)unused;
    lip_data_options options = four();
    options.first = 1;
    options.end = 3;
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_read(data, 1, 2, room, NULL, &error), LIP_OK);
    assert_int_equal(data_read(data, 3, 0, room, NULL, &error), LIP_OK);
    assert_int_equal(data_read(data, 0, 1, room, NULL, &error), LIP_EUSAGE);
    assert_int_equal(data_read(data, 2, 2, room, NULL, &error), LIP_EUSAGE);
    assert_int_equal(data_read(data, 1, -1, room, NULL, &error), LIP_EUSAGE);
    assert_int_equal(data_read(data, 1, INT64_MAX, room, NULL, &error), LIP_EUSAGE);
    data_close(&data);
}

static void names_what_is_no_data(void **unused)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
        const char *part;
    } cases[] = {
        {"page.npy", "\n <!DOCTYPE html>\n<html>", 24, "is an HTML page: did the download fail?"},
        {"pointer.npy", "version https://git-lfs.github.com/spec/v1\n", 43, "is a git-lfs pointer"},
        {"weights.h5", "\x89HDF\r\n\x1a\n", 8, "is an HDF5 file"},
        {"batch.pkl", "\x80\x04\x95", 3, "is a Python pickle"},
        {"image.png", "\x89PNG\r\n\x1a\n", 8, "is a PNG image"},
        {"zip.npy", "PK\x03\x04 ...", 8, "is a zip archive (.npz), which its name does not say"},
        {"array.npz", "\x93NUMPY\x01", 7, "is a .npy array, which its name does not say"},
        {"numbers.npy", "1,2\n", 4, "is text, which its name does not say"},
        {"images.csv", "\0\0\x08\x01\0\0\0\x01\0", 9, "is an IDX file, which its name does not say"},
        {"noise", "\x01\x02\x03\x04", 4, "is neither .npy, .npz, IDX, CSV nor a TensorProto"},
        {"empty.csv", "", 0, "the file is empty"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_data_options options = data_for(files_put(cases[i].name, cases[i].bytes, cases[i].size), SHAPE(2, 1, 2));
        expect_refusal(&options, LIP_EFORMAT, cases[i].part);
    }
    lip_data_options options = data_for("/nowhere/x.npy", SHAPE(2, 1, 2));
    expect_refusal(&options, LIP_EIO, "cannot open the file");
    options.path = "/dev/null";
    expect_refusal(&options, LIP_EIO, "is not a regular file");
    options.path = files_put_gz("archive.npz.gz", "PK\x03\x04 ...", 8);
    expect_refusal(&options, LIP_EFORMAT, "a zip archive inside of a gzip file");
    options.path = files_put("damaged.csv.gz", "\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff", 13);
    expect_refusal(&options, LIP_EFORMAT, "damaged gzip data: invalid");
}

/* A large array in either order, with little memory: the same values. */
static void memory_is_bounded(void **unused)
{
    enum { ROWS = 3000, WIDTH = 64 };
    char header[200];
    size_t size = (size_t)ROWS * WIDTH * 4, length;
    float *values = malloc(size);
    unsigned char *bytes = malloc(size + 200);
    double samples[WIDTH];
    (void)unused;
    assert_non_null(values);
    assert_non_null(bytes);
    for (int fortran = 0; fortran < 2; fortran++) {
        for (int i = 0; i < ROWS * WIDTH; i++)
            values[i] = (float)(fortran ? i % ROWS * WIDTH + i / ROWS : i);
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': %s, 'shape': (%d, 4, %d)}",
                 fortran ? "True" : "False", ROWS, WIDTH / 4);
        length = npy_bytes(bytes, 1, header, values, size);
        lip_data_options options = data_for(files_put("large.npy", bytes, length), SHAPE(3, 1, 4, WIDTH / 4));
        if (fortran)
            options.path = files_put_gz("large.npy.gz", bytes, length);
        options.max_memory = 400000;
        lip_data *data = NULL;
        lip_error error = {0};
        if (data_open(&options, &data, &error) != LIP_OK)
            fail_msg("%s", error.reason);
        for (int64_t row = ROWS; (row -= 97) >= 0;) {
            assert_int_equal(data_read(data, row, 1, samples, NULL, &error), LIP_OK);
            for (int k = 0; k < WIDTH; k++) { /* element k = (i, j) of a row is j * 4 + i in Fortran order */
                int place = fortran ? k % (WIDTH / 4) * 4 + k / (WIDTH / 4) : k;
                assert_true(samples[k] == (double)(row * WIDTH + place));
            }
        }
        data_close(&data);
        options.max_memory = 20000;
        expect_refusal(&options, LIP_EMEMORY, "would pass the memory cap");
    }
    free(values);
    free(bytes);
}

static void digests(void **unused)
{
    static const char *const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char samples[65], labels[65], text[65];
    lip_error error;
    lip_data *data = NULL;
    lip_digest digest;
    (void)unused;
    lip_digest_begin(&digest); /* the example of FIPS 180-4 */
    lip_digest_add(&digest, "a", 1);
    lip_digest_add(&digest, "bc", 2);
    lip_digest_end(&digest, text);
    assert_string_equal(text, abc);
    lip_data_options options = four();
    options.labels = files_put("labels.csv", "0\n1\n0\n1\n", 8);
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_digest(data, samples, labels, &error), LIP_OK);
    data_close(&data);
    /* printf '1,2\n3,4\n5,6\n7,8\n' | sha256sum, and the same for the labels */
    assert_string_equal(samples, "9093b18b4bb136d163ff72018f359b034f11288084fdf48368b98b4f01215f67");
    assert_string_equal(labels, "e4749bc7f4f9360cf6a2e56321b815c8de72808a8ee756a48722cc9b287ddc24");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(reads_only_the_chosen_ones),
        cmocka_unit_test(names_what_is_no_data),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
