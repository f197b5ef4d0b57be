/*
 * sources.c: what layers read.
 *
 * A tensor belongs to the layer whose node makes it, or into which the node
 * that makes it was folded. jansson's objects serve as hash tables of names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sources.h"
#include "fields.h"

#include <string.h>

typedef struct lip_makers {
    json_t *layer_of;   /* tensor -> index of the layer */
    json_t *folded;     /* node -> index of the layer it was folded into */
    json_t *read_by;    /* tensor -> the tensors that the node that makes it reads */
    bool complete;
} lip_makers;

static void set(lip_makers *makers, json_t *table, const char *key, json_t *value)
{
    if (key && key[0] != '\0')
        json_put(table, &makers->complete, key, value);
    else
        json_decref(value);
}

static void take_layers(lip_makers *makers, const json_t *layers)
{
    size_t i, j;
    json_t *layer, *name;
    json_array_foreach(layers, i, layer) {
        set(makers, makers->layer_of, field_text(layer, "output"), json_count(i));
        json_array_foreach(json_object_get(layer, "folded"), j, name)
            set(makers, makers->folded, json_string_value(name), json_count(i));
    }
}

typedef lip_tensor_info tensor_of(const lip_model *model, size_t node, size_t index);

/* As the report writes them: layers are looked up by their names in there. */
static json_t *tensors(lip_makers *makers, const lip_model *model, size_t node, size_t count, tensor_of *tensor_at)
{
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(names, &makers->complete, json_text(tensor_at(model, node, i).name));
    return names;
}

/* The node that makes a layer's tensor may make others; those of a folded node belong to its layer. */
static void take_node(lip_makers *makers, const lip_model *model, size_t index)
{
    size_t i;
    lip_node_info node = lip_model_node(model, index);
    json_t *name = json_text(node.name), *output, *layer;
    json_t *outputs = tensors(makers, model, index, node.output_count, lip_model_node_output);
    json_t *inputs = tensors(makers, model, index, node.input_count, lip_model_node_input);
    json_t *folded = json_object_get(makers->folded, json_string_value(name));
    layer = folded;
    json_array_foreach(outputs, i, output)
        layer = layer ? layer : json_object_get(makers->layer_of, json_string_value(output));
    json_array_foreach(outputs, i, output) {
        if (layer)
            set(makers, makers->layer_of, json_string_value(output), json_incref(layer));
        set(makers, makers->read_by, json_string_value(output), json_incref(inputs));
    }
    json_decref(name);
    json_decref(outputs);
    json_decref(inputs);
}

static json_t *source_of(const lip_makers *makers, const char *tensor, size_t own)
{
    json_t *layer = json_object_get(makers->layer_of, tensor);
    if (layer && json_integer_value(layer) == (json_int_t)own) { /* a scale before it, folded into the layer itself */
        size_t i;
        json_t *name, *inputs = json_object_get(makers->read_by, tensor);
        layer = NULL;
        json_array_foreach(inputs, i, name) {
            json_t *other = json_object_get(makers->layer_of, json_string_value(name));
            layer = other && json_integer_value(other) != (json_int_t)own ? other : layer;
        }
    }
    return layer ? json_incref(layer) : json_integer(SOURCE_INPUT);
}

static json_t *sources_of(const lip_makers *makers, const json_t *layer, size_t own)
{
    size_t i;
    bool complete = true;
    json_t *name, *sources = json_array();
    json_array_foreach(json_object_get(layer, "inputs"), i, name)
        json_push(sources, &complete, source_of(makers, json_string_value(name), own));
    return json_whole(sources, complete);
}

static bool among(const json_t *names, const char *name)
{
    size_t i;
    const json_t *other;
    json_array_foreach((json_t *)names, i, other)
        if (strcmp(json_string_value(other), name) == 0)
            return true;
    return false;
}

/* What its node reads that does not vary with the model's input. */
static json_t *weights_of(const lip_makers *makers, const json_t *layer)
{
    size_t i;
    bool complete = true;
    json_t *name, *weights = json_array();
    json_array_foreach(json_object_get(makers->read_by, field_text(layer, "output")), i, name) {
        const char *text = json_string_value(name);
        if (text && text[0] != '\0' && !among(json_object_get(layer, "inputs"), text))
            json_push(weights, &complete, json_incref(name));
    }
    return json_whole(weights, complete);
}

bool sources_add(json_t *layers, const lip_run_info *run)
{
    size_t i;
    json_t *layer;
    lip_makers makers = {json_object(), json_object(), json_object(), true};
    take_layers(&makers, layers);
    for (size_t node = 0; run->model && node < run->info.nodes + run->info.nodes_folded; node++)
        take_node(&makers, run->model, node);
    json_array_foreach(layers, i, layer) {
        json_put(layer, &makers.complete, "sources", sources_of(&makers, layer, i));
        json_put(layer, &makers.complete, "weights", weights_of(&makers, layer));
    }
    json_decref(makers.layer_of);
    json_decref(makers.folded);
    json_decref(makers.read_by);
    return makers.complete;
}
