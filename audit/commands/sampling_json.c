/*
 * sampling_json.c: which samples a report speaks of, and in which space.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sampling_json.h"

static json_t *range_json(const lip_sampling *s)
{
    bool complete = true;
    if (s->lowest > s->highest)
        return json_null();
    json_t *array = json_array();
    json_push(array, &complete, json_number(s->lowest));
    json_push(array, &complete, json_number(s->highest));
    return json_whole(array, complete);
}

static json_t *notes_json(const lip_sampling *s, size_t count)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(array, &complete, json_text(data_note(s->data, i)));
    return json_whole(array, complete);
}

json_t *sampling_data_json(const lip_sampling *s, lip_error *error)
{
    bool complete = true;
    char samples[65] = "", labels[65] = "";
    lip_data_info info = data_describe(s->data);
    if (data_digest(s->data, samples, labels, error) != LIP_OK)
        return NULL;
    json_t *object = json_object();
    json_put(object, &complete, "path", json_text(info.path));
    json_put(object, &complete, "sha256", json_text(samples));
    json_put(object, &complete, "labels", json_optional(s->options->data.labels));
    json_put(object, &complete, "labels_sha256", json_optional(labels));
    json_put(object, &complete, "format", json_text(info.format));
    json_put(object, &complete, "dtype", json_text(info.dtype));
    json_put(object, &complete, "sample_shape", json_shape(&info.sample, true));
    json_put(object, &complete, "stored", json_integer(info.stored));
    json_put(object, &complete, "first", json_integer(info.first));
    json_put(object, &complete, "count", json_integer(info.count));
    json_put(object, &complete, "range", range_json(s));
    json_put(object, &complete, "notes", notes_json(s, info.note_count));
    object = json_whole(object, complete);
    if (!object)
        *error = (lip_error){.status = LIP_EMEMORY};
    return object;
}

/* Preprocessed or normalised by the model, the data are one space and what its layers see another; where neither is
 * known of, the data may be either: what the user states, or the model's input, which they are. */
static const char *space_of(const json_t *threat, const lip_options *options, bool in_model_space)
{
    bool apart = options->load.preprocess || json_is_string(json_object_get(threat, "normalises"));
    if (in_model_space)
        return "model";
    return apart || options->space == LIP_SPACE_DATA ? "data" : "model";
}

bool threat_model_state(json_t *document, const lip_options *options, bool in_model_space)
{
    bool complete = true;
    const lip_preprocess *p = options->load.preprocess;
    json_t *threat = json_object_get(document, "threat_model");
    json_put(threat, &complete, "space", json_text(space_of(threat, options, in_model_space)));
    json_put(threat, &complete, "scale", p ? json_number(p->scale) : json_null());
    json_put(threat, &complete, "mean", p ? json_doubles(p->mean, p->mean_count) : json_null());
    json_put(threat, &complete, "std", p ? json_doubles(p->std, p->std_count) : json_null());
    return complete;
}
