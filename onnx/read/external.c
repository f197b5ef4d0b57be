/*
 * external.c: external data files, and never a byte from outside the
 * model's folder.
 *
 * The path is walked component by component with openat and O_NOFOLLOW from
 * the folder's descriptor: no check of a name can be undone by a rename
 * between the check and the use.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "failure.h"
#include "read/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LOCATION 4096

static lip_status open_folder(lip_source *source, lip_error *error)
{
    if (source->folder >= 0)
        return LIP_OK;
    const char *slash = strrchr(source->path, '/');
    const char *folder = slash ? "/" : ".";
    if (slash && slash != source->path) {
        folder = lip_arena_string(source->arena, source->path, (size_t)(slash - source->path));
        if (!folder)
            return lip_fail_memory(error, NULL, "a path");
    }
    source->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source->folder < 0)
        return lip_fail(error, LIP_EIO, "cannot open the model's folder '%s': %s", folder, strerror(errno));
    return LIP_OK;
}

static lip_status refuse(const char *location, lip_error *error, const char *why)
{
    return lip_fail(error, LIP_EFORMAT, "external data '%s' is refused: %s", location, why);
}

static bool is_link(int folder, const char *name)
{
    struct stat about;
    return fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(about.st_mode);
}

/* Opens one component; takes `folder` over and closes it unless it is the source's own. */
static lip_status step(const lip_source *source, int *folder, const char *name, bool last, const char *location,
                       lip_error *error)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    int next = openat(*folder, name, flags);
    int reason = errno;
    lip_status status = LIP_OK;
    if (next < 0 && is_link(*folder, name))
        status = refuse(location, error, "it is, or goes through, a symbolic link");
    else if (next < 0)
        status = lip_fail(error, LIP_EIO, "cannot open external data '%s': %s", location, strerror(reason));
    if (*folder != source->folder)
        close(*folder);
    *folder = next;
    return status;
}

static lip_status open_inside(const lip_source *source, const char *location, int *out, lip_error *error)
{
    char path[MAX_LOCATION];
    if (location[0] == '\0')
        return refuse(location, error, "it has no location");
    if (location[0] == '/')
        return refuse(location, error, "its path is absolute");
    if (strlen(location) >= sizeof path)
        return refuse(location, error, "its path is too long");
    memcpy(path, location, strlen(location) + 1);

    int at = source->folder;
    for (char *name = path; name;) {
        char *slash = strchr(name, '/');
        if (slash)
            *slash = '\0';
        lip_status status = LIP_OK;
        if (strcmp(name, "..") == 0)
            status = refuse(location, error, "it leaves the model's folder ('..')");
        else if (name[0] != '\0' && strcmp(name, ".") != 0)
            status = step(source, &at, name, !slash, location, error);
        else if (!slash)
            status = refuse(location, error, "it names a folder");
        if (status) {
            if (at >= 0 && at != source->folder)
                close(at);
            return status;
        }
        name = slash ? slash + 1 : NULL;
    }
    *out = at;
    return LIP_OK;
}

static lip_status add_external(lip_source *source, const char *location, lip_external **out, lip_error *error)
{
    lip_external *added = lip_arena_alloc(source->arena, 1, sizeof *added);
    char *name = lip_arena_string(source->arena, location, strlen(location));
    if (!added || !name)
        return lip_fail_memory(error, NULL, "external data");
    lip_status status = open_folder(source, error);
    if (status)
        return status;
    int file;
    status = open_inside(source, location, &file, error);
    if (status)
        return status;
    char what[256];
    snprintf(what, sizeof what, "external data '%.200s'", location);
    status = lip_map(file, what, &added->mapping, error);
    close(file);
    if (status)
        return status;
    added->location = name;
    added->next = source->externals;
    source->externals = added;
    *out = added;
    return LIP_OK;
}

lip_status lip_source_external(lip_source *source, const char *location, const uint8_t **bytes, size_t *size,
                               lip_error *error)
{
    lip_external *found = source->externals;
    while (found && strcmp(found->location, location) != 0)
        found = found->next;
    if (!found) {
        lip_status status = add_external(source, location, &found, error);
        if (status)
            return status;
    }
    *bytes = found->mapping.bytes;
    *size = found->mapping.size;
    return LIP_OK;
}
