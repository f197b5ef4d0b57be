/*
 * scope.c: see scope.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scope.h"

#include <stdio.h>
#include <string.h>

static char *joined(lip_draft *draft, const char *prefix, const char *name)
{
    size_t first = strlen(prefix), second = strlen(name);
    char *text = lip_arena_alloc(&draft->scratch, (int64_t)(first + second + 1), 1);
    if (text) {
        memcpy(text, prefix, first);
        memcpy(text + first, name, second + 1);
    }
    return text;
}

const char *lip_scope_prefix(lip_draft *draft, const char *what, const char *part)
{
    char number[32] = "";
    for (;;) {
        const char *base = joined(draft, what, part);
        const char *counted = base ? joined(draft, base, number) : NULL;
        const char *prefix = counted ? joined(draft, counted, "::") : NULL;
        if (!prefix)
            return NULL;
        if (!lip_draft_find(draft, prefix))
            return lip_draft_value_named(draft, prefix) ? prefix : NULL; /* taken */
        snprintf(number, sizeof number, "#%zu", draft->value_count);
    }
}

static lip_draft_value *meant(lip_draft_value *value)
{
    return value && value->alias ? value->alias : value;
}

lip_draft_value *lip_scope_own(lip_draft *draft, const lip_scope *scope, const char *name)
{
    const char *full = scope ? joined(draft, scope->prefix, name) : name;
    return full ? lip_draft_value_named(draft, full) : NULL;
}

bool lip_scope_value(lip_draft *draft, const lip_scope *scope, const char *name, lip_value **out)
{
    lip_draft_value *value = NULL;
    for (; scope && scope->is_branch && !value; scope = value ? scope : scope->outer) {
        const char *full = joined(draft, scope->prefix, name);
        if (!full)
            return false;
        value = lip_draft_find(draft, full);
    }
    if (!value)
        value = lip_scope_own(draft, scope, name);
    if (!value)
        return false;
    *out = value->left_out ? NULL : &meant(value)->value;
    return true;
}

static const lip_scope *function_of(const lip_scope *scope)
{
    while (scope && scope->is_branch)
        scope = scope->outer;
    return scope;
}

const lip_attr *lip_scope_attr(const lip_scope *scope, const char *name)
{
    scope = function_of(scope);
    for (size_t i = 0; scope && i < scope->attr_count; i++)
        if (strcmp(scope->attrs[i].name, name) == 0)
            return &scope->attrs[i];
    return NULL;
}

int64_t lip_scope_opset(const lip_draft *draft, const lip_scope *scope, const char *domain)
{
    scope = function_of(scope);
    for (size_t i = 0; scope && i < scope->domain_count; i++)
        if (strcmp(scope->domains[i].name, domain) == 0)
            return scope->domains[i].opset;
    return lip_draft_opset(draft, domain);
}
