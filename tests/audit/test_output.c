/*
 * test_output.c: a report file is whole or is not there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "output.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/lipaudit-test-XXXXXX";

static bool render_hello(const json_t *document, FILE *stream)
{
    (void)document;
    fputs("hello\n", stream);
    return true;
}

static bool render_half(const json_t *document, FILE *stream)
{
    (void)document;
    fputs("hel", stream);
    return false;
}

static bool render_interrupted(const json_t *document, FILE *stream)
{
    raise(SIGINT);
    raise(SIGTERM);
    return render_hello(document, stream);
}

static const lip_format interrupted = {"interrupted", ".txt", render_interrupted};
static const lip_format hello = {"hello", ".txt", render_hello}, half = {"half", ".txt", render_half};

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
    assert_true(output_write(&output, NULL, &error));
    assert_true(output_write(&output, NULL, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(files_in_folder(), 1);
}

static void failure_leaves_the_old_file(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&half, in_folder("a")};
    assert_false(output_write(&output, NULL, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(files_in_folder(), 1);
}

static void signals_wait_for_the_file(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&interrupted, in_folder("a")};
    struct sigaction after;
    assert_true(output_write(&output, NULL, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(sigaction(SIGINT, NULL, &after), 0);
    assert_true(after.sa_handler == SIG_DFL);
}

static void passes_over_litter(void **unused)
{
    (void)unused;
    lip_output_error error;
    char litter[256];
    snprintf(litter, sizeof litter, "%s/.lipaudit-%ld-0.tmp", folder, (long)getpid());
    FILE *file = fopen(litter, "w");
    assert_non_null(file);
    fclose(file);
    lip_output output = {&hello, in_folder("a")};
    assert_true(output_write(&output, NULL, &error));
    assert_content(output.path, "hello\n");
    assert_int_equal(unlink(litter), 0);
    assert_int_equal(files_in_folder(), 1);
}

static void keeps_permissions(void **unused)
{
    (void)unused;
    lip_output_error error;
    lip_output output = {&hello, in_folder("a")};
    struct stat status;
    assert_int_equal(chmod(output.path, 0600), 0);
    assert_true(output_write(&output, NULL, &error));
    assert_int_equal(stat(output.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    if (geteuid() == 0) /* whom nothing is read-only to */
        return;
    assert_int_equal(chmod(output.path, 0400), 0);
    assert_false(output_check(&output, &error));
    assert_non_null(strstr(error.message, "Permission denied"));
    assert_int_equal(chmod(output.path, 0600), 0);
}

static void knows_the_same_file(void **unused)
{
    (void)unused;
    char other[256];
    snprintf(other, sizeof other, "%s/./a", folder);
    assert_true(output_same_file(in_folder("a"), other));
    char missing[256];
    snprintf(missing, sizeof missing, "%s/./missing", folder);
    assert_true(output_same_file(in_folder("missing"), missing));
    assert_true(output_same_file("missing", "./missing"));
    assert_false(output_same_file(in_folder("missing"), "missing"));
    assert_true(output_same_file("/nowhere/a", "/nowhere/a"));
    assert_false(output_same_file("/nowhere/a", "/nowhere/b"));
    assert_false(output_same_file(in_folder("a"), "/nowhere/a"));
    assert_false(output_same_file("/dev/null", "/dev/null"));
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
    assert_true(output_write(&output, NULL, &error));
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
    char long_name[300] = "";
    memset(long_name, 'a', sizeof long_name - 1);
    output.path = long_name;
    assert_false(output_check(&output, &error));
    assert_non_null(strstr(error.message, "File name too long"));
    output.path = in_folder("missing/a");
    assert_false(output_write(&output, NULL, &error));
    if (access("/dev/full", W_OK) == 0) {
        output.path = "/dev/full";
        assert_true(output_check(&output, &error));
        assert_false(output_write(&output, NULL, &error));
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
        cmocka_unit_test(signals_wait_for_the_file),
        cmocka_unit_test(passes_over_litter),
        cmocka_unit_test(keeps_permissions),
        cmocka_unit_test(knows_the_same_file),
        cmocka_unit_test(follows_links),
        cmocka_unit_test(says_why_not),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
