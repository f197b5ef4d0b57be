/*
 * main.c: picks the command and returns its exit status.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"
#include "help.h"
#include "nearest.h"

#include <string.h>
#include <unistd.h>

static int unknown_command(const char *word)
{
    const char *names[16];
    char message[512];
    size_t count = 0;
    for (size_t i = 0; commands[i] && count < 16; i++)
        names[count++] = commands[i]->name;
    const char *near = nearest_word(word, names, count);
    if (near)
        snprintf(message, sizeof message, "there is no command '%.200s'; did you mean '%s'?", word, near);
    else if (word[0] != '-' && access(word, F_OK) == 0)
        snprintf(message, sizeof message, "there is no command '%.200s'; did you mean 'lipaudit audit %.200s'?", word,
                 word);
    else
        snprintf(message, sizeof message, "there is no %s '%.200s'", word[0] == '-' ? "flag" : "command", word);
    diagnose_message(stderr, message);
    help_print_usage(stderr, NULL);
    return EXIT_NO_VERDICT;
}

static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    diagnose_message(stderr, "cannot write to standard output");
    return EXIT_NO_VERDICT;
}

static int run_command(const lip_command *command, int argc, char **argv)
{
    lip_options options;
    lip_options_error error;
    int status = EXIT_NO_VERDICT;
    if (!options_parse(command, argc, argv, &options, &error)) {
        diagnose_message(stderr, error.message);
        help_print_usage(stderr, command);
    } else if (options.help) {
        help_print_command(stdout, command);
        status = flushed(EXIT_DONE);
    } else {
        status = command->run(&options);
    }
    options_free(&options);
    return status;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        help_print_usage(stderr, NULL);
        return EXIT_NO_VERDICT;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_print(stdout);
        return flushed(EXIT_DONE);
    }
    if (strcmp(word, "--version") == 0) {
        help_print_version(stdout);
        return flushed(EXIT_DONE);
    }
    const lip_command *command = command_find(word);
    return command ? run_command(command, argc - 1, argv + 1) : unknown_command(word);
}
