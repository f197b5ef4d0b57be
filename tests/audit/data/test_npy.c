/*
 * test_npy.c: .npy and .npz files of all kinds, and the refused ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#define N 36
static const lip_shape input = {4, {1, 2, 2, 3}};
static const int64_t classes[] = {2, 0, 1};
static double values[N];

/* What tests/audit/data/make.py wrote. */
static double made(int i, char kind)
{
    double x = (i - 7) / 4.0;
    return kind == 'b' ? x > 0 : kind == 'u' ? fabs(x) * 4 : kind == 'i' ? x * 4 : x;
}

static const double *all(char kind)
{
    for (int i = 0; i < N; i++)
        values[i] = made(i, kind);
    return values;
}

static void reads_every_type(void **unused)
{
    static const char *const names[] = {
        "bool",       "u1",         "i1",         "little_u2",  "big_i2",     "little_i4",  "big_u4", "little_i8",
        "big_u8",     "little_f2",  "big_f2",     "little_f4",  "big_f4",     "little_f8",  "big_f8",
    };
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[40];
        const char *kind = strchr(names[i], '_') ? strchr(names[i], '_') + 1 : names[i];
        snprintf(file, sizeof file, "%s.npy", names[i]);
        lip_data_options options = data_for(files_written(file), input);
        expect_data(&options, 3, all(kind[0]), NULL);
    }
}

static void reads_versions_and_orders(void **unused)
{
    static const char *const names[] = {"version2.npy", "version3.npy", "fortran.npy", "fortran.npz"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lip_data_options options = data_for(files_written(names[i]), input);
        expect_data(&options, 3, all('f'), NULL);
    }
}

static void reads_archives(void **unused)
{
    (void)unused;
    lip_data_options options = data_for(files_written("stored.npz"), input);
    expect_data(&options, 3, all('f'), classes);
    options.path = files_written("deflated.npz"); /* the only array that is no labels; one-hot */
    expect_data(&options, 3, all('f'), classes);
    options.path = files_written("several.npz");
    options.input = "b"; /* by the input's name */
    expect_data(&options, 3, all('f'), NULL);
    options.labels = files_written("only_labels.npz");
    expect_data(&options, 3, all('f'), classes);
}

static void refuses_archives(void **unused)
{
    (void)unused;
    lip_data_options options = data_for(files_written("several.npz"), input);
    expect_refusal(&options, LIP_EFORMAT, "holds 3 arrays that are no labels, none of them 'x'");
    options.path = files_written("two_labels.npz");
    expect_refusal(&options, LIP_EFORMAT, "holds 2 arrays of labels");
    options.path = files_written("only_labels.npz");
    expect_refusal(&options, LIP_EFORMAT, "holds 0 arrays");
    options.path = files_put("empty.npz", "PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    expect_refusal(&options, LIP_EFORMAT, "is an empty zip archive");
    options.path = files_put("cut.npz", "PK\x03\x04 and nothing else", 20);
    expect_refusal(&options, LIP_EFORMAT, "the zip archive: ");
}

static size_t load(const char *path, unsigned char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(to, 1, room, file);
    fclose(file);
    return size;
}

/* Damage anywhere in an archive is an error or leaves the values as they were (the check sum sees to that). */
static void damaged_archives_are_never_other_values(void **unused)
{
    unsigned char bytes[4096];
    double found[N];
    int64_t labels[3];
    (void)unused;
    size_t size = load(files_written("deflated.npz"), bytes, sizeof bytes), refused = 0;
    const char *path = files_put("damaged.npz", bytes, size);
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 0x10;
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        bytes[at] ^= 0x10;
        lip_data_options options = data_for(path, input);
        lip_data *data = NULL;
        lip_error error;
        lip_status status = data_open(&options, &data, &error);
        if (!status)
            status = data_read(data, 0, 3, found, labels, &error);
        if (!status)
            assert_memory_equal(found, all('f'), sizeof found);
        refused += status != LIP_OK;
        data_close(&data);
    }
    assert_true(refused > size / 4);
}

static const char *numpy(const char *name, int version, const char *header, size_t size)
{
    static unsigned char bytes[1024], zeros[256];
    return files_put(name, bytes, npy_bytes(bytes, version, header, zeros, size));
}

static void refuses_headers(void **unused)
{
    static const struct {
        const char *header, *part;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}x", "lacks one of"},
        {"{'descr': '<f4', 'fortran_order': False}", "lacks one of descr"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, -4)}", "not a tuple of whole numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, (4,))}", "not a tuple of whole numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 12}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': 1, 'shape': (3, 4)}", "not True or False"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}", "not a dictionary"},
        {"{'descr': '<f4', 'other': False, 'shape': (3, 4)}", "not a dictionary"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3, 4)}", "elements of type '<c8'"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (3, 4)}", "elements of type '<f16'"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (3, 4)}", "elements of type '|f4'"},
        {"{'descr': '<f4\\x00', 'fortran_order': False, 'shape': (3, 4)}", "does not belong"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 99999999999999999999)}", "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "product of its dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4)}", "holds no samples"},
        {"[[[[[[[[", "not a dictionary"},
        {"", "not a dictionary"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_data_options options = data_for(numpy("header.npy", 1, cases[i].header, 48), SHAPE(2, 1, 4));
        expect_refusal(&options, LIP_EFORMAT, cases[i].part);
    }
    lip_data_options options = data_for(files_written("objects.npy"), SHAPE(2, 1, 4));
    expect_refusal(&options, LIP_EFORMAT, "Python objects");
    options.path = files_written("records.npy");
    expect_refusal(&options, LIP_EFORMAT, "holds records");
    options.path = numpy("version9.npy", 9, "{}", 0);
    expect_refusal(&options, LIP_EFORMAT, "version 9");
    options.path = files_put("long.npy", "\x93NUMPY\x02\x00\xff\xff\xff\x7f{'descr': '<f4'", 27);
    expect_refusal(&options, LIP_EFORMAT, "the .npy header has 2147483647 bytes");
    options.path = files_put("cut.npy", "\x93NUMPY\x01\x00\x76\x00{'descr'", 18);
    expect_refusal(&options, LIP_EFORMAT, "end in the .npy header");
}

#define HEADER "{'descr': '<f4', 'fortran_order': %s, 'shape': (3, 4), }\n"

static void refuses_wrong_lengths(void **unused)
{
    static unsigned char bytes[1024], zeros[256];
    char header[100];
    (void)unused;
    snprintf(header, sizeof header, HEADER, "False");
    lip_data_options options = data_for(numpy("cut.npy", 1, header, 47), SHAPE(2, 1, 4));
    expect_refusal(&options, LIP_EFORMAT, "the data end in sample 2 of 3");
    options.path = numpy("cut.npy", 1, header, 15);
    expect_refusal(&options, LIP_EFORMAT, "the data end in sample 0 of 3");
    options.path = numpy("more.npy", 1, header, 50);
    expect_refusal(&options, LIP_EFORMAT, "holds 2 bytes more");
    options.path = files_put_gz("cut.npy.gz", bytes, npy_bytes(bytes, 1, header, zeros, 20));
    expect_refusal(&options, LIP_EFORMAT, "the data end in sample 1 of 3");
    snprintf(header, sizeof header, HEADER, "True");
    options.path = files_put_gz("cut_fortran.npy.gz", bytes, npy_bytes(bytes, 1, header, zeros, 44));
    expect_refusal(&options, LIP_EFORMAT, "the data end in sample 2 of 3");
    options.path = files_put_gz("whole.npy.gz", bytes, npy_bytes(bytes, 1, header, zeros, 48));
    expect_data(&options, 3, (const double[12]){0}, NULL);
}

static void refuses_numbers(void **unused)
{
    static unsigned char bytes[1024];
    const float bad[] = {0, 1, 2, 3, (float)INFINITY, 5, 6, 7, 8, 9, 10, (float)NAN};
    const int64_t large[] = {0, INT64_C(1) << 60, (INT64_C(1) << 53) + 1, 7};
    char header[100];
    (void)unused;
    snprintf(header, sizeof header, HEADER, "False");
    lip_data_options options = data_for(files_put("bad.npy", bytes, npy_bytes(bytes, 1, header, bad, sizeof bad)),
                                        SHAPE(2, 1, 4));
    expect_refusal(&options, LIP_EFORMAT, "sample 1: its element 0 is not a finite number");
    options.first = 2;
    expect_refusal(&options, LIP_EFORMAT, "sample 2: its element 3 is not a finite number");
    const char *text = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }";
    options = data_for(files_put("large.npy", bytes, npy_bytes(bytes, 1, text, large, sizeof large)), SHAPE(2, 1, 2));
    expect_refusal(&options, LIP_EFORMAT, "sample 1: its element 0 is not a finite number that float64 holds");
    options.end = 1;
    expect_data(&options, 1, (const double[]){0, 0x1p60}, NULL);
}

/* Float16 over all its bit patterns against the definition by ldexp of its integer significand. */
static void half_precision_is_exact(void **unused)
{
    static unsigned char bytes[70000];
    static uint16_t patterns[31744];
    static double wanted[31744];
    (void)unused;
    for (int i = 0; i < 31744; i++) { /* all finite ones that are not negative */
        patterns[i] = (uint16_t)i;
        wanted[i] = i < 1024 ? i * 0x1p-24 : (1024 + i % 1024) * pow(2, i / 1024 - 25);
    }
    const char *text = "{'descr': '<f2', 'fortran_order': False, 'shape': (31744,), }";
    lip_data_options options =
        data_for(files_put("half.npy", bytes, npy_bytes(bytes, 1, text, patterns, sizeof patterns)), SHAPE(2, 1, 1));
    expect_data(&options, 31744, wanted, NULL);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(reads_versions_and_orders),
        cmocka_unit_test(reads_archives),
        cmocka_unit_test(refuses_archives),
        cmocka_unit_test(damaged_archives_are_never_other_values),
        cmocka_unit_test(refuses_headers),
        cmocka_unit_test(refuses_wrong_lengths),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(half_precision_is_exact),
    };
    files_folder = count > 1 ? arguments[1] : files_folder;
    return cmocka_run_group_tests(tests, files_begin, files_end);
}
