/*
 * output.h: writes a report to a file or to standard output. A file is written
 * beside its final name, synced and renamed: a reader never sees half of one,
 * and a signal that ends the process leaves no half of one behind.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_OUTPUT_H
#define LIP_AUDIT_OUTPUT_H

#include "format.h"
#include "replacement.h"

/* One report to write. path NULL or "-": standard output. */
typedef struct lip_output {
    const lip_format *format;
    const char *path;
} lip_output;

bool output_is_stdout(const lip_output *output);

/* Before hours of work: can a file be made there? False with a message if not. */
bool output_check(const lip_output *output, lip_output_error *error);

/* Would a report written to one of them replace the other? */
bool output_same_file(const char *a, const char *b);

/* False with a message if it could not be written in full; an existing file is then as it was. */
bool output_write(const lip_output *output, const json_t *document, lip_output_error *error);

#endif
