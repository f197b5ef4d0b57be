/*
 * gunzip.h: a gzip'd model, unpacked into memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_GUNZIP_H
#define LIP_AUDIT_GUNZIP_H

#include "audit.h"

/* Does the file begin as a gzip file does? False if it cannot be read or is no regular file (a pipe is read only
 * once). */
bool gunzip_recognises(const char *path);

/*
 * The unpacked bytes of all members, at most `cap` of them (0: half of the
 * machine's memory); the caller frees *bytes. A damaged file is LIP_EFORMAT,
 * one that is larger than the cap LIP_EMEMORY.
 */
lip_status gunzip_file(const char *path, uint64_t cap, void **bytes, size_t *size, lip_error *error);

#endif
