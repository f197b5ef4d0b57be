/*
 * annotations.c: the bounds of an audit on the graph itself.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "annotations.h"
#include "diagnostics.h"
#include "model_explorer.h"
#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_WHAT "the annotated model"
#define EXPLORER_WHAT "the node data"
#define PER_LAYER 4

static bool refuse(const char *message)
{
    diagnose_message(stderr, message);
    return false;
}

static bool check_file(const lip_options *options, const char *what, const char *path)
{
    lip_output_error error;
    if (!path)
        return true;
    if (options->model && output_same_file(path, options->model)) {
        snprintf(error.message, sizeof error.message, "%.400s: %s would replace the model", path, what);
        return refuse(error.message);
    }
    return replacement_check(what, path, &error) || refuse(error.message);
}

bool annotations_check(const lip_options *options)
{
    if (options->annotate && options->model_explorer && output_same_file(options->annotate, options->model_explorer))
        return refuse("--annotate and --model-explorer write to the same file");
    return check_file(options, MODEL_WHAT, options->annotate) &&
           check_file(options, EXPLORER_WHAT, options->model_explorer);
}

/* The numbers of all layers, as text: owned, while the annotations borrow. */
typedef struct lip_notes {
    lip_annotation *entry;
    lip_number *text;
    size_t count;
} lip_notes;

static void add(lip_notes *notes, const char *output, const char *key, const char *value)
{
    notes->entry[notes->count++] = (lip_annotation){output, key, value};
}

static void add_layer(lip_notes *notes, const lip_layer *layer, lip_number text[PER_LAYER])
{
    static const char *const verdict[] = {
        [LIP_BOUNDED] = "bounded", [LIP_UNBOUNDED] = "unbounded", [LIP_UNKNOWN] = "unknown",
    };
    add(notes, layer->output, "lipaudit.verdict", verdict[layer->verdict]);
    if (layer->verdict != LIP_BOUNDED)
        return;
    text[0] = number_lower(layer->gain.lower, NUMBER_DIGITS);
    text[1] = number_upper(layer->gain.upper, NUMBER_DIGITS);
    text[2] = number_upper(layer->cumulative_upper, NUMBER_DIGITS);
    add(notes, layer->output, "lipaudit.gain_lower", text[0].text);
    add(notes, layer->output, "lipaudit.gain_upper", text[1].text);
    add(notes, layer->output, "lipaudit.cumulative_upper", text[2].text);
}

static bool notes_of(const lip_report *report, lip_notes *out)
{
    size_t most = report->layer_count * PER_LAYER + 1;
    *out = (lip_notes){calloc(most, sizeof *out->entry), calloc(most, sizeof *out->text), 0};
    for (size_t i = 0; out->entry && out->text && i < report->layer_count; i++)
        add_layer(out, &report->layers[i], out->text + i * PER_LAYER);
    return out->entry && out->text;
}

static bool write_bytes(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, context) == size;
}

static bool write_into(const lip_opened *opened, const lip_notes *notes, lip_replacement *file)
{
    lip_error why = {0};
    lip_output_error error;
    size_t matched = 0;
    lip_status status = lip_model_annotate(opened->model, notes->entry, notes->count, write_bytes, file->stream,
                                           &matched, &why);
    if (status == LIP_EIO) {
        snprintf(error.message, sizeof error.message, "cannot write " MODEL_WHAT " to %.400s: %s", file->path,
                 strerror(errno));
        return refuse(error.message);
    }
    if (status != LIP_OK) {
        diagnose_error(stderr, &why);
        return false;
    }
    return replacement_commit(file, &error) || refuse(error.message);
}

static bool write_model(const lip_options *options, const lip_opened *opened, const lip_report *report)
{
    lip_notes notes;
    lip_replacement file = {0};
    lip_output_error error;
    bool done = notes_of(report, &notes) || refuse("out of memory");
    done = done && (replacement_open(MODEL_WHAT, options->annotate, &file, &error) || refuse(error.message));
    done = done && write_into(opened, &notes, &file);
    replacement_discard(&file);
    free(notes.entry);
    free(notes.text);
    return done;
}

bool annotations_write(const lip_options *options, const lip_opened *opened, const lip_report *report,
                       const json_t *document)
{
    lip_output_error error;
    const lip_output explorer = {&format_model_explorer, options->model_explorer};
    if (options->annotate && !write_model(options, opened, report))
        return false;
    return !options->model_explorer || output_write(&explorer, document, &error) || refuse(error.message);
}
