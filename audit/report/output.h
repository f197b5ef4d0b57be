/*
 * output.h: writes a report to a file or to standard output. A file is written
 * beside its final name, synced and renamed: a reader never sees half of one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_OUTPUT_H
#define LIP_AUDIT_OUTPUT_H

#include "run.h"

/* One report to write. path NULL or "-": standard output. */
typedef struct lip_output {
    const lip_format *format;
    const char *path;
} lip_output;

typedef struct lip_output_error {
    char message[640];
} lip_output_error;

/* Before hours of work: can a file be made there? False with a message if not. */
bool output_check(const lip_output *output, lip_output_error *error);

/* False with a message if it could not be written in full; an existing file is then as it was. */
bool output_write(const lip_output *output, const lip_run_info *run, lip_output_error *error);

#endif
