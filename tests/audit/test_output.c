/*
 * test_output.c: a report file is whole or is not there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "output.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/lipaudit-test-XXXXXX";

static bool render_hello(const lip_run_info *run, FILE *stream)
{
    (void)run;
    fputs("hello\n", stream);
    return true;
}

static bool render_half(const lip_run_info *run, FILE *stream)
{
    (void)run;
    fputs("hel", stream);
    return false;
}

static const lip_format hello = {"hello", ".txt", render_hello}, half = {"half", ".txt", render_half};
static const lip_run_info nothing;

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_content(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return count;
}

static void writes_and_replaces(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&hello, in_folder("a")};
    assert_true(output_check(&output, &error));
    assert_int_equal(files_in_folder(), 0); /* checking leaves nothing behind */
    assert_true(output_write(&output, &nothing, &error));
    assert_true(output_write(&output, &nothing, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(files_in_folder(), 1);
}

static void failure_leaves_the_old_file(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&half, in_folder("a")};
    assert_false(output_write(&output, &nothing, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(files_in_folder(), 1);
}

static void follows_links(void **unused)
{
    (void)unused;
    lip_output_error error;
    char target[256];
    snprintf(target, sizeof target, "%s/a", folder);
    assert_int_equal(truncate(target, 0), 0);
    assert_int_equal(symlink("a", in_folder("link")), 0);
    lip_output output = {&hello, in_folder("link")};
    struct stat status;
    assert_true(output_write(&output, &nothing, &error));
    assert_int_equal(lstat(output.path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_content(target, "hello\n");
}

static void says_why_not(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&hello, folder};
    assert_false(output_check(&output, &error));
    assert_non_null(strstr(error.message, "Is a directory"));
    output.path = in_folder("missing/a");
    assert_false(output_check(&output, &error));
    assert_non_null(strstr(error.message, "No such file or directory"));
    assert_false(output_write(&output, &nothing, &error));
    if (access("/dev/full", W_OK) == 0) {
        output.path = "/dev/full";
        assert_true(output_check(&output, &error));
        assert_false(output_write(&output, &nothing, &error));
        assert_string_equal(error.message, "cannot write the report to /dev/full: No space left on device");
    }
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    unlink(in_folder("link"));
    unlink(in_folder("a"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_replaces),
        cmocka_unit_test(failure_leaves_the_old_file),
        cmocka_unit_test(follows_links),
        cmocka_unit_test(says_why_not),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
