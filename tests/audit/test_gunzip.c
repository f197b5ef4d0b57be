/*
 * test_gunzip.c: whole, damaged, cut and oversized gzip files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gunzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#define LARGE 1000000

static char path[] = "/tmp/lipaudit-gunzip-XXXXXX";

/* Appends one gzip member of `count` bytes. */
static void pack(const char *mode, unsigned char byte, unsigned count)
{
    unsigned char *bytes = malloc(count);
    assert_non_null(bytes);
    memset(bytes, byte, count);
    gzFile file = gzopen(path, mode);
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, count), count);
    assert_int_equal(gzclose(file), Z_OK);
    free(bytes);
}

static lip_status unpack(uint64_t cap, unsigned char *first, unsigned char *last, size_t *size, lip_error *error)
{
    void *bytes = NULL;
    lip_status status = gunzip_file(path, cap, &bytes, size, error);
    if (status == LIP_OK && *size > 0) {
        *first = ((unsigned char *)bytes)[0];
        *last = ((unsigned char *)bytes)[*size - 1];
    }
    free(bytes);
    return status;
}

static void unpacks_all_members(void **unused)
{
    (void)unused;
    unsigned char first = 0, last = 0;
    size_t size = 0;
    lip_error error = {0};
    pack("wb", 'a', LARGE);
    pack("ab", 'b', 3);
    assert_true(gunzip_recognises(path));
    assert_int_equal(unpack(0, &first, &last, &size, &error), LIP_OK);
    assert_int_equal(size, LARGE + 3);
    assert_int_equal(first, 'a');
    assert_int_equal(last, 'b');
    assert_int_equal(unpack(LARGE + 3, &first, &last, &size, &error), LIP_OK);
}

static void stops_at_the_cap(void **unused)
{
    (void)unused;
    unsigned char first, last;
    size_t size = 7;
    lip_error error = {0};
    pack("wb", 'a', LARGE);
    assert_int_equal(unpack(LARGE - 1, &first, &last, &size, &error), LIP_EMEMORY);
    assert_int_equal(size, 7);
    assert_non_null(strstr(error.reason, "--max-memory"));
}

static void refuses_every_cut(void **unused)
{
    (void)unused;
    unsigned char first, last;
    size_t size;
    lip_error error = {0};
    pack("wb", 'a', LARGE);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    fclose(file);
    for (long cut = length - 1; cut >= 2; cut -= 1 + cut / 20) {
        assert_int_equal(truncate(path, cut), 0);
        assert_int_equal(unpack(0, &first, &last, &size, &error), LIP_EFORMAT);
    }
}

static void refuses_damage(void **unused)
{
    (void)unused;
    unsigned char first, last;
    size_t size;
    lip_error error = {0};
    pack("wb", 'a', LARGE);
    FILE *file = fopen(path, "rb+");
    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    fputs("damage", file);
    fclose(file);
    assert_int_equal(unpack(0, &first, &last, &size, &error), LIP_EFORMAT);
    assert_string_equal(error.file, path);
}

static void plain_files_are_not_gzip(void **unused)
{
    (void)unused;
    assert_int_equal(truncate(path, 0), 0);
    assert_false(gunzip_recognises(path));
    assert_false(gunzip_recognises("/"));
    assert_false(gunzip_recognises("/missing"));
}

static int make_file(void **unused)
{
    (void)unused;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **unused)
{
    (void)unused;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_all_members), cmocka_unit_test(stops_at_the_cap), cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(refuses_damage),      cmocka_unit_test(plain_files_are_not_gzip),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
