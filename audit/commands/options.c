/*
 * options.c: a command's arguments, by getopt_long over the table of flags.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "options.h"
#include "gate_flags.h"
#include "nearest.h"

#include <getopt.h>
#include <string.h>

#define MAX_FLAGS OPTIONS_MAX_FLAGS
#define FIRST_LONG 256 /* getopt's value of the flag in row i is FIRST_LONG + i */

typedef struct lip_grammar {
    struct option longs[MAX_FLAGS + 1];
    char shorts[2 * MAX_FLAGS + 2];
} lip_grammar;

static lip_grammar grammar_of(const lip_command *command)
{
    lip_grammar g = {0};
    size_t count = 0, letters = 0;
    g.shorts[letters++] = ':'; /* a missing value is reported as such */
    for (size_t i = 0; i < flag_count && count < MAX_FLAGS; i++) {
        const lip_flag *flag = &flags[i];
        if (!flag_applies(flag, command))
            continue;
        int argument = flag->value ? required_argument : no_argument;
        g.longs[count++] = (struct option){flag->name, argument, NULL, FIRST_LONG + (int)i};
        if (flag->letter != 0) {
            g.shorts[letters++] = (char)flag->letter;
            if (flag->value)
                g.shorts[letters++] = ':';
        }
    }
    return g;
}

static const lip_flag *flag_of(int value)
{
    for (size_t i = 0; i < flag_count; i++)
        if (value == FIRST_LONG + (int)i || (flags[i].letter != 0 && value == flags[i].letter))
            return &flags[i];
    return NULL;
}

static bool unknown_flag(const lip_command *command, const char *word, lip_options_error *error)
{
    const char *names[MAX_FLAGS];
    size_t count = 0;
    char name[64];
    int length = (int)strcspn(word, "=");
    for (size_t i = 0; i < flag_count && count < MAX_FLAGS; i++)
        if (flag_applies(&flags[i], command))
            names[count++] = flags[i].name;
    snprintf(name, sizeof name, "%.*s", length, word + strspn(word, "-"));
    name[strcspn(name, "=")] = '\0';
    const char *near = strncmp(word, "--", 2) == 0 ? nearest_word(name, names, count) : NULL;
    snprintf(error->message, sizeof error->message, "'%s' has no flag '%.*s'%s%s%s", command->name, length, word,
             near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
    return false;
}

/* getopt returned '?': the flag is unknown, ambiguous, or was given a value it does not take. */
static bool refused_flag(const lip_command *command, char **argv, lip_options_error *error)
{
    const lip_flag *flag = optopt >= FIRST_LONG ? flag_of(optopt) : NULL;
    if (flag) {
        snprintf(error->message, sizeof error->message, "--%s takes no value", flag->name);
        return false;
    }
    char letter[3] = {'-', (char)optopt, '\0'};
    return unknown_flag(command, optopt != 0 ? letter : argv[optind - 1], error);
}

static bool missing_value(char **argv, lip_options_error *error)
{
    const lip_flag *flag = flag_of(optopt);
    snprintf(error->message, sizeof error->message, "%s wants a value: %s", argv[optind - 1],
             flag && flag->value ? flag->value : "");
    return false;
}

static bool parse_flags(lip_options *options, int argc, char **argv, bool *given, lip_options_error *error)
{
    lip_grammar g = grammar_of(options->command);
    int value;
    optind = 0; /* GNU: start afresh */
    opterr = 0;
    while ((value = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
        if (value == ':')
            return missing_value(argv, error);
        if (value == '?')
            return refused_flag(options->command, argv, error);
        const lip_flag *flag = flag_of(value);
        if (!flag || !flag->set(options, flag, optarg, error))
            return false;
        given[flag - flags] = true;
    }
    return true;
}

/* What is no flag: files. */
static bool take_files(lip_options *options, size_t count, char **files, lip_options_error *error)
{
    const lip_command *command = options->command;
    if (count > command->files_most)
        return options_refuse(error, "'%s' does not know what to do with '%.300s'", command->name,
                              files[command->files_most]);
    if (count < command->files_least)
        return options_refuse(error, "'%s' wants %s", command->name, command->files);
    options->files = files;
    options->file_count = count;
    return true;
}

/* What is no flag: the model, and nothing else. */
static bool take_words(lip_options *options, int count, char **words, lip_options_error *error)
{
    int wanted = options->command->takes_model ? 1 : 0;
    if (count > wanted) {
        snprintf(error->message, sizeof error->message, "'%s' does not know what to do with '%.300s'",
                 options->command->name, words[wanted]);
        return false;
    }
    if (count < wanted) {
        snprintf(error->message, sizeof error->message, "'%s' wants a model", options->command->name);
        return false;
    }
    options->model = wanted == 1 ? words[0] : NULL;
    if (!options->model || (options->model[0] != '\0' && strcmp(options->model, "-") != 0))
        return true;
    snprintf(error->message, sizeof error->message, options->model[0] == '\0'
             ? "'%s' wants a model; its name is empty"
             : "'%s' reads a model from a file, not from standard input", options->command->name);
    return false;
}

bool options_parse(const lip_command *command, int argc, char **argv, lip_options *options, lip_options_error *error)
{
    *options = (struct lip_options){.command = command, .report_count = 1};
    options->reports[0].format = command->formats[0];
    bool given[MAX_FLAGS] = {false};
    if (!parse_flags(options, argc, argv, given, error))
        return false;
    options->load.shapes = options->shapes;
    if (options->help)
        return true;
    if ((command->flags & FLAGS_GATES) != 0 && (!policy_apply(options, given, error) || !gates_finish(options, error)))
        return false;
    if (command->files)
        return take_files(options, (size_t)(argc - optind), argv + optind, error);
    return take_words(options, argc - optind, argv + optind, error);
}

void options_free(lip_options *options)
{
    policy_free(&options->policy_entries);
}
