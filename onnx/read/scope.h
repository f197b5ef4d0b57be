/*
 * scope.h: what a name means where it stands: in the graph itself, in the
 * body of a function that is put in place of a call, or in the branch of an
 * If that was decided.
 *
 * Values of all scopes are in the draft's one table; those of a body or branch
 * have names that start with the scope's prefix ("call::"), and a function's
 * inputs and outputs are other names of the caller's values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_SCOPE_H
#define LIP_ONNX_READ_SCOPE_H

#include "graph/draft.h"

#define LIP_MAX_CALL_DEPTH 64

struct lip_scope { /* NULL stands for the graph itself */
    bool is_branch;                /* other names are looked up in `outer`; a function sees its own alone */
    const struct lip_scope *outer;
    const char *prefix;
    const lip_node *caller; /* the call or the If */
    const lip_attr *attrs;  /* a function's attributes at this call */
    size_t attr_count;
    const lip_draft_domain *domains; /* a function's own opsets */
    size_t domain_count;
    int depth; /* of calls */
};

/* A prefix for the names inside of `what` that no other scope has; NULL when memory is out. */
const char *lip_scope_prefix(lip_draft *draft, const char *what, const char *part);

/* The scope's own value of that name, made on first mention; NULL when memory is out. */
lip_draft_value *lip_scope_own(lip_draft *draft, const lip_scope *scope, const char *name);
/* What `name` means: the scope's own value if it has one, else the outer scopes'. *out is NULL where it is left out.
 * False when memory is out. */
bool lip_scope_value(lip_draft *draft, const lip_scope *scope, const char *name, lip_value **out);

/* The attribute of the call that the function body around `scope` was put in place of; NULL if there is none. */
const lip_attr *lip_scope_attr(const lip_scope *scope, const char *name);
/* The version of a domain in force. */
int64_t lip_scope_opset(const lip_draft *draft, const lip_scope *scope, const char *domain);

#endif
