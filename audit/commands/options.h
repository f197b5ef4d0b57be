/*
 * options.h: the flags of a command, parsed. One table (flags.c) makes the
 * parser and the help text.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_OPTIONS_H
#define LIP_AUDIT_OPTIONS_H

#include "command.h"
#include "output.h"

#define OPTIONS_MAX_REPORTS 8
#define OPTIONS_MAX_SHAPES 16

typedef struct lip_options {
    const lip_command *command;
    const char *model;
    bool help;
    bool quiet, no_progress;
    lip_output reports[OPTIONS_MAX_REPORTS]; /* [0]: --format and -o; the others: --report */
    size_t report_count;
    lip_input_shape shapes[OPTIONS_MAX_SHAPES]; /* names are in shape_names */
    char shape_names[OPTIONS_MAX_SHAPES][256];
    lip_load_options load;
    lip_audit_options audit;
} lip_options;

typedef struct lip_options_error {
    char message[512];
} lip_options_error;

/* A flag: one row of the table in flags.c. `set` returns false with a message if the value is wrong. */
typedef struct lip_flag {
    const char *name; /* without the dashes */
    int letter;       /* 0: none */
    const char *value; /* its name in the help; NULL: the flag takes none */
    const char *help;
    unsigned groups; /* of FLAGS_*; 0: every command */
    bool (*set)(lip_options *options, const struct lip_flag *flag, const char *value, lip_options_error *error);
} lip_flag;

extern const lip_flag flags[];
extern const size_t flag_count;

bool flag_applies(const lip_flag *flag, const lip_command *command);

/*
 * argv[0] is the command's name. Fills *options, which borrows argv's strings
 * and must stay where it is. False with a one-line message on wrong use:
 * unknown flag (with the nearest one), missing or wrong value, no model.
 */
bool options_parse(const lip_command *command, int argc, char **argv, lip_options *options, lip_options_error *error);

#endif
