/*
 * output.c: writes a report to a file or to standard output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define REPORT "the report"

/* While a temporary file is there, these do not end the process: the moment is short, and no litter is left. */
static const int held_signal[] = {SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
#define HELD_SIGNALS (sizeof held_signal / sizeof *held_signal)

static bool fail(lip_output_error *error, const char *path, const char *reason)
{
    snprintf(error->message, sizeof error->message, "cannot write " REPORT " to %s: %s",
             path ? path : "standard output", reason);
    return false;
}

bool output_is_stdout(const lip_output *output)
{
    return !output->path || strcmp(output->path, "-") == 0;
}

bool output_check(const lip_output *output, lip_output_error *error)
{
    return output_is_stdout(output) || replacement_check(REPORT, output->path, error);
}

/* Neither is there yet: the same name in the same folder. */
static bool same_place(const char *a, const char *b)
{
    struct stat x, y;
    const char *path[] = {a, b}, *name[2];
    char folder[2][4096];
    for (int i = 0; i < 2; i++) {
        const char *slash = strrchr(path[i], '/');
        name[i] = slash ? slash + 1 : path[i];
        snprintf(folder[i], sizeof folder[i], "%.*s.", (int)(name[i] - path[i]), path[i]);
    }
    bool both = stat(folder[0], &x) == 0 && stat(folder[1], &y) == 0;
    return strcmp(a, b) == 0 || (both && strcmp(name[0], name[1]) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

bool output_same_file(const char *a, const char *b)
{
    struct stat x, y;
    bool x_exists = stat(a, &x) == 0, y_exists = stat(b, &y) == 0;
    if (!x_exists && !y_exists)
        return same_place(a, b);
    return x_exists && y_exists && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool render(const lip_output *output, const json_t *document, FILE *stream, lip_output_error *error)
{
    errno = 0;
    if (!output->format->render(document, stream))
        return fail(error, output->path, "out of memory");
    if (fflush(stream) != 0 || ferror(stream))
        return fail(error, output->path, strerror(errno != 0 ? errno : EIO));
    return true;
}

static bool write_file(const lip_output *output, const json_t *document, lip_output_error *error)
{
    lip_replacement file;
    if (!replacement_open(REPORT, output->path, &file, error))
        return false;
    bool done = render(output, document, file.stream, error) && replacement_commit(&file, error);
    replacement_discard(&file);
    return done;
}

bool output_write(const lip_output *output, const json_t *document, lip_output_error *error)
{
    if (output_is_stdout(output))
        return render(output, document, stdout, error);
    struct sigaction before[HELD_SIGNALS];
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < HELD_SIGNALS; i++)
        sigaction(held_signal[i], &ignore, &before[i]);
    bool done = write_file(output, document, error);
    for (size_t i = 0; i < HELD_SIGNALS; i++)
        sigaction(held_signal[i], &before[i], NULL);
    return done;
}
