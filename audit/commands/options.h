/*
 * options.h: the flags of a command, parsed. One table (flags.c) makes the
 * parser and the help text.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_OPTIONS_H
#define LIP_AUDIT_OPTIONS_H

#include "certification.h"
#include "command.h"
#include "data.h"
#include "gates.h"
#include "output.h"
#include "policy.h"

#include "audit.h"

#define OPTIONS_MAX_FLAGS 80
#define OPTIONS_MAX_REPORTS 16
#define OPTIONS_MAX_SHAPES 16
#define OPTIONS_MAX_CHANNELS 64
#define OPTIONS_MAX_EPSILON 32
#define OPTIONS_MAX_SHARDS 1000000

/* In which space radii are distances, as the user states it. */
typedef enum lip_space { LIP_SPACE_NOT_STATED, LIP_SPACE_DATA, LIP_SPACE_MODEL } lip_space;

typedef struct lip_options {
    const lip_command *command;
    const char *model;
    char **files; /* of a command that takes files */
    size_t file_count;
    bool help;
    bool quiet, no_progress;
    lip_output reports[OPTIONS_MAX_REPORTS]; /* [0]: --format and -o; the others: --report */
    size_t report_count;
    lip_input_shape shapes[OPTIONS_MAX_SHAPES]; /* names are in shape_names */
    char shape_names[OPTIONS_MAX_SHAPES][256];
    lip_load_options load;
    lip_audit_options audit;
    lip_input_range input_range; /* in use where audit.range points to it */
    double range_lo[OPTIONS_MAX_CHANNELS], range_hi[OPTIONS_MAX_CHANNELS];
    lip_data_options data; /* path NULL: none */
    lip_preprocess preprocess; /* in use where load.preprocess points to it */
    double mean[OPTIONS_MAX_CHANNELS], std[OPTIONS_MAX_CHANNELS];
    lip_space space;
    lip_certify_options certify;
    lip_epsilon epsilon[OPTIONS_MAX_EPSILON];
    size_t epsilon_count;
    bool attacked;
    lip_attack_kind attack; /* if attacked */
    const char *per_sample; /* NULL: none */
    lip_shard shard;        /* count 0: all samples */
    bool force;
    lip_gates gates;
    double quantile;
    const char *baseline, *policy; /* NULL: none */
    lip_tolerance regression, layer_regression;
    bool quantile_given, regression_given, layer_regression_given, update_baseline, exit_zero;
    const char *annotate, *model_explorer; /* NULL: none */
    lip_policy policy_entries; /* what the strings of a policy lie in */
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

/* Writes the message; returns false. */
LIP_PRINTF(2, 3) bool options_refuse(lip_options_error *error, const char *text, ...);

extern const lip_flag flags[];
extern const size_t flag_count;

bool flag_applies(const lip_flag *flag, const lip_command *command);

/*
 * argv[0] is the command's name. Fills *options, which borrows argv and its strings
 * and must stay where it is. False with a one-line message on wrong use:
 * unknown flag (with the nearest one), missing or wrong value, no model.
 */
bool options_parse(const lip_command *command, int argc, char **argv, lip_options *options, lip_options_error *error);
void options_free(lip_options *options); /* in either case */

#endif
