/*
 * test_rows_file.c: the file of --per-sample, as CSV and as NumPy's archive.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rows_file.h"
#include "rows_npz.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include <cmocka.h>

static char folder[] = "/tmp/lipaudit-test-XXXXXX";

static const lip_row made[] = {
    {0, 7, 7, 1.5, 0.1, 0.05, 0.1, "pairwise", true, 0.25, 3.0, true, 0.1},
    {1, -1, -1, -0.25, 0.0, 0.0, NAN, "", false, NAN, NAN, false, NAN},
    {40000000000, 2, 2, INFINITY, INFINITY, 1.0 / 3.0, INFINITY, "sqrt2", true, INFINITY, 0.0, true, 0.0},
};
#define ROWS (sizeof made / sizeof *made)

static lip_rows some_rows(void)
{
    lip_rows rows = {0};
    for (size_t i = 0; i < ROWS; i++)
        assert_true(rows_push(&rows, &made[i]));
    return rows;
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The file's bytes; the caller frees them. */
static char *content(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 1 << 20);
    assert_non_null(file);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void write_rows(const char *path, lip_row_columns columns, const lip_rows *rows)
{
    lip_rows_file file;
    lip_output_error error;
    assert_true(rows_file_open(path, columns, &file, &error));
    for (size_t i = 0; i < rows->count; i++)
        rows_file_add(&file, &rows->row[i]);
    assert_true(rows_file_commit(&file, rows, &error));
    rows_file_discard(&file);
    rows_file_discard(&file);
}

static void names(void **unused)
{
    (void)unused;
    assert_true(rows_file_known("a.csv") && rows_file_known("/b/c.npz"));
    assert_false(rows_file_known("a.npy") || rows_file_known(".csv") || rows_file_known("csv") || rows_file_known(""));
}

static void csv(void **unused)
{
    (void)unused;
    size_t size;
    lip_rows rows = some_rows();
    write_rows(in_folder("rows.csv"), (lip_row_columns){0}, &rows);
    char *text = content(in_folder("rows.csv"), &size);
    assert_string_equal(text, "index,label,predicted,margin,radius,sqrt2,pairwise,method\r\n"
                              "0,7,7,1.5,0.10000000000000001,0.050000000000000003,0.10000000000000001,pairwise\r\n"
                              "1,,,-0.25,0,0,,\r\n"
                              "40000000000,2,2,inf,inf,0.33333333333333331,inf,sqrt2\r\n");
    free(text);
    rows_free(&rows);
    unlink(in_folder("rows.csv"));
}

static void csv_of_everything(void **unused)
{
    (void)unused;
    size_t size;
    lip_rows rows = some_rows();
    write_rows(in_folder("rows.csv"), (lip_row_columns){.local = true, .attack = true}, &rows);
    char *text = content(in_folder("rows.csv"), &size);
    assert_string_equal(text,
                        "index,label,predicted,margin,radius,sqrt2,pairwise,method,local,attack,gradient\r\n"
                        "0,7,7,1.5,0.10000000000000001,0.050000000000000003,0.10000000000000001,pairwise,"
                        "0.10000000000000001,0.25,3\r\n"
                        "1,,,-0.25,0,0,,,,,\r\n"
                        "40000000000,2,2,inf,inf,0.33333333333333331,inf,sqrt2,0,inf,0\r\n");
    free(text);
    rows_free(&rows);
    unlink(in_folder("rows.csv"));
}

/* The elements of one array of the archive, after its header was checked. */
static void read_column(zip_t *archive, const char *name, const char *type, size_t size, size_t rows, void *out)
{
    char bytes[4096], wanted[128];
    zip_file_t *file = zip_fopen(archive, name, 0);
    assert_non_null(file);
    zip_int64_t count = zip_fread(file, bytes, sizeof bytes);
    zip_fclose(file);
    assert_int_equal(count, 128 + rows * size);
    assert_memory_equal(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    snprintf(wanted, sizeof wanted, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,), } ", type, rows);
    assert_memory_equal(bytes + 10, wanted, strlen(wanted));
    assert_true(bytes[127] == '\n' && bytes[126] == ' ');
    memcpy(out, bytes + 128, rows * size);
}

static void npz(void **unused)
{
    (void)unused;
    int64_t whole[ROWS];
    double number[ROWS];
    char text[ROWS][16];
    lip_rows rows = some_rows();
    write_rows(in_folder("rows.npz"), (lip_row_columns){0}, &rows);
    zip_t *archive = zip_open(in_folder("rows.npz"), ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    assert_non_null(archive);
    assert_int_equal(zip_get_num_entries(archive, 0), 8);
    read_column(archive, "index.npy", "<i8", 8, ROWS, whole);
    assert_true(whole[0] == 0 && whole[2] == 40000000000);
    read_column(archive, "label.npy", "<i8", 8, ROWS, whole);
    assert_true(whole[0] == 7 && whole[1] == -1);
    read_column(archive, "radius.npy", "<f8", 8, ROWS, number);
    assert_true(number[0] == 0.1 && number[1] == 0.0 && isinf(number[2]));
    read_column(archive, "pairwise.npy", "<f8", 8, ROWS, number);
    assert_true(number[0] == 0.1 && isnan(number[1]));
    read_column(archive, "method.npy", "|S16", 16, ROWS, text);
    assert_string_equal(text[0], "pairwise");
    assert_string_equal(text[1], "");
    zip_discard(archive);
    rows_free(&rows);
    unlink(in_folder("rows.npz"));
}

static void npz_of_everything(void **unused)
{
    (void)unused;
    double number[ROWS];
    lip_rows rows = some_rows();
    write_rows(in_folder("rows.npz"), (lip_row_columns){.local = true, .attack = true}, &rows);
    zip_t *archive = zip_open(in_folder("rows.npz"), ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    assert_non_null(archive);
    assert_int_equal(zip_get_num_entries(archive, 0), 11);
    read_column(archive, "local.npy", "<f8", 8, ROWS, number);
    assert_true(number[0] == 0.1 && isnan(number[1]) && number[2] == 0.0);
    read_column(archive, "attack.npy", "<f8", 8, ROWS, number);
    assert_true(number[0] == 0.25 && isnan(number[1]) && isinf(number[2]));
    read_column(archive, "gradient.npy", "<f8", 8, ROWS, number);
    assert_true(number[0] == 3.0 && isnan(number[1]) && number[2] == 0.0);
    zip_discard(archive);
    rows_free(&rows);
    unlink(in_folder("rows.npz"));
}

static void npz_is_reproducible(void **unused)
{
    (void)unused;
    size_t first_size, second_size;
    lip_rows rows = some_rows();
    write_rows(in_folder("rows.npz"), (lip_row_columns){0}, &rows);
    char *first = content(in_folder("rows.npz"), &first_size);
    write_rows(in_folder("rows.npz"), (lip_row_columns){0}, &rows);
    char *second = content(in_folder("rows.npz"), &second_size);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    free(first);
    free(second);
    rows_free(&rows);
    unlink(in_folder("rows.npz"));
}

static void no_rows(void **unused)
{
    (void)unused;
    double number[1];
    lip_rows rows = {0};
    write_rows(in_folder("rows.npz"), (lip_row_columns){0}, &rows);
    zip_t *archive = zip_open(in_folder("rows.npz"), ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    assert_non_null(archive);
    read_column(archive, "radius.npy", "<f8", 8, 0, number);
    zip_discard(archive);
    unlink(in_folder("rows.npz"));
}

/* Until it is committed there is nothing under the name, and what is given up leaves no trace (see remove_folder). */
static void discarded(void **unused)
{
    (void)unused;
    lip_rows_file file;
    lip_output_error error;
    assert_true(rows_file_open(in_folder("rows.csv"), (lip_row_columns){0}, &file, &error));
    rows_file_add(&file, &made[0]);
    assert_int_equal(access(in_folder("rows.csv"), F_OK), -1);
    rows_file_discard(&file);
    assert_int_equal(access(in_folder("rows.csv"), F_OK), -1);
    assert_false(rows_file_open(in_folder("missing/rows.csv"), (lip_row_columns){0}, &file, &error));
    assert_non_null(strstr(error.message, "cannot write the samples to "));
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    return rmdir(folder); /* fails if anything is left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names), cmocka_unit_test(csv), cmocka_unit_test(csv_of_everything), cmocka_unit_test(npz),
        cmocka_unit_test(npz_of_everything), cmocka_unit_test(npz_is_reproducible), cmocka_unit_test(no_rows),
        cmocka_unit_test(discarded),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
