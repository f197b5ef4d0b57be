/*
 * tree_ensemble.c: ai.onnx.ml's decision trees for classifiers and
 * regressors. Piecewise constant, with jumps at the thresholds.
 *
 * Nodes are in parallel lists; a node is found by its tree and its number in
 * it. A sample walks from node 0 of each tree to a leaf, whose weights are
 * added to the scores. A walk longer than there are nodes is a cycle.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>
#include <string.h>

#define REASON "discontinuous: trees are piecewise constant and jump at their thresholds"

/* The lists of a classifier ("class_...") or regressor ("target_..."). */
typedef struct trees {
    const int64_t *tree, *number, *feature, *yes, *no, *missing; /* of the nodes; missing may be NULL */
    const char *const *mode;
    const float *threshold;
    int64_t nodes;
    const int64_t *leaf_tree, *leaf_number, *target;
    const float *weight;
    int64_t leaves, targets;
} trees;

static const void *list_of(const lip_node *node, const char *name, lip_attr_kind kind, int64_t count)
{
    const lip_attr *attr = lip_attr_find(node, name);
    if (!attr || attr->kind != kind || attr->count != count) return NULL;
    return kind == LIP_ATTR_FLOATS ? (const void *)attr->floats
                                   : kind == LIP_ATTR_INTS ? (const void *)attr->ints : (const void *)attr->strings;
}

static bool read_nodes(const lip_node *node, trees *t)
{
    const lip_attr *modes = lip_attr_find(node, "nodes_modes");
    t->nodes = modes && modes->kind == LIP_ATTR_STRINGS ? modes->count : 0;
    t->mode = list_of(node, "nodes_modes", LIP_ATTR_STRINGS, t->nodes);
    t->tree = list_of(node, "nodes_treeids", LIP_ATTR_INTS, t->nodes);
    t->number = list_of(node, "nodes_nodeids", LIP_ATTR_INTS, t->nodes);
    t->feature = list_of(node, "nodes_featureids", LIP_ATTR_INTS, t->nodes);
    t->yes = list_of(node, "nodes_truenodeids", LIP_ATTR_INTS, t->nodes);
    t->no = list_of(node, "nodes_falsenodeids", LIP_ATTR_INTS, t->nodes);
    t->missing = list_of(node, "nodes_missing_value_tracks_true", LIP_ATTR_INTS, t->nodes);
    t->threshold = list_of(node, "nodes_values", LIP_ATTR_FLOATS, t->nodes);
    return t->nodes > 0 && t->mode && t->tree && t->number && t->feature && t->yes && t->no && t->threshold;
}

static bool read_leaves(const lip_node *node, bool classes, trees *t)
{
    const lip_attr *ids = lip_attr_find(node, classes ? "class_ids" : "target_ids");
    t->leaves = ids && ids->kind == LIP_ATTR_INTS ? ids->count : -1;
    t->target = list_of(node, classes ? "class_ids" : "target_ids", LIP_ATTR_INTS, t->leaves);
    t->leaf_tree = list_of(node, classes ? "class_treeids" : "target_treeids", LIP_ATTR_INTS, t->leaves);
    t->leaf_number = list_of(node, classes ? "class_nodeids" : "target_nodeids", LIP_ATTR_INTS, t->leaves);
    t->weight = list_of(node, classes ? "class_weights" : "target_weights", LIP_ATTR_FLOATS, t->leaves);
    return t->leaves >= 0 && t->target && t->leaf_tree && t->leaf_number && t->weight;
}

/* Index of a node, or -1. Most files list them in order: look at the expected place first. */
static int64_t find_node(const trees *t, int64_t tree, int64_t number, int64_t near)
{
    for (int64_t i = 0; i < t->nodes; i++) {
        int64_t at = (near + i) % t->nodes;
        if (t->tree[at] == tree && t->number[at] == number) return at;
    }
    return -1;
}

/* As the trees are defined: thresholds and features are float32. */
static bool goes_yes(const trees *t, int64_t at, double value)
{
    const char *mode = t->mode[at];
    const float x = (float)value, threshold = t->threshold[at];
    if (isnan(value)) return t->missing && t->missing[at] != 0;
    if (strcmp(mode, "BRANCH_LEQ") == 0) return x <= threshold;
    if (strcmp(mode, "BRANCH_LT") == 0) return x < threshold;
    if (strcmp(mode, "BRANCH_GTE") == 0) return x >= threshold;
    if (strcmp(mode, "BRANCH_GT") == 0) return x > threshold;
    return (x == threshold) == (strcmp(mode, "BRANCH_EQ") == 0);
}

static lip_status add_leaf(const lip_node *node, const trees *t, int64_t leaf, double *scores, lip_error *error)
{
    for (int64_t i = 0; i < t->leaves; i++) {
        if (t->leaf_tree[i] != t->tree[leaf] || t->leaf_number[i] != t->number[leaf]) continue;
        if (t->target[i] < 0 || t->target[i] >= t->targets)
            return lip_fail_node(error, LIP_EFORMAT, node, "a leaf is of class %lld, there are %lld",
                                 (long long)t->target[i], (long long)t->targets);
        scores[t->target[i]] += (double)t->weight[i];
    }
    return LIP_OK;
}

static lip_status walk(const lip_node *node, const trees *t, int64_t root, const lip_tensor *x, int64_t first,
                       int64_t features, double *scores, lip_error *error)
{
    int64_t at = root;
    for (int64_t steps = 0; steps <= t->nodes; steps++) {
        if (at < 0 || t->feature[at] < 0 || t->feature[at] >= features)
            return lip_fail_node(error, LIP_EFORMAT, node, "a tree has no such node, or no such feature");
        if (strcmp(t->mode[at], "LEAF") == 0) return add_leaf(node, t, at, scores, error);
        bool yes = goes_yes(t, at, lip_tensor_real(x, first + t->feature[at]));
        at = find_node(t, t->tree[at], yes ? t->yes[at] : t->no[at], yes ? at + 1 : at);
    }
    return lip_fail_node(error, LIP_EFORMAT, node, "a tree has a cycle");
}

/* Sums over all trees, one row of t->targets for each sample. */
static lip_status sum_trees(const lip_call *call, const trees *t, double *scores, lip_error *error)
{
    const lip_tensor *x = call->in[0];
    const lip_attr *base = lip_attr_find(call->node, "base_values");
    int64_t features = x->shape.dim[x->shape.rank - 1];
    int64_t samples = x->shape.rank == 2 ? x->shape.dim[0] : 1;
    bool has_base = base && base->kind == LIP_ATTR_FLOATS && base->count == t->targets;
    for (int64_t s = 0; s < samples; s++) {
        double *row = scores + s * t->targets;
        for (int64_t c = 0; c < t->targets; c++) row[c] = has_base ? (double)base->floats[c] : 0;
        for (int64_t i = 0; i < t->nodes; i++)
            if (t->number[i] == 0) LIP_TRY(walk(call->node, t, i, x, s * features, features, row, error));
    }
    return LIP_OK;
}

static lip_status read(const lip_node *node, int64_t *samples, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (x->rank < 1 || x->rank > 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is not a list of samples");
    *samples = x->rank == 2 ? x->dim[0] : 1;
    return LIP_OK;
}

static lip_status classifier_shape(const lip_node *node, lip_error *error)
{
    const lip_attr *ints = lip_attr_find(node, "classlabels_int64s");
    const lip_attr *text = lip_attr_find(node, "classlabels_strings");
    lip_shape labels = {.rank = 1}, scores = {.rank = 2};
    bool whole = ints && ints->kind == LIP_ATTR_INTS && ints->count > 0;
    LIP_TRY(read(node, &labels.dim[0], error));
    if (!whole && (!text || text->kind != LIP_ATTR_STRINGS || text->count == 0))
        return lip_fail_node(error, LIP_EFORMAT, node, "it has no class labels");
    scores.dim[0] = labels.dim[0];
    scores.dim[1] = whole ? ints->count : text->count;
    LIP_TRY(lip_set_output(node, 0, whole ? LIP_DTYPE_INT64 : LIP_DTYPE_STRING, &labels, error));
    return lip_set_output(node, 1, LIP_DTYPE_FLOAT, &scores, error);
}

static lip_status regressor_shape(const lip_node *node, lip_error *error)
{
    lip_shape y = {.rank = 2, .dim = {0, lip_attr_int(node, "n_targets", 1)}};
    LIP_TRY(read(node, &y.dim[0], error));
    return lip_set_output(node, 0, lip_dtype_is_real(node->inputs[0]->dtype) ? node->inputs[0]->dtype : LIP_DTYPE_FLOAT,
                          &y, error);
}

/* Scores with a transform, in another aggregate, of float64 lists or of one class for two: not here. */
static lip_status evaluate(const lip_call *call, bool classes, trees *t, double *scores, lip_error *error)
{
    const lip_node *node = call->node;
    const char *transform = lip_attr_string(node, "post_transform", "NONE");
    if (strcmp(transform, "NONE") != 0 || strcmp(lip_attr_string(node, "aggregate_function", "SUM"), "SUM") != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its post_transform is '%s', or it does not add its trees",
                             transform);
    if (!read_nodes(node, t) || !read_leaves(node, classes, t))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its lists of nodes or leaves are not of one length, or of "
                                                            "another type");
    bool one_class = classes && t->targets == 2;
    for (int64_t i = 0; one_class && i < t->leaves; i++) one_class = t->target[i] == t->target[0];
    if (one_class)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its trees score one class of two");
    return sum_trees(call, t, scores, error);
}

static lip_status classifier_forward(const lip_call *call, lip_error *error)
{
    const lip_attr *ints = lip_attr_find(call->node, "classlabels_int64s");
    const lip_attr *text = lip_attr_find(call->node, "classlabels_strings");
    lip_tensor *label = call->out[0], *out = call->node->output_count > 1 ? call->out[1] : NULL;
    const lip_shape *x = &call->in[0]->shape;
    trees t = {.targets = ints && ints->count > 0 ? ints->count : text->count};
    int64_t samples = x->rank == 2 ? x->dim[0] : 1, room;
    if (!lip_size_mul(samples, t.targets, &room)) return lip_fail_memory(error, call->node, "its scores");
    double *scores = lip_alloc(call->memory, room, sizeof *scores);
    lip_status status =
        scores ? evaluate(call, true, &t, scores, error) : lip_fail_memory(error, call->node, "its scores");
    for (int64_t s = 0; status == LIP_OK && s < samples; s++) {
        const double *row = scores + s * t.targets;
        int64_t best = 0;
        for (int64_t c = 0; c < t.targets; c++) {
            if (row[c] > row[best]) best = c;
            if (out) out->f64_room[s * t.targets + c] = row[c];
        }
        if (label && label->storage == LIP_I64) label->i64_room[s] = ints->ints[best];
    }
    lip_free(call->memory, scores);
    return status;
}

static lip_status regressor_forward(const lip_call *call, lip_error *error)
{
    trees t = {.targets = lip_attr_int(call->node, "n_targets", 1)};
    return call->out[0] ? evaluate(call, false, &t, call->out[0]->f64_room, error) : LIP_OK;
}

const lip_op lip_op_ml_tree_ensemble_classifier = {
    .name = "TreeEnsembleClassifier",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = REASON},
    .shape = classifier_shape,
    .forward = classifier_forward,
};

const lip_op lip_op_ml_tree_ensemble_regressor = {
    .name = "TreeEnsembleRegressor",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = REASON},
    .shape = regressor_shape,
    .forward = regressor_forward,
};
