/*
 * stream.c: bytes of a plain or gzip'd file (zlib's gz functions do both), or
 * of a member of a zip archive (libzip).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

struct lip_stream {
    const char *path;
    gzFile file;
    zip_t *archive;
    zip_file_t *member;
    uint64_t index;
    int64_t length; /* -1: not known */
    int64_t at;
    bool cut;
};

/* O_NONBLOCK: opening a pipe must not wait for a writer. */
static lip_status open_regular(const char *path, int *out, struct stat *about, lip_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return data_fail(error, path, LIP_EIO, "cannot open the file: %s", strerror(errno));
    if (fstat(file, about) != 0 || !S_ISREG(about->st_mode)) {
        close(file);
        return data_fail(error, path, LIP_EIO, "is not a regular file");
    }
    *out = file;
    return LIP_OK;
}

lip_status stream_open(const char *path, lip_stream **out, lip_error *error)
{
    struct stat about;
    int file = -1;
    lip_status status = open_regular(path, &file, &about, error);
    if (status)
        return status;
    lip_stream *stream = calloc(1, sizeof *stream);
    if (stream)
        stream->file = gzdopen(file, "rb");
    if (!stream || !stream->file || gzbuffer(stream->file, STREAM_PIECE) != 0) {
        if (!stream || !stream->file)
            close(file);
        stream_close(&stream);
        return data_no_memory(error, path, "a buffer");
    }
    stream->path = path;
    stream->length = gzdirect(stream->file) ? (int64_t)about.st_size : -1;
    *out = stream;
    return LIP_OK;
}

static lip_status zip_fault(const lip_stream *stream, zip_error_t *cause, lip_error *error)
{
    lip_status status = zip_error_code_zip(cause) == ZIP_ER_MEMORY ? LIP_EMEMORY : LIP_EFORMAT;
    return data_fail(error, stream->path, status, "the zip archive: %s", zip_error_strerror(cause));
}

static lip_status open_member(lip_stream *stream, lip_error *error)
{
    zip_stat_t about;
    int code;
    stream->archive = zip_open(stream->path, ZIP_RDONLY, &code);
    if (!stream->archive) {
        zip_error_t cause;
        zip_error_init_with_code(&cause, code);
        lip_status status = zip_fault(stream, &cause, error);
        zip_error_fini(&cause);
        return status;
    }
    if (zip_stat_index(stream->archive, stream->index, 0, &about) != 0)
        return zip_fault(stream, zip_get_error(stream->archive), error);
    if (!(about.valid & ZIP_STAT_SIZE) || about.size > INT64_MAX)
        return data_fail(error, stream->path, LIP_EFORMAT, "the zip archive does not say how long a member is");
    stream->length = (int64_t)about.size;
    stream->member = zip_fopen_index(stream->archive, stream->index, 0);
    return stream->member ? LIP_OK : zip_fault(stream, zip_get_error(stream->archive), error);
}

lip_status stream_open_member(const char *path, uint64_t index, lip_stream **out, lip_error *error)
{
    lip_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return data_no_memory(error, path, "a buffer");
    stream->path = path;
    stream->index = index;
    lip_status status = open_member(stream, error);
    if (status)
        stream_close(&stream);
    else
        *out = stream;
    return status;
}

void stream_close(lip_stream **stream)
{
    if (!stream || !*stream)
        return;
    if ((*stream)->file)
        gzclose((*stream)->file);
    if ((*stream)->member)
        zip_fclose((*stream)->member);
    if ((*stream)->archive)
        zip_discard((*stream)->archive);
    free(*stream);
    *stream = NULL;
}

int64_t stream_length(const lip_stream *stream)
{
    return stream->length;
}

bool stream_cut(const lip_stream *stream)
{
    return stream->cut;
}

const char *stream_path(const lip_stream *stream)
{
    return stream->path;
}

static lip_status read_file(lip_stream *stream, void *to, size_t size, size_t *got, lip_error *error)
{
    int count = gzread(stream->file, to, (unsigned)size), code = Z_OK;
    const char *reason = gzerror(stream->file, &code);
    if (code == Z_ERRNO)
        return data_fail(error, stream->path, LIP_EIO, "cannot be read: %s", strerror(errno));
    if (code == Z_MEM_ERROR)
        return data_no_memory(error, stream->path, "unpacking");
    if (code == Z_BUF_ERROR)
        stream->cut = true;
    else if (count < 0 || code < 0)
        return data_fail(error, stream->path, LIP_EFORMAT, "damaged gzip data: %s",
                         strstr(reason, ": ") ? strstr(reason, ": ") + 2 : reason); /* without zlib's "<fd:3>" */
    *got = count > 0 ? (size_t)count : 0;
    return LIP_OK;
}

static lip_status read_member(lip_stream *stream, void *to, size_t size, size_t *got, lip_error *error)
{
    zip_int64_t count = zip_fread(stream->member, to, size);
    if (count < 0)
        return zip_fault(stream, zip_file_get_error(stream->member), error);
    *got = (size_t)count;
    return LIP_OK;
}

static lip_status read_some(lip_stream *stream, void *to, size_t size, size_t *got, lip_error *error)
{
    size_t step = size < INT_MAX / 2 ? size : INT_MAX / 2;
    lip_status status =
        stream->file ? read_file(stream, to, step, got, error) : read_member(stream, to, step, got, error);
    if (!status)
        stream->at += (int64_t)*got;
    return status;
}

/* Stored members can be moved in; others are read up to the place. */
static lip_status move_member(lip_stream *stream, int64_t offset, lip_error *error)
{
    if (zip_fseek(stream->member, offset, SEEK_SET) == 0) {
        stream->at = offset;
        return LIP_OK;
    }
    if (offset < stream->at) {
        zip_fclose(stream->member);
        stream->at = 0;
        stream->member = zip_fopen_index(stream->archive, stream->index, 0);
        if (!stream->member)
            return zip_fault(stream, zip_get_error(stream->archive), error);
    }
    while (stream->at < offset) {
        char skipped[8192];
        size_t step = sizeof skipped, got = 0;
        if (offset - stream->at < (int64_t)step)
            step = (size_t)(offset - stream->at);
        lip_status status = read_some(stream, skipped, step, &got, error);
        if (status)
            return status;
        if (got == 0)
            break;
    }
    return LIP_OK;
}

static lip_status move(lip_stream *stream, int64_t offset, lip_error *error)
{
    if (offset == stream->at)
        return LIP_OK;
    if (stream->member)
        return move_member(stream, offset, error);
    gzclearerr(stream->file);
    if (gzseek(stream->file, offset, SEEK_SET) < 0)
        return data_fail(error, stream->path, LIP_EFORMAT, "damaged gzip data");
    stream->at = offset;
    return LIP_OK;
}

lip_status stream_read(lip_stream *stream, int64_t offset, void *to, size_t size, size_t *got, lip_error *error)
{
    size_t done = 0, count = 1;
    lip_status status = move(stream, offset, error);
    if (!status && stream->at != offset)
        size = 0; /* a member that is shorter than it says */
    while (!status && done < size && count > 0) {
        status = read_some(stream, (char *)to + done, size - done, &count, error);
        done += status ? 0 : count;
    }
    if (!status)
        *got = done;
    return status;
}
