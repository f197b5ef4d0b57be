/*
 * npz.c: numpy's .npz files: zip archives of .npy members. Which array is
 * what goes by its name.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "array.h"

#include <string.h>
#include <zip.h>

typedef struct lip_choice {
    int64_t named, other; /* index in the archive; -1: none */
    const char *input;
    lip_npz_role role;
    size_t others, label_count;
} lip_choice;

static bool is_name(const char *member, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(member, name, length) == 0;
}

static bool is_label(const char *member, size_t length)
{
    return is_name(member, length, "y") || is_name(member, length, "label") || is_name(member, length, "labels");
}

static void consider(lip_choice *choice, const char *member, int64_t index)
{
    size_t length = strlen(member);
    if (length < 4 || strcmp(member + length - 4, ".npy") != 0)
        return;
    length -= 4;
    bool label = is_label(member, length), wanted;
    if (choice->role == NPZ_SAMPLES)
        wanted = is_name(member, length, "x") || (choice->input && is_name(member, length, choice->input));
    else
        wanted = label;
    bool replaces = choice->named < 0 || (choice->input && is_name(member, length, choice->input));
    if (wanted) {
        choice->named = replaces ? index : choice->named;
        choice->label_count += label;
    } else if (!label) {
        choice->other = index;
        choice->others++;
    }
}

static lip_status choose(zip_t *archive, const char *path, lip_choice *choice, int64_t *out, lip_error *error)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *member = zip_get_name(archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        if (member)
            consider(choice, member, i);
    }
    bool alone = choice->role != NPZ_LABELS && choice->others == 1;
    *out = choice->named >= 0 ? choice->named : alone ? choice->other : -1;
    if (choice->label_count > 1)
        return data_fail(error, path, LIP_EFORMAT, "holds %zu arrays of labels", choice->label_count);
    if (*out >= 0 || choice->role == NPZ_LABELS)
        return LIP_OK;
    if (choice->role == NPZ_LABELS_ALONE)
        return data_fail(error, path, LIP_EFORMAT, "holds %zu arrays, none of them 'y', 'label' or 'labels'",
                         choice->others);
    return data_fail(error, path, LIP_EFORMAT, "holds %zu arrays that are no labels, none of them 'x' or '%s'",
                     choice->others, choice->input ? choice->input : "x");
}

static lip_status find_member(const char *path, lip_choice *choice, int64_t *out, lip_error *error)
{
    int code;
    zip_t *archive = zip_open(path, ZIP_RDONLY, &code);
    if (!archive) {
        zip_error_t cause;
        zip_error_init_with_code(&cause, code);
        lip_status status = data_fail(error, path, code == ZIP_ER_MEMORY ? LIP_EMEMORY : LIP_EFORMAT,
                                      "the zip archive: %s", zip_error_strerror(&cause));
        zip_error_fini(&cause);
        return status;
    }
    lip_status status = choose(archive, path, choice, out, error);
    zip_discard(archive);
    return status;
}

lip_status npz_open(const char *path, lip_npz_role role, const char *input, lip_data_memory *memory, lip_rows **out,
                    lip_error *error)
{
    lip_choice choice = {.named = -1, .other = -1, .input = input, .role = role};
    lip_stream *stream = NULL;
    lip_array_header header;
    int64_t index = -1;
    lip_status status = find_member(path, &choice, &index, error);
    if (status)
        return status;
    if (index < 0) {
        *out = NULL;
        return LIP_OK;
    }
    status = stream_open_member(path, (uint64_t)index, &stream, error);
    if (!status)
        status = npy_read_header(stream, "npz", &header, error);
    if (!status)
        return array_open(stream, &header, memory, out, error);
    stream_close(&stream);
    return status;
}
