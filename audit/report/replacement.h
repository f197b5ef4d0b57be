/*
 * replacement.h: a file written beside its final name, synced and renamed: a
 * reader never sees half of one, and an existing file is as it was until the
 * new one is whole. Devices and pipes are written as they are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_REPLACEMENT_H
#define LIP_AUDIT_REPLACEMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct lip_output_error {
    char message[640];
} lip_output_error;

typedef struct lip_replacement {
    const char *what, *path; /* "the report": for messages */
    FILE *stream;            /* to write on; NULL before and after */
    char target[PATH_MAX];   /* links resolved: renaming must not replace a link */
    char temporary[PATH_MAX + 48];
    bool direct;             /* a device or a pipe: written without a temporary file */
    bool replaces;
    mode_t mode;             /* of the file that is replaced */
} lip_replacement;

/* Before hours of work: can a file be made there? False with a message if not. */
bool replacement_check(const char *what, const char *path, lip_output_error *error);

/* Borrows `what` and `path`. On false, with a message, there is nothing to discard. */
bool replacement_open(const char *what, const char *path, lip_replacement *out, lip_output_error *error);

/* The file under its name, in full; otherwise false with a message, and an existing file is as it was. */
bool replacement_commit(lip_replacement *file, lip_output_error *error);

/* Leaves no trace of what was not committed. For any state of `file`, also all zeros. */
void replacement_discard(lip_replacement *file);

#endif
