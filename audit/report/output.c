/*
 * output.c: writes a report to a file or to standard output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a report reaches its place. */
typedef struct lip_place {
    char target[PATH_MAX];         /* links resolved: renaming must not replace a link */
    char temporary[PATH_MAX + 32]; /* "" where the target is written directly: a device or a pipe */
} lip_place;

static bool fail(lip_output_error *error, const char *path, const char *reason)
{
    snprintf(error->message, sizeof error->message, "cannot write the report to %s: %s",
             path ? path : "standard output", reason);
    return false;
}

static bool to_stdout(const lip_output *output)
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
    bool exists = stat(path, &status) == 0;
    if (strlen(path) >= sizeof place->target)
        return fail(error, path, strerror(ENAMETOOLONG));
    if (exists && S_ISDIR(status.st_mode))
        return fail(error, path, strerror(EISDIR));
    if (!exists || !realpath(path, place->target))
        snprintf(place->target, sizeof place->target, "%s", path);
    place->temporary[0] = '\0';
    if (!exists || S_ISREG(status.st_mode)) {
        size_t folder = folder_length(place->target);
        snprintf(place->temporary, sizeof place->temporary, "%.*s.lipaudit-%ld.tmp", (int)folder, place->target,
                 (long)getpid());
    }
    return true;
}

bool output_check(const lip_output *output, lip_output_error *error)
{
    lip_place place;
    if (to_stdout(output))
        return true;
    if (!find_place(output->path, &place, error))
        return false;
    size_t folder = folder_length(place.target);
    if (place.temporary[0] == '\0')
        return access(place.target, W_OK) == 0 || fail(error, output->path, strerror(errno));
    place.target[folder] = '\0';
    return access(folder > 0 ? place.target : ".", W_OK | X_OK) == 0 || fail(error, output->path, strerror(errno));
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

bool output_write(const lip_output *output, const lip_run_info *run, lip_output_error *error)
{
    lip_place place;
    if (to_stdout(output))
        return render(output, run, stdout, error);
    if (!find_place(output->path, &place, error))
        return false;
    bool direct = place.temporary[0] == '\0';
    int file = direct ? open(place.target, O_WRONLY | O_CLOEXEC)
                      : open(place.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return fail(error, output->path, strerror(errno));
    bool done = write_stream(output, run, file, !direct, error);
    if (direct)
        return done;
    if (done && rename(place.temporary, place.target) != 0)
        done = fail(error, output->path, strerror(errno));
    if (!done)
        unlink(place.temporary);
    return done;
}
