/*
 * test_csv.c: CSV as people write it, and the refused rows.
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

static const lip_shape two = {2, {1, 2}};
static const double numbers[] = {0.5, -1e-3, 255, 0.1};
static const int64_t labels[] = {7, 3};

static lip_data_options text(const char *content)
{
    return data_for(files_put("data.csv", content, strlen(content)), two);
}

static void reads_what_people_write(void **unused)
{
    static const char *const with_labels[] = {
        "7,0.5,-1e-3\n3,255,0.1\n",
        "7,0.5,-1e-3\r\n3,255,0.1",
        "label,first,second\n7,0.5,-1e-3\n3,255,0.1\n",
        "\"label\",\"a, b\",\"c\"\n7,0.5,-1e-3\n3,255,0.1\n",
        "label,0,1\n7,0.5,-1e-3\n3,255,0.1\n",
        "class,\"1\",\"2\"\n7,0.5,-1e-3\n3,255,0.1\n",
        "label,2d,2\n7,0.5,-1e-3\n3,255,0.1\n",
        "# label and numbers\n7,0.5,-1e-3\n3,255,0.1\n",
        "\357\273\2777,0.5,-1e-3\n3,255,0.1\n",
        "\"7\",\" 0.5\" , \"-1e-3\"\n\n 3 ,\t255, +.1e0 \n\n\n",
        "7;0.5;-1E-03\n3;2.55e2;0.1000\n",
        "7\t0.5\t-0.001\n3.0\t255.\t.1\n",
    };
    (void)unused;
    for (size_t i = 0; i < sizeof with_labels / sizeof *with_labels; i++) {
        lip_data_options options = text(with_labels[i]);
        expect_data(&options, 2, numbers, labels);
        options.path = files_put_gz("data.csv.gz", with_labels[i], strlen(with_labels[i]));
        expect_data(&options, 2, numbers, labels);
    }
    lip_data_options options = text("0.5,-0.001\n255,0.1\n");
    expect_data(&options, 2, numbers, NULL);
    options.labels = files_put("labels.csv", "class\n7\n3\n", 10);
    expect_data(&options, 2, numbers, labels);
}

static void refuses(void **unused)
{
    static const struct {
        const char *content, *part;
    } cases[] = {
        {"7,1,2\n3,4\n", "sample 1 (line 2) has 2 columns, those before have 3"},
        {"a,b,c\n\n7,1,2\n3,4,5,6\n", "sample 1 (line 4) has 4 columns"},
        {"7,1,2\n3,cat,5\n", "sample 1 (line 2), column 2: 'cat' is no number"},
        {"7,1,cat\n3,1,5\n", "sample 0 (line 1), column 3: 'cat' is no number"},
        {"x7,0,0\n3,1,5\n", "sample 0 (line 1), column 1: 'x7' is no number, while 2 of the line's 3 columns are"},
        {",1,0\n3,1,5\n", "sample 0 (line 1), column 1: '' is no number"},
        {"seven,nan,2\n3,1,5\n", "column 1: 'seven' is no number"},
        {"x,2,3\n3,1,5\n", "column 1: 'x' is no number"},
        {"7.,x,2.5\n3,1,5\n", "column 2: 'x' is no number"},
        {"7,1,2\n3,,5\n", "column 2: '' is no number"},
        {"7,1,2\n3,0x10,5\n", "'0x10' is no number"},
        {"7,1,2\n3,1e,5\n", "'1e' is no number"},
        {"7,1,2\n3,1 2,5\n", "'1 2' is no number"},
        {"7,1,2\n3,\"1,5\n", "a quote that is not closed"},
        {"7,1,2\n3,\"1\"2,5\n", "a quote inside of a field"},
        {"7,1,2\n3,1\"2\",5\n", "a quote inside of a field"},
        {"7,1,2\n3,nan,5\n", "sample 1: its element 0 is not a finite number"},
        {"7,1,2\n3,4,-inf\n", "sample 1: its element 1 is not a finite number"},
        {"7,1,2\n3,4,1e999\n", "sample 1: its element 1 is not a finite number"},
        {"7.5,1,2\n", "the label of sample 0 is 7.5, not a whole number"},
        {"-1,1,2\n", "the label of sample 0 is -1"},
        {"label,a,b\n", "holds no samples: read as CSV, it has no row of numbers"},
        {"\n\n", "holds no samples"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_data_options options = text(cases[i].content);
        expect_refusal(&options, LIP_EFORMAT, cases[i].part);
    }
    lip_data_options options = text("1,2,3,4\n");
    expect_refusal(&options, LIP_EUSAGE,
                   "its rows have 4 columns; the model's input 'x' is 2, which takes 2, or one more");
    char field[3000];
    snprintf(field, sizeof field, "7,1,%02000d\n", 3);
    options = text(field);
    expect_refusal(&options, LIP_EFORMAT, "too long for a number");
}

static void refuses_every_cut_of_gzip(void **unused)
{
    char content[4000] = "";
    unsigned char bytes[4000];
    (void)unused;
    for (size_t i = 0; i < 100; i++)
        snprintf(content + strlen(content), sizeof content - strlen(content), "%zu,%zu,%zu\n", i % 10, i * i, i * 7919);
    lip_data_options options = data_for(files_put_gz("whole.csv.gz", content, strlen(content)), two);
    FILE *file = fopen(options.path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 20; cut < size; cut++) {
        lip_data *data = NULL;
        lip_error error;
        lip_data_options shorter = data_for(options.path, two);
        file = fopen(options.path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, cut, file), cut);
        fclose(file);
        lip_status status = data_open(&shorter, &data, &error);
        data_close(&data);
        assert_int_equal(status, LIP_EFORMAT);
    }
}

/* More rows than lie between two remembered places, in any order. */
static void finds_rows_again(void **unused)
{
    size_t room = 400000, used = 0;
    char *content = malloc(room);
    (void)unused;
    assert_non_null(content);
    for (int i = 0; i < 5000; i++)
        used += (size_t)snprintf(content + used, room - used, "%d,%d.25,%d%s", i % 10, i, -i, i % 7 ? "\n" : "\r\n\n");
    lip_data_options options = data_for(files_put("long.csv", content, used), two);
    lip_data *data = NULL;
    lip_error error;
    assert_int_equal(data_open(&options, &data, &error), LIP_OK);
    assert_int_equal(data_describe(data).stored, 5000);
    for (int64_t k = 0; k < 400; k++) {
        int64_t row = k * 7919 % 4998, found[2];
        double samples[4];
        assert_int_equal(data_read(data, row, 2, samples, found, &error), LIP_OK);
        assert_int_equal(found[1], (row + 1) % 10);
        assert_true(samples[0] == (double)row + 0.25 && samples[3] == -(double)(row + 1));
    }
    data_close(&data);
    free(content);
}

static void reads_numpy_savetxt(void **unused)
{
    static const int64_t classes[] = {2, 0, 1};
    double wanted[36];
    (void)unused;
    for (int i = 0; i < 36; i++)
        wanted[i] = (i - 7) / 4.0;
    lip_data_options options = data_for(files_written("savetxt.csv"), SHAPE(2, 1, 12));
    expect_data(&options, 3, wanted, classes);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),   cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_every_cut_of_gzip), cmocka_unit_test(finds_rows_again),
        cmocka_unit_test(reads_numpy_savetxt),
    };
    files_folder = count > 1 ? arguments[1] : files_folder;
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
