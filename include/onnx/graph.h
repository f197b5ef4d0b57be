/*
 * graph.h: the network as understood, what onnx/ offers bounds/.
 *
 * A graph is a list of nodes in topological order over values (tensors with a
 * name). After reading, every value that the logits depend on either is a
 * constant, or varies with the model's input, or comes from a node that is
 * not understood. All objects live in the model's arena.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_GRAPH_H
#define LIP_ONNX_GRAPH_H

#include "tensor.h"

typedef struct lip_node lip_node;
typedef struct lip_value lip_value;
typedef struct lip_op lip_op;

struct lip_value {
    const char *name;
    lip_dtype dtype;
    bool shape_known;
    lip_shape shape;
    const lip_tensor *constant; /* NULL: not a constant */
    bool varies;                /* depends on a perturbed input of the model */
    lip_node *producer;         /* NULL: graph input or initializer */
    int consumers;              /* uses by live nodes, plus one if it is the logits */
    size_t index;               /* in lip_model.values */
};

typedef enum lip_attr_kind {
    LIP_ATTR_FLOAT = 1,
    LIP_ATTR_INT = 2,
    LIP_ATTR_STRING = 3,
    LIP_ATTR_TENSOR = 4,
    LIP_ATTR_GRAPH = 5,
    LIP_ATTR_FLOATS = 6,
    LIP_ATTR_INTS = 7,
    LIP_ATTR_STRINGS = 8,
    LIP_ATTR_OTHER = 0
} lip_attr_kind;

typedef struct lip_attr {
    const char *name;
    lip_attr_kind kind;
    int64_t i;
    float f;
    const char *s;
    int64_t count; /* of ints, floats or strings */
    const int64_t *ints;
    const float *floats;
    const char *const *strings;
    const lip_tensor *tensor;
} lip_attr;

struct lip_node {
    const char *name;   /* "#12" (index in the file) where the file has none */
    const char *op_type;
    const char *domain; /* "" is the default domain ("ai.onnx" is mapped to it) */
    const char *module; /* module path stored by the exporter, or "" */
    int64_t opset;      /* version of its domain in force */
    const lip_op *op;   /* NULL: not in the table */
    lip_value **inputs; /* NULL where an optional input is left out */
    size_t input_count;
    lip_value **outputs; /* NULL where an optional output is left out */
    size_t output_count;
    const lip_attr *attrs;
    size_t attr_count;
    bool folded;         /* every output is a constant */
    const char *unknown; /* NULL: understood. Otherwise the reason, and the outputs' shapes may be unknown */
    size_t index;        /* in lip_model.nodes */
};

struct lip_model {
    lip_memory memory;
    lip_arena arena;
    const char *path;
    const char *producer;
    char sha256[65];
    int64_t ir_version, opset;
    uint64_t parameters;
    lip_node **nodes; /* live ones, topological order */
    size_t node_count;
    size_t nodes_in_file;
    lip_value **values;
    size_t value_count;
    lip_value **inputs; /* graph inputs that are not initializers, in file order */
    size_t input_count;
    lip_value *logits;
    const char *normalises; /* the stored node that shifts or scales the perturbed input before all else; "": none */
    const char **notes;
    size_t note_count;
    struct lip_source *source; /* the file's bytes and mappings that constants point into */
};

/* The attribute, or NULL. The getters give `otherwise` where it is absent or of another kind. */
const lip_attr *lip_attr_find(const lip_node *node, const char *name);
int64_t lip_attr_int(const lip_node *node, const char *name, int64_t otherwise);
double lip_attr_float(const lip_node *node, const char *name, float otherwise);
const char *lip_attr_string(const lip_node *node, const char *name, const char *otherwise);
/* NULL and *count = 0 where absent. */
const int64_t *lip_attr_ints(const lip_node *node, const char *name, int64_t *count);

/* Input `index`, or NULL when the node has fewer inputs or leaves it out. */
lip_value *lip_node_input(const lip_node *node, size_t index);
lip_value *lip_node_output(const lip_node *node, size_t index);
/* The constant behind input `index`, or NULL. */
const lip_tensor *lip_node_constant(const lip_node *node, size_t index);
/* Index of the only input that varies; -1 if none or several do. */
int lip_node_varying(const lip_node *node);

/* The constants that a node reads will not be read for a while: those that lie in the model's mapped files give their
 * memory back, and come from the file again when they are. Any thread, at any time. */
void lip_model_release(const lip_model *model, const lip_node *node);

/* A remark for the user ("the batch dimension 'N' was set to 1"); dropped silently when memory is out. */
void lip_model_remark(lip_model *model, const char *format, ...) LIP_PRINTF(2, 3);

#endif
