/*
 * replacement.c: a file written beside its final name, synced and renamed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(const lip_replacement *file, lip_output_error *error, int reason)
{
    snprintf(error->message, sizeof error->message, "cannot write %s to %s: %s", file->what, file->path,
             strerror(reason != 0 ? reason : EIO));
    return false;
}

/* Length of the folder's part of a path, its last slash included. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool find_place(const char *what, const char *path, lip_replacement *file, lip_output_error *error)
{
    struct stat status;
    *file = (lip_replacement){.what = what, .path = path, .replaces = stat(path, &status) == 0};
    if (!file->replaces && errno != ENOENT)
        return fail(file, error, errno);
    if (strlen(path) >= sizeof file->target)
        return fail(file, error, ENAMETOOLONG);
    if (file->replaces && S_ISDIR(status.st_mode))
        return fail(file, error, EISDIR);
    if (!file->replaces || !realpath(path, file->target))
        snprintf(file->target, sizeof file->target, "%s", path);
    file->direct = file->replaces && !S_ISREG(status.st_mode);
    file->mode = file->replaces ? status.st_mode & 0777 : 0;
    return true;
}

bool replacement_check(const char *what, const char *path, lip_output_error *error)
{
    lip_replacement file;
    if (!find_place(what, path, &file, error))
        return false;
    if (file.replaces && access(file.target, W_OK) != 0)
        return fail(&file, error, errno);
    if (file.direct)
        return true;
    size_t folder = folder_length(file.target);
    file.target[folder] = '\0';
    return access(folder > 0 ? file.target : ".", W_OK | X_OK) == 0 || fail(&file, error, errno);
}

/* O_EXCL: two runs never share one. What a killed run of the same process number has left is passed over. */
static int open_temporary(lip_replacement *file)
{
    int opened = -1, folder = (int)folder_length(file->target);
    errno = EEXIST;
    for (int attempt = 0; opened < 0 && errno == EEXIST && attempt < 100; attempt++) {
        snprintf(file->temporary, sizeof file->temporary, "%.*s.lipaudit-%ld-%d.tmp", folder, file->target,
                 (long)getpid(), attempt);
        opened = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (opened < 0)
        file->temporary[0] = '\0';
    return opened;
}

bool replacement_open(const char *what, const char *path, lip_replacement *out, lip_output_error *error)
{
    if (!find_place(what, path, out, error))
        return false;
    int opened = out->direct ? open(out->target, O_WRONLY | O_CLOEXEC) : open_temporary(out);
    if (opened < 0)
        return fail(out, error, errno);
    if (out->replaces && !out->direct && fchmod(opened, out->mode) != 0)
        errno = 0; /* a file system without modes */
    out->stream = fdopen(opened, "w");
    if (out->stream)
        return true;
    fail(out, error, errno);
    close(opened);
    replacement_discard(out);
    return false;
}

bool replacement_commit(lip_replacement *file, lip_output_error *error)
{
    errno = 0;
    bool whole = fflush(file->stream) == 0 && !ferror(file->stream) &&
                 (file->direct || fsync(fileno(file->stream)) == 0);
    int reason = errno;
    if (fclose(file->stream) != 0 && whole) {
        whole = false;
        reason = errno;
    }
    file->stream = NULL;
    if (whole && !file->direct && rename(file->temporary, file->target) != 0) {
        whole = false;
        reason = errno;
    }
    if (whole)
        file->temporary[0] = '\0';
    else
        fail(file, error, reason);
    replacement_discard(file);
    return whole;
}

void replacement_discard(lip_replacement *file)
{
    if (file->stream)
        fclose(file->stream);
    file->stream = NULL;
    if (file->temporary[0] != '\0')
        unlink(file->temporary);
    file->temporary[0] = '\0';
}
