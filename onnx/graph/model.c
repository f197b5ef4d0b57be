/*
 * model.c: opening and closing a model.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "read/sha256.h"
#include "read/source.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* Bytes to a graph, then the graph to a network, step by step. */
static lip_status build(lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    lip_status status = lip_read_model(draft, error);
    if (!status)
        status = lip_model_sort(draft, error);
    if (!status)
        status = lip_model_mark_inputs(draft, options, error);
    if (!status)
        status = lip_model_choose(draft, options, error);
    if (status)
        return status;
    lip_model_prune(draft);
    status = lip_model_shape_inputs(draft, options, error);
    if (!status)
        status = lip_model_preprocess(draft, options, error);
    if (!status)
        status = lip_model_infer(draft, error);
    if (!status)
        status = lip_model_fuse(draft, error);
    if (!status)
        status = lip_model_finish(draft, error);
    return status ? status : lip_model_find_normalisation(draft, error);
}

static lip_status open_source(lip_model *model, const void *bytes, size_t size, const char *path, lip_error *error)
{
    lip_source *source = lip_arena_alloc(&model->arena, 1, sizeof *source);
    char *copy = lip_arena_string(&model->arena, path, strlen(path));
    if (!source || !copy)
        return lip_fail_memory(error, NULL, "the model");
    lip_source_init(source, copy, &model->arena);
    model->path = copy;
    model->source = source;
    if (!bytes)
        return lip_source_map(source, error);
    source->bytes = bytes;
    source->size = size;
    return LIP_OK;
}

static lip_status read_into(lip_model *model, const void *bytes, size_t size, const char *path,
                            const lip_load_options *options, lip_error *error)
{
    lip_status status = open_source(model, bytes, size, path, error);
    if (!status)
        status = lip_source_check_kind(model->source->bytes, model->source->size, error);
    if (status)
        return status;
    lip_sha256(model->source->bytes, model->source->size, model->sha256);
    lip_draft draft;
    lip_draft_init(&draft, model);
    status = build(&draft, options, error);
    lip_draft_free(&draft);
    return status;
}

lip_status lip_model_read(const void *bytes, size_t size, const char *path, const lip_load_options *options,
                          const lip_memory *preset, lip_model **out, lip_error *error)
{
    static const lip_load_options no_options = {0};
    lip_error local;
    if (!error)
        error = &local;
    *error = (lip_error){0};
    lip_copy_printable(error->file, sizeof error->file, path);
    if (!options)
        options = &no_options;
    /* The account is inside the model, so the model itself is not on it. */
    lip_model *model = calloc(1, sizeof *model);
    if (!model)
        return lip_fail_memory(error, NULL, "the model");
    lip_memory_init(&model->memory, preset ? preset->cap : options->max_memory);
    if (preset)
        atomic_store(&model->memory.fail_in, atomic_load(&preset->fail_in));
    lip_arena_init(&model->arena, &model->memory);
    lip_status status = read_into(model, bytes, size, path, options, error);
    if (status) {
        lip_model_free(&model);
        return status;
    }
    *error = (lip_error){0};
    *out = model;
    return LIP_OK;
}

lip_status lip_model_open(const char *path, const lip_load_options *options, lip_model **out, lip_error *error)
{
    return lip_model_read(NULL, 0, path, options, NULL, out, error);
}

lip_status lip_model_open_bytes(const void *bytes, size_t size, const char *path, const lip_load_options *options,
                                lip_model **out, lip_error *error)
{
    return lip_model_read(bytes ? bytes : "", bytes ? size : 0, path, options, NULL, out, error);
}

void lip_model_free(lip_model **model)
{
    if (!model || !*model)
        return;
    if ((*model)->source)
        lip_source_free((*model)->source);
    lip_arena_free(&(*model)->arena);
    free(*model);
    *model = NULL;
}

/* Smaller constants are not worth a system call. */
#define RELEASE_FROM ((size_t)1 << 20)

void lip_model_release(const lip_model *model, const lip_node *node)
{
    for (size_t i = 0; model->source && i < node->input_count; i++) {
        const lip_tensor *constant = lip_node_constant(node, i);
        size_t size = constant ? (size_t)constant->count * lip_storage_size(constant->storage) : 0;
        if (constant && constant->data && size >= RELEASE_FROM)
            lip_source_release(model->source, constant->data, size);
    }
}

lip_status lip_model_forward(const lip_model *model, const double *const *inputs, double *logits, lip_error *error)
{
    lip_run *run = NULL;
    lip_status status = lip_run_open(model, &run, error);
    if (!status)
        status = lip_run_forward(run, inputs, error);
    if (!status)
        status = lip_run_logits(run, logits, error);
    lip_run_free(&run);
    return status;
}
