/*
 * output.c: writes a report to a file or to standard output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a report reaches its place. */
typedef struct lip_place {
    char target[PATH_MAX];         /* links resolved: renaming must not replace a link */
    char temporary[PATH_MAX + 48]; /* "" until it is made */
    bool direct;                   /* a device or a pipe: written without a temporary file */
    bool replaces;
    mode_t mode; /* of the file that is replaced */
} lip_place;

/* While a temporary file is there, these do not end the process: the moment is short, and no litter is left. */
static const int held_signal[] = {SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
#define HELD_SIGNALS (sizeof held_signal / sizeof *held_signal)

static bool fail(lip_output_error *error, const char *path, const char *reason)
{
    snprintf(error->message, sizeof error->message, "cannot write the report to %s: %s",
             path ? path : "standard output", reason);
    return false;
}

bool output_is_stdout(const lip_output *output)
{
    return !output->path || strcmp(output->path, "-") == 0;
}

/* Length of the folder's part of a path, its last slash included. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool find_place(const char *path, lip_place *place, lip_output_error *error)
{
    struct stat status;
    *place = (lip_place){.replaces = stat(path, &status) == 0};
    if (!place->replaces && errno != ENOENT)
        return fail(error, path, strerror(errno));
    if (strlen(path) >= sizeof place->target)
        return fail(error, path, strerror(ENAMETOOLONG));
    if (place->replaces && S_ISDIR(status.st_mode))
        return fail(error, path, strerror(EISDIR));
    if (!place->replaces || !realpath(path, place->target))
        snprintf(place->target, sizeof place->target, "%s", path);
    place->direct = place->replaces && !S_ISREG(status.st_mode);
    place->mode = place->replaces ? status.st_mode & 0777 : 0;
    return true;
}

bool output_check(const lip_output *output, lip_output_error *error)
{
    lip_place place;
    if (output_is_stdout(output))
        return true;
    if (!find_place(output->path, &place, error))
        return false;
    if (place.replaces && access(place.target, W_OK) != 0)
        return fail(error, output->path, strerror(errno));
    if (place.direct)
        return true;
    size_t folder = folder_length(place.target);
    place.target[folder] = '\0';
    return access(folder > 0 ? place.target : ".", W_OK | X_OK) == 0 || fail(error, output->path, strerror(errno));
}

bool output_same_file(const char *a, const char *b)
{
    struct stat x, y;
    bool x_exists = stat(a, &x) == 0, y_exists = stat(b, &y) == 0;
    if (!x_exists && !y_exists)
        return strcmp(a, b) == 0;
    return x_exists && y_exists && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool render(const lip_output *output, const lip_run_info *run, FILE *stream, lip_output_error *error)
{
    errno = 0;
    if (!output->format->render(run, stream))
        return fail(error, output->path, "out of memory");
    if (fflush(stream) != 0 || ferror(stream))
        return fail(error, output->path, strerror(errno != 0 ? errno : EIO));
    return true;
}

static bool write_stream(const lip_output *output, const lip_run_info *run, int file, bool sync,
                         lip_output_error *error)
{
    FILE *stream = fdopen(file, "w");
    if (!stream) {
        close(file);
        return fail(error, output->path, strerror(errno));
    }
    bool done = render(output, run, stream, error);
    if (done && sync && fsync(file) != 0)
        done = fail(error, output->path, strerror(errno));
    if (fclose(stream) != 0 && done)
        done = fail(error, output->path, strerror(errno));
    return done;
}

/* O_EXCL: two runs never share one. What a killed run of the same process number has left is passed over. */
static int open_temporary(lip_place *place)
{
    int file = -1, folder = (int)folder_length(place->target);
    errno = EEXIST;
    for (int attempt = 0; file < 0 && errno == EEXIST && attempt < 100; attempt++) {
        snprintf(place->temporary, sizeof place->temporary, "%.*s.lipaudit-%ld-%d.tmp", folder, place->target,
                 (long)getpid(), attempt);
        file = open(place->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return file;
}

static bool replace_file(const lip_output *output, const lip_run_info *run, lip_place *place, lip_output_error *error)
{
    int file = open_temporary(place);
    if (file < 0)
        return fail(error, output->path, strerror(errno));
    if (place->replaces && fchmod(file, place->mode) != 0)
        errno = 0; /* a file system without modes */
    bool done = write_stream(output, run, file, true, error);
    if (done && rename(place->temporary, place->target) != 0)
        done = fail(error, output->path, strerror(errno));
    if (!done)
        unlink(place->temporary);
    return done;
}

bool output_write(const lip_output *output, const lip_run_info *run, lip_output_error *error)
{
    lip_place place;
    if (output_is_stdout(output))
        return render(output, run, stdout, error);
    if (!find_place(output->path, &place, error))
        return false;
    if (place.direct) {
        int file = open(place.target, O_WRONLY | O_CLOEXEC);
        return file < 0 ? fail(error, output->path, strerror(errno)) : write_stream(output, run, file, false, error);
    }
    struct sigaction before[HELD_SIGNALS];
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < HELD_SIGNALS; i++)
        sigaction(held_signal[i], &ignore, &before[i]);
    bool done = replace_file(output, run, &place, error);
    for (size_t i = 0; i < HELD_SIGNALS; i++)
        sigaction(held_signal[i], &before[i], NULL);
    return done;
}
