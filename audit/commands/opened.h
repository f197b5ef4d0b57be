/*
 * opened.h: a model as the commands open it: plain or gzip'd, its notes told,
 * its facts gathered into a run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_OPENED_H
#define LIP_AUDIT_OPENED_H

#include "document.h"
#include "options.h"

typedef struct lip_opened {
    lip_model *model;
    void *bytes; /* of a gzip'd model: the library reads them until the model is freed */
    lip_tensor_info *inputs;
    lip_run_info run;     /* what is known before the command's own work */
    double started;
} lip_opened;

/* Tells what went wrong on standard error and returns false. Free with opened_close in either case. */
bool opened_open(const lip_options *options, lip_opened *out);
void opened_close(lip_opened *opened);

/* False, and told, of a model that subtracts a mean or divides by a deviation itself, and flags that would do so before
 * it, without --force. */
bool opened_check_normalisation(const lip_options *options, const lip_opened *opened);

/* Are all places writable? Then, after the work: writes every report and releases the document (NULL: it could not be
 * made for want of memory). Each tells what went wrong. */
bool reports_check(const lip_options *options);
bool reports_write(const lip_options *options, json_t *document);

double clock_seconds(void);
int processor_count(void);

#endif
