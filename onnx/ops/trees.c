/*
 * trees.c: ai.onnx.ml's TreeEnsemble (version 5): inner nodes and leaves in
 * lists of their own, a node's children named by their place in them.
 * Piecewise constant, with jumps at the thresholds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>

enum mode { LEQ, LESS, GTE, GREATER, EQUAL, UNEQUAL, MEMBER, MODES };
enum aggregate { AVERAGE, SUM, MIN, MAX, AGGREGATES };

typedef struct trees {
    const int64_t *root, *feature, *yes, *no, *yes_leaf, *no_leaf, *missing, *target; /* missing may be NULL */
    const lip_tensor *mode, *split, *weight, *member;                                 /* member may be NULL */
    int64_t roots, nodes, leaves, targets, aggregate;
} trees;

/* A list of `count` ints, each in [0, below) (below < 0: any); NULL if it is not there, or not so. */
static const int64_t *ints_of(const lip_node *node, const char *name, int64_t count, int64_t below)
{
    int64_t found = 0;
    const int64_t *list = lip_attr_ints(node, name, &found);
    if (found != count) return NULL;
    for (int64_t i = 0; list && i < count && below >= 0; i++)
        if (list[i] < 0 || list[i] >= below) return NULL;
    return list;
}

static const lip_tensor *tensor_of(const lip_node *node, const char *name, lip_storage other)
{
    const lip_attr *attr = lip_attr_find(node, name);
    const lip_tensor *tensor = attr && attr->kind == LIP_ATTR_TENSOR ? attr->tensor : NULL;
    bool is = tensor && tensor->data && (tensor->storage == LIP_I64) == (other == LIP_I64);
    return is && tensor->storage != LIP_OPAQUE ? tensor : NULL;
}

/* Children are places in the list that their flag says. */
static bool fit(const int64_t *child, const int64_t *is_leaf, const trees *t)
{
    for (int64_t i = 0; i < t->nodes; i++)
        if (child[i] < 0 || child[i] >= (is_leaf[i] ? t->leaves : t->nodes)) return false;
    return true;
}

static bool modes_fit(const trees *t)
{
    for (int64_t i = 0; i < t->nodes; i++)
        if (t->mode->i64[i] < 0 || t->mode->i64[i] >= MODES || (t->mode->i64[i] == MEMBER && !t->member)) return false;
    return true;
}

static lip_status read(const lip_node *node, trees *out, lip_error *error)
{
    trees t = {.targets = lip_attr_int(node, "n_targets", 1)};
    int64_t features = node->inputs[0]->shape.dim[1];
    (void)lip_attr_ints(node, "tree_roots", &t.roots);
    (void)lip_attr_ints(node, "nodes_featureids", &t.nodes);
    (void)lip_attr_ints(node, "leaf_targetids", &t.leaves);
    t.aggregate = lip_attr_int(node, "aggregate_function", SUM);
    t.root = ints_of(node, "tree_roots", t.roots, t.nodes);
    t.feature = ints_of(node, "nodes_featureids", t.nodes, features);
    t.yes = ints_of(node, "nodes_truenodeids", t.nodes, -1);
    t.no = ints_of(node, "nodes_falsenodeids", t.nodes, -1);
    t.yes_leaf = ints_of(node, "nodes_trueleafs", t.nodes, 2);
    t.no_leaf = ints_of(node, "nodes_falseleafs", t.nodes, 2);
    t.missing = ints_of(node, "nodes_missing_value_tracks_true", t.nodes, 2);
    t.target = ints_of(node, "leaf_targetids", t.leaves, t.targets);
    t.mode = tensor_of(node, "nodes_modes", LIP_I64);
    t.split = tensor_of(node, "nodes_splits", LIP_F64);
    t.weight = tensor_of(node, "leaf_weights", LIP_F64);
    t.member = tensor_of(node, "membership_values", LIP_F64);
    bool there = t.roots > 0 && t.root && t.feature && t.yes && t.no && t.yes_leaf && t.no_leaf && t.target && t.mode &&
                 t.split && t.weight;
    if (!there || t.mode->count != t.nodes || t.split->count != t.nodes || t.weight->count != t.leaves ||
        t.aggregate < 0 || t.aggregate >= AGGREGATES || !fit(t.yes, t.yes_leaf, &t) || !fit(t.no, t.no_leaf, &t) ||
        !modes_fit(&t))
        return lip_fail_node(error, LIP_EFORMAT, node, "its lists of nodes and leaves do not fit each other");
    if (lip_attr_int(node, "post_transform", 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its post_transform is %lld, only 0 (none) is supported",
                             (long long)lip_attr_int(node, "post_transform", 0));
    *out = t;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    trees t;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (x->rank != 2) return lip_fail_node(error, LIP_EFORMAT, node, "its input is not a list of samples");
    LIP_TRY(read(node, &t, error));
    const lip_shape y = {.rank = 2, .dim = {x->dim[0], t.targets}};
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* The values of each MEMBER node lie one after the other, NaN between them. */
static bool is_member(const trees *t, int64_t at, double x)
{
    int64_t i = 0;
    for (int64_t k = 0; k < at; k++) {
        if (t->mode->i64[k] != MEMBER) continue;
        while (i < t->member->count && !isnan(lip_tensor_real(t->member, i))) i++;
        i++;
    }
    for (; i < t->member->count && !isnan(lip_tensor_real(t->member, i)); i++)
        if (lip_tensor_real(t->member, i) == x) return true;
    return false;
}

static bool goes_yes(const trees *t, int64_t at, double x)
{
    const double split = lip_tensor_real(t->split, at);
    if (isnan(x)) return t->missing && t->missing[at];
    switch (t->mode->i64[at]) {
    case LEQ: return x <= split;
    case LESS: return x < split;
    case GTE: return x >= split;
    case GREATER: return x > split;
    case EQUAL: return x == split;
    case UNEQUAL: return x != split;
    default: return is_member(t, at, x);
    }
}

/* The leaf that sample x ends in; -1: a cycle. */
static int64_t walk(const trees *t, int64_t at, const double *x)
{
    for (int64_t steps = 0; steps < t->nodes; steps++) {
        const bool yes = goes_yes(t, at, x[t->feature[at]]);
        const bool leaf = yes ? t->yes_leaf[at] : t->no_leaf[at];
        at = yes ? t->yes[at] : t->no[at];
        if (leaf) return at;
    }
    return -1;
}

static double joined(int64_t aggregate, bool first, double y, double weight)
{
    if (aggregate == MIN) return first ? weight : fmin(y, weight);
    if (aggregate == MAX) return first ? weight : fmax(y, weight);
    return y + weight;
}

static lip_status run(const lip_call *call, const trees *t, bool *seen, lip_error *error)
{
    const lip_tensor *x = call->in[0];
    for (int64_t s = 0; s < x->shape.dim[0]; s++) {
        double *y = call->out[0]->f64_room + s * t->targets;
        for (int64_t c = 0; c < t->targets; c++) {
            y[c] = 0;
            seen[c] = false;
        }
        for (int64_t k = 0; k < t->roots; k++) {
            const int64_t leaf = walk(t, t->root[k], x->f64 + s * x->shape.dim[1]);
            if (leaf < 0) return lip_fail_node(error, LIP_EFORMAT, call->node, "a tree has a cycle");
            const int64_t c = t->target[leaf];
            y[c] = joined(t->aggregate, !seen[c], y[c], lip_tensor_real(t->weight, leaf));
            seen[c] = true;
        }
        for (int64_t c = 0; t->aggregate == AVERAGE && c < t->targets; c++) y[c] /= (double)t->roots;
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    trees t;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(read(call->node, &t, error));
    bool *seen = lip_alloc(call->memory, t.targets, sizeof *seen);
    lip_status status = seen ? run(call, &t, seen, error) : lip_fail_memory(error, call->node, "its targets");
    lip_free(call->memory, seen);
    return status;
}

const lip_op lip_op_ml_tree_ensemble = {
    .name = "TreeEnsemble",
    .domain = "ai.onnx.ml",
    .opset_first = 5,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED,
             .reason = "discontinuous: trees are piecewise constant and jump at their thresholds"},
    .shape = shape,
    .forward = forward,
};
