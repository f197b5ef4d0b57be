/*
 * help.h: the help texts, from the tables of commands and flags.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_HELP_H
#define LIP_AUDIT_HELP_H

#include "options.h"

void help_print(FILE *stream);                                 /* lipaudit --help */
void help_print_command(FILE *stream, const lip_command *command); /* lipaudit COMMAND --help */
void help_print_usage(FILE *stream, const lip_command *command);   /* "usage: ..."; command may be NULL */
void help_print_version(FILE *stream);

#endif
