/*
 * test_labels.c: labels apart, as whole numbers of any type or one-hot, and
 * the refused ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned char bytes[1024];
static const double samples[] = {1, 2, 3, 4, 5, 6};

/* Three samples of two elements; labels as .npy. */
static lip_data_options with(const char *type, const char *shape, const void *data, size_t size)
{
    char header[200];
    lip_data_options options = data_for(NULL, SHAPE(2, 1, 2));
    size_t length = npy_bytes(bytes, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}", samples,
                              sizeof samples);
    options.path = files_put("x.npy", bytes, length);
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s}", type, shape);
    options.labels = files_put("y.npy", bytes, npy_bytes(bytes, 1, header, data, size));
    options.classes = 4;
    return options;
}

static void reads(void **unused)
{
    static const int64_t wanted[] = {2, 0, 3}, as_i8[] = {2, 0, 3};
    static const float as_f4[] = {2, 0, 3}, hot_f4[] = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1};
    static const unsigned char hot_u1[] = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1};
    (void)unused;
    lip_data_options options = with("<i8", "(3,)", as_i8, sizeof as_i8);
    expect_data(&options, 3, samples, wanted);
    options = with("<i8", "(3, 1)", as_i8, sizeof as_i8);
    expect_data(&options, 3, samples, wanted);
    options = with("<f4", "(3,)", as_f4, sizeof as_f4);
    expect_data(&options, 3, samples, wanted);
    options = with("<f4", "(3, 4)", hot_f4, sizeof hot_f4);
    expect_data(&options, 3, samples, wanted);
    options = with("|b1", "(3, 4)", hot_u1, sizeof hot_u1);
    expect_data(&options, 3, samples, wanted);
    options.labels = files_put("y.idx", "\0\0\x08\x01\0\0\0\x03\x02\0\x03", 11);
    expect_data(&options, 3, samples, wanted);
    options.labels = files_put("y.csv", "2\n0\n3\n", 6);
    expect_data(&options, 3, samples, wanted);
    options.labels = files_put("y.csv", "0,0,1,0\n1,0,0,0\n0,0,0,1\n", 24);
    expect_data(&options, 3, samples, wanted);
}

static void own_labels_come_first(void **unused)
{
    static const int64_t wanted[] = {1, 1, 0};
    (void)unused;
    lip_data_options options = data_for(files_put("x.csv", "2,1,2\n0,3,4\n3,5,6\n", 18), SHAPE(2, 1, 2));
    options.labels = files_put("y.csv", "1\n1\n0\n", 6);
    expect_data(&options, 3, samples, wanted);
    lip_data *data = NULL;
    lip_error error;
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_describe(data).note_count, 1);
    assert_non_null(strstr(data_note(data, 0), "passed over"));
    data_close(&data);
}

static void refuses(void **unused)
{
    static const float half[] = {2, 0, 1.5F}, large[] = {2, 4, 1}, hot[] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0},
                       soft[] = {0, 1, 0, 0, 0.5F, 0.5F, 0, 0, 0, 1, 0, 0};
    static const int64_t negative[] = {2, 0, -1}, few[] = {2, 0};
    static const unsigned char wide[15] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    (void)unused;
    lip_data_options options = with("<f4", "(3,)", half, sizeof half);
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 2 is 1.5, not a whole number");
    options = with("<f4", "(3,)", large, sizeof large);
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 1 is 4; classes are 0 to 3");
    options = with("<i8", "(3,)", negative, sizeof negative);
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 2 is -1");
    options = with("<i8", "(2,)", few, sizeof few);
    expect_refusal(&options, LIP_EUSAGE, "holds 2 labels for 3 samples");
    options = with("<f4", "(3, 4)", hot, sizeof hot);
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 1 is a row of zeros");
    options.first = 2;
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 2 is no one-hot row");
    options = with("<f4", "(3, 4)", soft, sizeof soft);
    expect_refusal(&options, LIP_EFORMAT, "the label of sample 1 is no one-hot row");
    options = with("|u1", "(3, 5)", wide, sizeof wide);
    expect_refusal(&options, LIP_EUSAGE, "its one-hot labels have 5 columns, the model has 4 classes");
    options.labels = "/nowhere/labels.npy";
    expect_refusal(&options, LIP_EIO, "cannot open the file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(own_labels_come_first),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
