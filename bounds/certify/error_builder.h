/*
 * error_builder.h: what error_plan.c and error_group.c share while a plan is
 * made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_ERROR_BUILDER_H
#define LIP_BOUNDS_ERROR_BUILDER_H

#include "error_plan.h"

/* A product with what is executed as one with it: plans[first] ... plans[end], each reading only the one before. */
typedef struct lip_error_group {
    bool is_member;             /* in some group */
    size_t leader;              /* the product's plan */
    size_t first, end;          /* of a leader */
} lip_error_group;

typedef struct lip_error_builder {
    const lip_model *model;
    const lip_layer_plan *plans;
    const double *gains, *cumulative;
    size_t count;
    lip_error_group *groups;
    size_t *reader, *maker;     /* per value: the plan that alone reads it, that makes it; count: none */
    double *product_units;      /* per value: of the product that made it, where nobody else reads it */
    lip_arena *arena;
    lip_memory *memory;
    lip_error_plan *out;
} lip_error_builder;

/* Finds readers, makers and the groups around all products. The arrays are there. */
void lip_error_find_groups(lip_error_builder *b);

/* The step of the group that plans[leader] leads; its branch's gain is there. Keeps the rows of the last matrix. */
lip_status lip_error_group_step(const lip_error_builder *b, size_t leader, int64_t classes, lip_error_step *step,
                                lip_error *error);

/* || constants of one SCALE ||_2; *known: whether they can be read. */
lip_status lip_error_scale_constants(const lip_error_builder *b, size_t plan, double *norm, bool *known,
                                     lip_error *error);

/* The plan that alone reads output 0 of plan i, count if there is none. */
static inline size_t lip_error_next(const lip_error_builder *b, size_t i)
{
    return b->reader[b->plans[i].node->outputs[0]->index];
}

/* The coarser of `found` (may be NULL) and what the node's tensors are stored as, below float32; NULL: neither. */
const lip_ieee *lip_error_coarsest(const lip_node *node, const lip_ieee *found);

#endif
