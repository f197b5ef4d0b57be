/*
 * attributes.c: attributes are of the kinds that the standard gives them.
 *
 * The names that some version of an operator of the table has, in the domains
 * ai.onnx and ai.onnx.ml, each with the kinds it has there, in alphabetical
 * order. Names that are not listed, as runtimes add them, are not looked at.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "op.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLOAT = 1 << LIP_ATTR_FLOAT,
    INT = 1 << LIP_ATTR_INT,
    STRING = 1 << LIP_ATTR_STRING,
    TENSOR = 1 << LIP_ATTR_TENSOR,
    GRAPH = 1 << LIP_ATTR_GRAPH,
    FLOATS = 1 << LIP_ATTR_FLOATS,
    INTS = 1 << LIP_ATTR_INTS,
    STRINGS = 1 << LIP_ATTR_STRINGS
};

typedef struct expected {
    const char *name;
    int kinds;
} expected;

static const expected attributes[] = {
    {"activation_alpha", FLOATS}, {"activation_beta", FLOATS}, {"activations", STRINGS},
    {"aggregate_function", INT | STRING}, {"align_corners", INT}, {"allowzero", INT}, {"alpha", FLOAT},
    {"antialias", INT}, {"approximate", STRING}, {"auto_pad", STRING}, {"axes", INTS}, {"axis", INT},
    {"base_values", FLOATS}, {"base_values_as_tensor", TENSOR}, {"batch_dims", INT}, {"beta", FLOAT},
    {"bias", FLOAT}, {"block_size", INT}, {"blocksize", INT}, {"body", GRAPH}, {"broadcast", INT},
    {"cats_int64s", INTS}, {"cats_strings", STRINGS}, {"ceil_mode", INT}, {"class_ids", INTS},
    {"class_nodeids", INTS}, {"class_treeids", INTS}, {"class_weights", FLOATS},
    {"class_weights_as_tensor", TENSOR}, {"classes_strings", STRINGS}, {"classlabels_int64s", INTS},
    {"classlabels_ints", INTS}, {"classlabels_strings", STRINGS}, {"clip", FLOAT}, {"coefficients", FLOATS},
    {"consumed_inputs", INTS}, {"coordinate_transformation_mode", STRING}, {"count_include_pad", INT},
    {"cubic_coeff_a", FLOAT}, {"default_float", FLOAT}, {"default_int64", INT}, {"default_string", STRING},
    {"default_tensor", TENSOR}, {"detect_negative", INT}, {"detect_positive", INT}, {"dilations", INTS},
    {"direction", STRING}, {"directions", INTS}, {"dtype", INT}, {"else_branch", GRAPH}, {"end", INT},
    {"ends", INTS}, {"epsilon", FLOAT}, {"equation", STRING}, {"exclude_outside", INT}, {"exclusive", INT},
    {"extrapolation_value", FLOAT}, {"fmod", INT}, {"gamma", FLOAT}, {"group", INT}, {"height_scale", FLOAT},
    {"hidden_size", INT}, {"ignore_index", INT}, {"imputed_value_floats", FLOATS}, {"imputed_value_int64s", INTS},
    {"input_forget", INT}, {"inputdimensions", INTS}, {"intercepts", FLOATS}, {"is_causal", INT}, {"is_test", INT},
    {"k", INT}, {"keep_aspect_ratio_policy", STRING}, {"keepdims", INT}, {"kernel_params", FLOATS},
    {"kernel_shape", INTS}, {"kernel_type", STRING}, {"keys_floats", FLOATS}, {"keys_int64s", INTS},
    {"keys_strings", STRINGS}, {"keys_tensor", TENSOR}, {"kv_num_heads", INT}, {"lambd", FLOAT}, {"largest", INT},
    {"layout", INT}, {"leaf_targetids", INTS}, {"leaf_weights", TENSOR}, {"left_window_size", INT},
    {"linear_before_reset", INT}, {"max", FLOAT}, {"membership_values", TENSOR}, {"min", FLOAT}, {"mode", STRING},
    {"momentum", FLOAT}, {"multi_class", INT}, {"n_supports", INT}, {"n_targets", INT}, {"nearest_mode", STRING},
    {"nodes_falseleafs", INTS}, {"nodes_falsenodeids", INTS}, {"nodes_featureids", INTS},
    {"nodes_hitrates", FLOATS | TENSOR}, {"nodes_hitrates_as_tensor", TENSOR},
    {"nodes_missing_value_tracks_true", INTS}, {"nodes_modes", STRINGS | TENSOR}, {"nodes_nodeids", INTS},
    {"nodes_splits", TENSOR}, {"nodes_treeids", INTS}, {"nodes_trueleafs", INTS}, {"nodes_truenodeids", INTS},
    {"nodes_values", FLOATS}, {"nodes_values_as_tensor", TENSOR}, {"noop_with_empty_axes", INT}, {"norm", STRING},
    {"num_groups", INT}, {"num_outputs", INT}, {"num_scan_inputs", INT}, {"offset", FLOATS}, {"one_class", INT},
    {"output_dtype", INT}, {"output_padding", INTS}, {"output_sequence", INT}, {"output_shape", INTS},
    {"p", FLOAT | INT}, {"padding_mode", STRING}, {"paddings", INTS}, {"pads", INTS}, {"perm", INTS},
    {"post_transform", INT | STRING}, {"precision", INT}, {"prob_a", FLOATS}, {"prob_b", FLOATS},
    {"q_num_heads", INT}, {"qk_matmul_output_mode", INT}, {"ratio", FLOAT}, {"reduction", STRING},
    {"replaced_value_float", FLOAT}, {"replaced_value_int64", INT}, {"reverse", INT}, {"rho", FLOATS},
    {"right_window_size", INT}, {"round_mode", STRING}, {"saturate", INT}, {"scale", FLOAT | FLOATS},
    {"scales", FLOATS}, {"scan_input_axes", INTS}, {"scan_input_directions", INTS}, {"scan_output_axes", INTS},
    {"scan_output_directions", INTS}, {"seed", INT}, {"select_last_index", INT}, {"shape", INTS}, {"size", INT},
    {"softcap", FLOAT}, {"softmax_precision", INT}, {"sorted", INT}, {"spatial", INT}, {"split", INTS},
    {"start", INT}, {"starts", INTS}, {"stash_type", INT}, {"storage_order", INT}, {"strides", INTS},
    {"support_vectors", FLOATS}, {"target_ids", INTS}, {"target_nodeids", INTS}, {"target_treeids", INTS},
    {"target_weights", FLOATS}, {"target_weights_as_tensor", TENSOR}, {"targets", INT}, {"then_branch", GRAPH},
    {"threshold", FLOAT}, {"to", INT | STRING}, {"training_mode", INT}, {"transA", INT}, {"transB", INT},
    {"tree_roots", INTS}, {"upper", INT}, {"value", FLOAT | TENSOR}, {"values_floats", FLOATS},
    {"values_int64s", INTS}, {"values_strings", STRINGS}, {"values_tensor", TENSOR}, {"vectors_per_class", INTS},
    {"width_scale", FLOAT}, {"zeros", INT},
};

static const char *const words[] = {[LIP_ATTR_OTHER] = "of a kind that is not supported",
                                    [LIP_ATTR_FLOAT] = "a float",
                                    [LIP_ATTR_INT] = "an int",
                                    [LIP_ATTR_STRING] = "a string",
                                    [LIP_ATTR_TENSOR] = "a tensor",
                                    [LIP_ATTR_GRAPH] = "a graph",
                                    [LIP_ATTR_FLOATS] = "a list of floats",
                                    [LIP_ATTR_INTS] = "a list of ints",
                                    [LIP_ATTR_STRINGS] = "a list of strings"};

static int by_name(const void *name, const void *row)
{
    return strcmp(name, ((const expected *)row)->name);
}

/* An empty list says nothing of its kind in old files, and tensors may hold what cannot be read. */
static bool may_be_other(int kinds)
{
    return (kinds & (TENSOR | GRAPH | FLOATS | INTS | STRINGS)) != 0;
}

static const char *first_word(int kinds)
{
    int kind = LIP_ATTR_FLOAT;
    while (!(kinds >> kind & 1))
        kind++;
    return words[kind];
}

static lip_status check_kind(const lip_node *node, const lip_attr *attr, lip_error *error)
{
    const expected *row =
        bsearch(attr->name, attributes, sizeof attributes / sizeof *attributes, sizeof *attributes, by_name);
    if (!row || (row->kinds >> attr->kind & 1) || (attr->kind == LIP_ATTR_OTHER && may_be_other(row->kinds)))
        return LIP_OK;
    return lip_fail_node(error, LIP_EFORMAT, node, "attribute '%s' is %s, where the standard has %s", attr->name,
                         words[attr->kind], first_word(row->kinds));
}

lip_status lip_node_check_attributes(const lip_node *node, lip_error *error)
{
    lip_status status = LIP_OK;
    for (size_t i = 0; i < node->attr_count && !status; i++) {
        if (lip_attr_find(node, node->attrs[i].name) != &node->attrs[i])
            return lip_fail_node(error, LIP_EFORMAT, node, "attribute '%s' is given twice", node->attrs[i].name);
        if (node->op && strcmp(node->domain, "com.microsoft") != 0)
            status = check_kind(node, &node->attrs[i], error);
    }
    return status;
}
