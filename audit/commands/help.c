/*
 * help.c: the help texts, from the tables of commands and flags.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "help.h"

#include <string.h>

/* What it takes besides flags. */
static const char *words_of(const lip_command *command)
{
    return command->files ? command->files : command->takes_model ? "MODEL" : "";
}

void help_print_usage(FILE *stream, const lip_command *command)
{
    if (command)
        fprintf(stream, "usage: lipaudit %s%s%s [FLAGS]\n", command->name, words_of(command)[0] != '\0' ? " " : "",
                words_of(command));
    else
        fprintf(stream, "usage: lipaudit COMMAND [MODEL] [FLAGS]\n");
    fprintf(stream, "       lipaudit %s%s--help\n", command ? command->name : "", command ? " " : "");
}

void help_print(FILE *stream)
{
    fprintf(stream, "lipaudit: how much can a change of the input change the logits of an ONNX classifier?\n"
                    "Every bound it prints is proved, rounding included.\n\n");
    for (size_t i = 0; commands[i]; i++) {
        const lip_command *command = commands[i];
        fprintf(stream, "  lipaudit %-8s%-15s %s\n", command->name, words_of(command), command->summary);
    }
    fprintf(stream, "  lipaudit --version\n  lipaudit COMMAND --help\n\n"
                    "Exit status: 0 the report is written, 2 there is none (wrong use, unreadable or malformed model,\n"
                    "out of the memory cap). The report goes to standard output, everything else to standard error.\n");
}

static void print_flag(FILE *stream, const lip_flag *flag)
{
    char left[64];
    char letter[8] = "";
    if (flag->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", flag->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, flag->name, flag->value ? " " : "",
             flag->value ? flag->value : "");
    fprintf(stream, "  %-34s%s%s\n", left, strlen(left) < 34 ? "" : " ", flag->help);
}

void help_print_command(FILE *stream, const lip_command *command)
{
    help_print_usage(stream, command);
    fprintf(stream, "\n%s\nFlags:\n", command->details);
    for (size_t i = 0; i < flag_count; i++)
        if (flag_applies(&flags[i], command))
            print_flag(stream, &flags[i]);
    fprintf(stream, "\nFormats:");
    for (const lip_format *const *format = command->formats; *format; format++)
        fprintf(stream, " %s", (*format)->name);
    fputc('\n', stream);
}

void help_print_version(FILE *stream)
{
    fprintf(stream, "lipaudit %s\n%s\n%s\n", lip_version(), lip_blas_version(), lip_lapack_version());
}
