/*
 * command.h: what a command is. Each ends its file with one constant value of
 * this type and has one row in the table of commands.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_COMMAND_H
#define LIP_AUDIT_COMMAND_H

#include "run.h"

/* Exit statuses: a promise to scripts. 1 is for a gate that fails. */
enum { EXIT_DONE = 0, EXIT_NO_VERDICT = 2 };

/* Which flags a command takes. */
enum {
    FLAGS_REPORT = 1, /* --format, -o, --report, --quiet */
    FLAGS_MODEL = 2,  /* --input, --input-shape, --max-memory ... */
    FLAGS_AUDIT = 4,  /* --threads, --iterations ... */
};

struct lip_options;

typedef struct lip_command {
    const char *name;
    const char *summary; /* one line */
    const char *details; /* for COMMAND --help: what it prints, how to read it */
    unsigned flags;
    bool takes_model;
    const lip_format *const *formats; /* ends with NULL; the first is the default */
    int (*run)(const struct lip_options *options); /* returns an exit status */
} lip_command;

extern const lip_command command_audit, command_inspect, command_ops;

/* The table, ends with NULL. */
extern const lip_command *const commands[];

const lip_command *command_find(const char *name); /* NULL if there is none */

#endif
