/*
 * gunzip.c: a gzip'd model, unpacked into memory by zlib. A small file can
 * unpack to a thousand times its size, so the result grows step by step and
 * stops at the cap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gunzip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE 65536
#define GZIP_FORMAT (16 + MAX_WBITS)

typedef struct lip_unpacking {
    FILE *file;
    z_stream zip;
    bool zip_open;
    unsigned char in[PIECE];
    unsigned char *out;
    size_t used, room, cap;
    bool ended; /* at the end of a member */
} lip_unpacking;

static lip_status fail(lip_error *error, const char *path, lip_status status, const char *reason)
{
    *error = (lip_error){.status = status};
    snprintf(error->file, sizeof error->file, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return status;
}

bool gunzip_recognises(const char *path)
{
    unsigned char magic[2] = {0, 0};
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) /* a pipe can be read only once */
        return false;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool read = fread(magic, 1, sizeof magic, file) == sizeof magic;
    fclose(file);
    return read && magic[0] == 0x1f && magic[1] == 0x8b;
}

static size_t default_cap(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages / 2 * (size_t)page : (size_t)1 << 30;
}

static bool grow(lip_unpacking *u)
{
    size_t room = u->room > 0 ? u->room : PIECE;
    room = u->room == 0 ? room : room > u->cap / 2 ? u->cap : 2 * room;
    room = room < u->cap ? room : u->cap;
    if (room <= u->room)
        return false;
    unsigned char *out = realloc(u->out, room);
    if (!out)
        return false;
    u->out = out;
    u->room = room;
    return true;
}

/* Unpacks what is in zip.next_in. */
static lip_status inflate_piece(lip_unpacking *u, const char *path, lip_error *error)
{
    while (u->zip.avail_in > 0) {
        if (u->ended) { /* another member follows */
            if (inflateReset(&u->zip) != Z_OK)
                return fail(error, path, LIP_EINTERNAL, "zlib cannot be reset");
            u->ended = false;
        }
        if (u->used == u->room && !grow(u))
            return fail(error, path, LIP_EMEMORY, "unpacks to more than the memory cap (--max-memory)");
        size_t room = u->room - u->used;
        uInt step = room < PIECE ? (uInt)room : PIECE;
        u->zip.next_out = u->out + u->used;
        u->zip.avail_out = step;
        int result = inflate(&u->zip, Z_NO_FLUSH);
        u->used += step - u->zip.avail_out;
        u->ended = result == Z_STREAM_END;
        if (result == Z_MEM_ERROR)
            return fail(error, path, LIP_EMEMORY, "out of memory while unpacking");
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return fail(error, path, LIP_EFORMAT, u->zip.msg ? u->zip.msg : "damaged gzip data");
    }
    return LIP_OK;
}

static lip_status unpack(lip_unpacking *u, const char *path, lip_error *error)
{
    if (inflateInit2(&u->zip, GZIP_FORMAT) != Z_OK)
        return fail(error, path, LIP_EMEMORY, "out of memory while unpacking");
    u->zip_open = true;
    size_t count;
    while ((count = fread(u->in, 1, sizeof u->in, u->file)) > 0) {
        u->zip.next_in = u->in;
        u->zip.avail_in = (uInt)count;
        lip_status status = inflate_piece(u, path, error);
        if (status != LIP_OK)
            return status;
    }
    if (ferror(u->file))
        return fail(error, path, LIP_EIO, strerror(errno));
    return u->ended ? LIP_OK : fail(error, path, LIP_EFORMAT, "the gzip data end early");
}

lip_status gunzip_file(const char *path, uint64_t cap, void **bytes, size_t *size, lip_error *error)
{
    lip_unpacking *u = calloc(1, sizeof *u);
    if (!u)
        return fail(error, path, LIP_EMEMORY, "out of memory while unpacking");
    u->cap = cap == 0 ? default_cap() : cap < SIZE_MAX ? (size_t)cap : SIZE_MAX;
    u->file = fopen(path, "rb");
    lip_status status = u->file ? unpack(u, path, error) : fail(error, path, LIP_EIO, strerror(errno));
    if (status == LIP_OK) {
        *bytes = u->out;
        *size = u->used;
        u->out = NULL;
    }
    if (u->file)
        fclose(u->file);
    if (u->zip_open)
        inflateEnd(&u->zip);
    free(u->out);
    free(u);
    return status;
}
