/*
 * source.h: the bytes a model comes from: its file, and the external data
 * files beside it, mapped read-only.
 *
 * Constants may point into the mappings, so they stay until lip_source_free.
 * (A file that is cut short by another program while it is mapped ends the
 * process, as with every mapping.)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_SOURCE_H
#define LIP_ONNX_READ_SOURCE_H

#include "alloc.h"

typedef struct lip_mapping {
    void *bytes; /* NULL: nothing mapped (an empty file) */
    size_t size;
} lip_mapping;

typedef struct lip_external {
    struct lip_external *next;
    const char *location;
    lip_mapping mapping;
} lip_external;

typedef struct lip_source {
    const char *path;
    const uint8_t *bytes; /* of the model */
    size_t size;
    lip_mapping model;    /* empty where the caller owns the bytes */
    int folder;           /* of the model; -1: not opened yet */
    lip_external *externals;
    lip_arena *arena;
} lip_source;

/* A source without bytes; both strings must outlive it. */
void lip_source_init(lip_source *source, const char *path, lip_arena *arena);
/* Maps source->path: a regular, non-empty file, else LIP_EIO or LIP_EFORMAT. */
lip_status lip_source_map(lip_source *source, lip_error *error);
void lip_source_free(lip_source *source); /* idempotent */
/* Gives back the memory of the whole pages in [bytes, bytes + size) if they lie in a mapping: they are read again on
 * their next use. */
void lip_source_release(const lip_source *source, const void *bytes, size_t size);

/* LIP_EFORMAT with a helpful reason where the bytes are well known to be something else (HTML, gzip, a git-lfs pointer,
 * another framework's format). */
lip_status lip_source_check_kind(const void *bytes, size_t size, lip_error *error);

/*
 * The bytes of an external data file. `location` is relative to the model's folder; absolute paths, "..", symbolic
 * links and everything but regular files are refused (LIP_EFORMAT), missing files are LIP_EIO.
 */
lip_status lip_source_external(lip_source *source, const char *location, const uint8_t **bytes, size_t *size,
                               lip_error *error);

#endif
