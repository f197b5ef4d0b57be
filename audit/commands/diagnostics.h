/*
 * diagnostics.h: what goes to standard error. Standard output carries the
 * report only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_DIAGNOSTICS_H
#define LIP_AUDIT_DIAGNOSTICS_H

#include "options.h"

/* "lipaudit: FILE: node 'NAME' (module PATH, Conv): reason" */
void diagnose_error(FILE *stream, const lip_error *error);

/* "lipaudit: note: ..." for each of the model's notes. */
void diagnose_notes(FILE *stream, const lip_model *model, const lip_model_info *info);

void diagnose_note(FILE *stream, const char *note);

/* "lipaudit: message" */
void diagnose_message(FILE *stream, const char *message);

#endif
