/*
 * command.h: what a command is. Each ends its file with one constant value of
 * this type and has one row in the table of commands.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_COMMAND_H
#define LIP_AUDIT_COMMAND_H

#include "format.h"

#include <stddef.h>

/* Exit statuses: a promise to scripts. 1 is for a gate that fails. */
enum { EXIT_DONE = 0, EXIT_GATE_FAILS = 1, EXIT_NO_VERDICT = 2 };

/* Which flags a command takes. */
enum {
    FLAGS_REPORT = 1, /* --format, -o, --report, --quiet */
    FLAGS_MODEL = 2,  /* --input, --input-shape, --max-memory ... */
    FLAGS_AUDIT = 4,  /* --threads, --iterations ... */
    FLAGS_DATA = 8,   /* --data, --labels, --scale ... */
    FLAGS_CERTIFY = 16, /* --epsilon, --deployed, --shard ... */
    FLAGS_ROWS = 32,  /* --per-sample */
    FLAGS_GATES = 64, /* --max-lipschitz, --policy ... */
    FLAGS_ANNOTATE = 128, /* --annotate, --model-explorer */
    FLAGS_ATTACK = 256, /* --attack */
    FLAGS_SAMPLES = 512, /* those of FLAGS_DATA that say which samples and how they reach the model */
};

struct lip_options;

typedef struct lip_command {
    const char *name;
    const char *summary; /* one line */
    const char *details; /* for COMMAND --help: what it prints, how to read it */
    unsigned flags;
    bool takes_model;
    const char *files; /* in the usage, of a command that takes files: "SHARD.json ..."; otherwise NULL */
    size_t files_least, files_most;
    const lip_format *const *formats; /* ends with NULL; the first is the default */
    int (*run)(const struct lip_options *options); /* returns an exit status */
} lip_command;

extern const lip_command command_audit, command_certify, command_check, command_compare, command_inspect,
    command_merge, command_ops, command_report;

/* The table, ends with NULL. */
extern const lip_command *const commands[];

const lip_command *command_find(const char *name); /* NULL if there is none */

#endif
