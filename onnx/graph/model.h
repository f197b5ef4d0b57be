/*
 * model.h: making a lip_model, step by step. Each step has its file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_GRAPH_MODEL_H
#define LIP_ONNX_GRAPH_MODEL_H

#include "graph/draft.h"

/*
 * Behind lip_model_open: reads from memory (`bytes` not NULL) or from the file `path`. Cap and fail_in of `preset`
 * are taken over (fail_in: tests let the n-th allocation fail); NULL: from the options. `error` may be NULL.
 */
lip_status lip_model_read(const void *bytes, size_t size, const char *path, const lip_load_options *options,
                          const lip_memory *preset, lip_model **out, lip_error *error);

/* sort.c: model->nodes into an order where producers come first; in the file's order as far as possible. Refuses
 * cycles and values that nobody writes. */
lip_status lip_model_sort(lip_draft *draft, lip_error *error);
/* The same for model->nodes from `first` on, all before being sorted. */
lip_status lip_model_sort_from(lip_draft *draft, size_t first, lip_error *error);

/* inputs.c: which inputs vary; their shapes from the file and the options. Inputs of dead values may stay without. */
lip_status lip_model_mark_inputs(lip_draft *draft, const lip_load_options *options, lip_error *error);
lip_status lip_model_shape_inputs(lip_draft *draft, const lip_load_options *options, lip_error *error);

/* choose.c: the tensor taken as logits. */
lip_status lip_model_choose(lip_draft *draft, const lip_load_options *options, lip_error *error);

/* prune.c: keeps the nodes that the logits depend on. Once before inference (all ancestors), once after (folded nodes
 * do not need what they were folded from). Then the values and counts of the finished model. */
void lip_model_prune(lip_draft *draft);
lip_status lip_model_finish(lip_draft *draft, lip_error *error);

/* preprocess.c: the options' scale, mean and standard deviation as nodes in front of the network, named
 * preprocess.scale, .mean and .std. Their constants are those doubles, whatever the input's type. LIP_EUSAGE where
 * their number is not the number of channels. Then, in the finished model: model->normalises. */
lip_status lip_model_preprocess(lip_draft *draft, const lip_load_options *options, lip_error *error);
lip_status lip_model_find_normalisation(lip_draft *draft, lip_error *error);

/* infer.c: shapes, constant folding and verdicts of model->nodes, in order. */
lip_status lip_model_infer(lip_draft *draft, lip_error *error);

/* fuse.c: several nodes that compute one function of one tensor become one node. */
lip_status lip_model_fuse(lip_draft *draft, lip_error *error);

/* fold.c: runs a node whose inputs are constants (or whose operator needs only shapes); its outputs become constants.
 * LIP_EUNSUPPORTED where the operator cannot. */
lip_status lip_node_fold(lip_draft *draft, lip_node *node, lip_error *error);

/* attributes.c: LIP_EFORMAT where an attribute is given twice, or is not of a kind that the standard gives it. */
lip_status lip_node_check_attributes(const lip_node *node, lip_error *error);

/* types.c: LIP_EFORMAT where floating-point inputs that must have one type do not; LIP_EUNSUPPORTED where an operator
 * that computes reads a small floating-point type. */
lip_status lip_node_check_types(const lip_node *node, lip_error *error);

/* finite.c: LIP_EFORMAT where a constant that `node` reads holds NaN, or where an attribute of a known operator is NaN,
 * or infinite and neither a limit nor a fill value. Marks constants that hold infinity. */
lip_status lip_node_check_finite(const lip_node *node, lip_error *error);
/* infinite.c: LIP_EFORMAT where `node`, which was not folded, reads such a constant and is not one of the operators
 * that may; LIP_EUNSUPPORTED where it reads infinity computed from one, or turns it into NaN. Marks its outputs. */
lip_status lip_node_check_infinite(lip_draft *draft, const lip_node *node, lip_error *error);

/* In onnx/read/: fills the draft from the bytes of model->source. */
lip_status lip_read_model(lip_draft *draft, lip_error *error);
/* Appends to model->nodes what the subgraph `attr` of an If does, and copies of its outputs to the If's. */
lip_status lip_read_branch(lip_draft *draft, lip_node *node, const char *attr, lip_error *error);

/* lower.c: a node that has just been appended is split into several where its operator stands for a sequence. */
lip_status lip_model_lower(lip_draft *draft, lip_draft_node *made, lip_error *error);

#endif
