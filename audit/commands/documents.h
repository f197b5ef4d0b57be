/*
 * documents.h: the report of a model, however it is come by.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_DOCUMENTS_H
#define LIP_AUDIT_DOCUMENTS_H

#include "opened.h"

/* Each returns a new reference, or NULL after telling what went wrong on standard error. */

/* An audit of options->model. */
json_t *audit_document(const lip_options *options);

/* The same, and certificates of options->data; `rows`: with the single samples. *partial: a signal ended it early. */
json_t *certify_document(const lip_options *options, bool rows, bool *partial);

/* What `path` is: a saved report, or a model that is audited, or certified where options->data names samples. */
json_t *document_for(const lip_options *options, const char *path, bool *partial);

#endif
