/*
 * diagnostics.c: what goes to standard error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"
#include "utf8.h"

static void print_node(FILE *stream, const lip_error *error)
{
    if (error->node[0] == '\0') {
        if (error->op[0] != '\0')
            utf8_print(stream, error->op);
        return;
    }
    fputs("node '", stream);
    utf8_print(stream, error->node);
    fputc('\'', stream);
    if (error->module[0] == '\0' && error->op[0] == '\0')
        return;
    fputs(error->module[0] != '\0' ? " (module " : " (", stream);
    utf8_print(stream, error->module);
    fputs(error->module[0] != '\0' && error->op[0] != '\0' ? ", " : "", stream);
    utf8_print(stream, error->op);
    fputc(')', stream);
}

void diagnose_error(FILE *stream, const lip_error *error)
{
    fputs("lipaudit: ", stream);
    if (error->file[0] != '\0') {
        utf8_print(stream, error->file);
        fputs(": ", stream);
    }
    if (error->node[0] != '\0' || error->op[0] != '\0') {
        print_node(stream, error);
        fputs(": ", stream);
    }
    utf8_print(stream, error->reason[0] != '\0' ? error->reason : lip_status_text(error->status));
    fputs(error->status == LIP_EMEMORY ? " (--max-memory sets the cap)\n" : "\n", stream);
}

void diagnose_note(FILE *stream, const char *note)
{
    fputs("lipaudit: note: ", stream);
    utf8_print(stream, note);
    fputc('\n', stream);
}

void diagnose_notes(FILE *stream, const lip_model *model, const lip_model_info *info)
{
    for (size_t i = 0; i < info->note_count; i++)
        diagnose_note(stream, lip_model_note(model, i));
}

void diagnose_message(FILE *stream, const char *message)
{
    fputs("lipaudit: ", stream);
    utf8_print(stream, message);
    fputc('\n', stream);
}
