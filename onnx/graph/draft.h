/*
 * draft.h: a model while it is being read, between the file (onnx/read/ fills
 * it) and the finished lip_model (onnx/graph/ makes it).
 *
 * Values and nodes are made in the model's arena as lip_draft_value and
 * lip_draft_node, whose first member is what the rest of the program sees.
 * Tables that only reading needs are in the draft's own arena.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_GRAPH_DRAFT_H
#define LIP_ONNX_GRAPH_DRAFT_H

#include "failure.h"
#include "graph.h"

typedef struct lip_draft_value {
    lip_value value;
    bool defined;    /* by the graph's inputs, an initializer or a node */
    bool is_input;   /* of the graph, and not an initializer */
    bool counted;    /* among the model's parameters */
    bool checked;    /* its constant was looked at for NaN and infinity */
    bool infinite;   /* a constant that holds infinity, or a tensor that may where the input decides */
    const lip_tensor *pattern; /* its value where every finite varying element is 0, if infinity is left; or NULL */
    const char *why; /* why its elements cannot be used ("holds strings ..."); NULL: they can */
    struct lip_draft_value *alias; /* in a function's body: what the caller passes for this name */
    bool left_out;                 /* ... the caller leaves it out */
    uint64_t hash;
    struct lip_draft_value *next;  /* with the same hash bucket */
    struct lip_draft_value *later; /* made after this one */
} lip_draft_value;

typedef struct lip_scope lip_scope; /* read/scope.h */

typedef struct lip_branch { /* a subgraph of a node, not read yet */
    struct lip_branch *next;
    const char *attr; /* "then_branch" */
    const char *prefix;
    const uint8_t *bytes; /* of the GraphProto, in the model's source */
    size_t size;
} lip_branch;

typedef struct lip_draft_node {
    lip_node node;
    const char *op_text; /* "Conv", "com.microsoft::Gelu" */
    bool has_subgraph;   /* its inputs go on with the values that its subgraphs read */
    lip_branch *branches;
    const lip_scope *scope;
    bool prepended; /* by preprocess.c */
    bool live;
    int mark; /* of the walk in sort.c */
} lip_draft_node;

typedef struct lip_draft_input { /* a graph input as declared */
    lip_draft_value *value;
    bool has_shape;
    int rank;
    int64_t dim[LIP_MAX_RANK];         /* <= 0: not fixed */
    const char *symbol[LIP_MAX_RANK];  /* NULL: no name */
} lip_draft_input;

typedef struct lip_draft_domain {
    const char *name;
    int64_t opset;
} lip_draft_domain;

typedef struct lip_draft_function {
    const char *domain, *name, *overload;
    const uint8_t *bytes; /* of the FunctionProto, in the model's source */
    size_t size;
} lip_draft_function;

typedef struct lip_draft_call { /* of a function, not put into the graph yet */
    struct lip_draft_call *next;
    const lip_draft_function *function;
    lip_draft_node *node;
} lip_draft_call;

typedef struct lip_draft {
    lip_model *model;
    lip_arena scratch;
    lip_draft_value **buckets;
    size_t bucket_count, value_count;
    lip_draft_value *first, *last; /* made; in this order nothing depends on the hash */
    uint64_t key[2]; /* of the table's hash, by chance */
    lip_draft_input *inputs;
    size_t input_count;
    lip_value **outputs;
    size_t output_count;
    lip_draft_domain *domains;
    size_t domain_count;
    lip_draft_function *functions;
    size_t function_count;
    lip_draft_call *calls; /* the next one first */
    size_t node_room, inlined;
} lip_draft;

void lip_draft_init(lip_draft *draft, lip_model *model);
void lip_draft_free(lip_draft *draft); /* idempotent; the model stays */

static inline lip_draft_value *lip_draft_of(const lip_value *value)
{
    return (lip_draft_value *)value;
}

static inline lip_draft_node *lip_draft_of_node(const lip_node *node)
{
    return (lip_draft_node *)node;
}

/* The hash of the table of names, under a key. */
uint64_t lip_hash_text(const char *text, const uint64_t key[2]);

/* The value of that name, made on first mention; NULL when memory is out. */
lip_draft_value *lip_draft_value_named(lip_draft *draft, const char *name);
/* The same without making one. */
lip_draft_value *lip_draft_find(const lip_draft *draft, const char *name);

/* Appends to model->nodes. */
lip_status lip_draft_append(lip_draft *draft, lip_node *node, lip_error *error);

/* lower.c: appends an Identity beside `like` that makes `to` the same as `from` (NULL: LIP_EFORMAT). */
lip_status lip_draft_copy(lip_draft *draft, const lip_node *like, lip_value *from, lip_value *to, lip_error *error);

/* Says that `node` (NULL: the initializer) writes the value. LIP_EFORMAT if something else does. */
lip_status lip_draft_define(lip_draft_value *value, lip_node *node, lip_error *error);

/* The version in force of a domain; 1 where the file does not say, 0 (refused) for the default one. */
int64_t lip_draft_opset(const lip_draft *draft, const char *domain);

/* "ai.onnx" is the default domain "". */
const char *lip_domain(const char *domain);

#endif
