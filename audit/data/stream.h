/*
 * stream.h: bytes at any place of a file, of what a gzip file unpacks to, or
 * of a member of a zip archive, without holding more than a buffer of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_STREAM_H
#define LIP_AUDIT_STREAM_H

#include "fault.h"

#define STREAM_PIECE 65536

typedef struct lip_stream lip_stream;

/* A regular file, plain or gzip'd. `path` must outlive the stream. */
lip_status stream_open(const char *path, lip_stream **out, lip_error *error);
/* Member `index` of a zip archive, stored or deflated. */
lip_status stream_open_member(const char *path, uint64_t index, lip_stream **out, lip_error *error);
void stream_close(lip_stream **stream); /* idempotent */

/* Bytes in all; -1 where only reading them would tell (gzip). */
int64_t stream_length(const lip_stream *stream);

/*
 * Up to `size` bytes from `offset` on; *got < size only where the stream ends. Backwards in compressed bytes starts
 * from their beginning. Damaged data are LIP_EFORMAT.
 */
lip_status stream_read(lip_stream *stream, int64_t offset, void *to, size_t size, size_t *got, lip_error *error);

/* Whether gzip data were found to end before their end. */
bool stream_cut(const lip_stream *stream);

/* The place, for messages: the file's path. */
const char *stream_path(const lip_stream *stream);

#endif
