/*
 * model_explorer.c: node data for Model Explorer: for each layer, by its node's
 * name, the proved upper bound of its gain, on a colour that shows its share
 * of log L_F: red amplifies, blue damps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_explorer.h"
#include "json.h"
#include "layers.h"

#include <math.h>

/* White for 0; full red or blue for half of log L_F and more. */
static json_t *colour_of(const json_t *layer)
{
    char text[8];
    double share = field_number(layer, "log_share"), strength = fmin(1.0, 2.0 * fabs(share));
    if (verdict_of(layer) != LIP_BOUNDED)
        return json_text("#b0b0b0");
    unsigned faded = isfinite(share) ? (unsigned)lround(255.0 - 175.0 * strength) : 255;
    snprintf(text, sizeof text, share > 0.0 ? "#ff%02x%02x" : "#%02x%02xff", faded, faded);
    return json_text(text);
}

static json_t *result(const json_t *layer)
{
    bool complete = true, bounded = verdict_of(layer) == LIP_BOUNDED;
    double upper = field_number(layer, "gain.upper");
    json_t *object = json_object();
    json_put(object, &complete, "value", bounded ? json_number(upper) : json_text(verdict_alarm(verdict_of(layer))));
    json_put(object, &complete, "bgColor", colour_of(layer));
    json_put(object, &complete, "textColor", json_text("#000000"));
    return json_whole(object, complete);
}

static bool render(const json_t *report, FILE *stream)
{
    bool complete = true;
    const json_t *layer;
    size_t i;
    json_t *root = json_object(), *results = json_object();
    json_array_foreach((json_t *)report_layers(report), i, layer)
        json_put(results, &complete, field_text(layer, "name"), result(layer));
    json_put(root, &complete, "results", results);
    root = json_whole(root, complete);
    bool written = root && json_write(root, stream);
    json_decref(root);
    return written;
}

const lip_format format_model_explorer = {"model-explorer", ".json", render};
