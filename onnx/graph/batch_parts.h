/*
 * batch_parts.h: what a lip_batch is made of. Private to onnx/graph.
 *
 * A step is a node made ready. Its part (convolution, dense, generic) knows
 * how many elements one sample has, and works on arrays of samples; where the
 * arrays lie is the plan's business.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_BATCH_PARTS_H
#define LIP_GRAPH_BATCH_PARTS_H

#include "batch_tiles.h"
#include "binding.h"

/* lip_batch_open with kernels of one's choice. */
lip_status lip_batch_open_with(const lip_model *model, int64_t capacity, lip_batch_precision precision,
                               const lip_kernels *kernels, lip_memory *memory, lip_batch **out, lip_error *error);

/* batch_conv.c: a convolution, or the transpose of one. */
typedef struct lip_batch_conv lip_batch_conv;
lip_status lip_batch_conv_open(const lip_node *node, const lip_conv *conv, const lip_kernels *kernels,
                               lip_memory *memory, lip_batch_conv **out, lip_error *error);
void lip_batch_conv_free(lip_batch_conv *conv, lip_memory *memory); /* NULL is fine */
/* Bytes of workspace for a run, whatever its count. */
int64_t lip_batch_conv_scratch(const lip_batch_conv *conv);
/* y [count][output] = A x [count][input] + b, then max(., 0) if relu. x and y do not overlap. */
void lip_batch_conv_run(const lip_batch_conv *conv, bool relu, int64_t count, const void *x, void *y, void *scratch);

/* batch_dense.c: one matrix over all slices of the input. */
typedef struct lip_batch_dense lip_batch_dense;
/* *out = NULL where the node's matrices and axes are not that simple: a generic step does it. */
lip_status lip_batch_dense_open(const lip_node *node, const lip_dense *dense, const lip_kernels *kernels,
                                lip_memory *memory, lip_batch_dense **out, lip_error *error);
void lip_batch_dense_free(lip_batch_dense *dense, lip_memory *memory); /* NULL is fine */
void lip_batch_dense_run(const lip_batch_dense *dense, bool relu, int64_t count, const void *x, void *y);

/* batch_pool.c: MaxPool whose indices nobody reads. */
typedef struct lip_batch_pool lip_batch_pool;
lip_status lip_batch_pool_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory,
                               lip_batch_pool **out, lip_error *error);
void lip_batch_pool_free(lip_batch_pool *pool, lip_memory *memory); /* NULL is fine */
void lip_batch_pool_run(const lip_batch_pool *pool, int64_t count, const void *x, void *y);

/* batch_generic.c: any node by its operator's forward, sample by sample in float64. */
typedef struct lip_batch_generic lip_batch_generic;
lip_status lip_batch_generic_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory,
                                  lip_batch_generic **out, lip_error *error);
void lip_batch_generic_free(lip_batch_generic *generic, lip_memory *memory); /* NULL is fine */
int64_t lip_batch_generic_scratch(const lip_batch_generic *generic); /* bytes */
/* in[i] and out[i]: arrays of `count` samples in the values' storage; NULL for constants and for what nobody reads. */
lip_status lip_batch_generic_run(lip_batch_generic *generic, int64_t count, const void *const *in, void *const *out,
                                 void *scratch, lip_error *error);

/* The node's value where its one varying input is zero: an affine node's b, of output 0's size. */
lip_status lip_affine_shift(const lip_node *node, lip_memory *memory, double *shift, lip_error *error);

typedef enum lip_step_kind {
    LIP_STEP_ALIAS, /* output 0 has the elements of input 0 in their order */
    LIP_STEP_CONV,
    LIP_STEP_DENSE,
    LIP_STEP_RELU,
    LIP_STEP_POOL,
    LIP_STEP_GENERIC
} lip_step_kind;

#define LIP_NO_STEP SIZE_MAX

typedef struct lip_step {
    const lip_node *node;
    lip_step_kind kind;
    bool affine;
    lip_batch_conv *conv;
    lip_batch_dense *dense;
    lip_batch_pool *pool;
    lip_batch_generic *generic;
    size_t relu;   /* CONV, DENSE: the step that is done with it where nobody looks in between */
    size_t before; /* RELU: the step that does it then */
} lip_step;

/* batch_step.c. Free it also when opening failed. */
lip_status lip_step_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory, lip_step *step,
                         lip_error *error);
void lip_step_free(lip_step *step, lip_memory *memory);

/* n of lip_batch_roundings; -1 for other nodes. */
int64_t lip_step_terms(const lip_step *step);
int64_t lip_batch_conv_terms(const lip_batch_conv *conv);
int64_t lip_batch_dense_terms(const lip_batch_dense *dense);

/* batch_plan.c: where values lie, and when. Time 0 is the input, time i + 1 step i. */
#define LIP_NO_SLOT SIZE_MAX

typedef struct lip_place {
    size_t root;       /* the value whose elements these are: itself, or what it is a copy of */
    size_t slot;       /* of the root; LIP_NO_SLOT: not computed */
    size_t born, dies; /* of the root: elements are there from the one time to the other, both included */
    size_t made;       /* of the value itself */
    int64_t count;     /* elements of one sample */
    lip_storage storage; /* LIP_OPAQUE: not computed */
} lip_place;

typedef struct lip_plan {
    lip_place *place; /* one per value of the model */
    int64_t *slot;    /* bytes of one sample in each slot */
    size_t slot_count;
} lip_plan;

/* Fills steps[].relu and .before too. Memory from the arena. */
lip_status lip_plan_make(const lip_model *model, lip_batch_precision precision, lip_step *steps, size_t step_count,
                         lip_arena *arena, lip_plan *plan, lip_error *error);
/* Where the value's elements lie; NULL where it is not computed. */
const lip_place *lip_plan_place(const lip_plan *plan, const lip_value *value);
/* The same; NULL also where it is not there at that time. */
const lip_place *lip_plan_place_at(const lip_plan *plan, const lip_value *value, size_t time);

#endif
