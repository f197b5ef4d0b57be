/*
 * commands.c: the table of commands, in the order of `lipaudit --help`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "command.h"

#include <string.h>

const lip_command *const commands[] = {
    &command_audit,
    &command_certify,
    &command_check,
    &command_compare,
    &command_merge,
    &command_inspect,
    &command_report,
    &command_ops,
    NULL,
};

const lip_command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
