/*
 * failure.h: filling a lip_error. Each function returns the status it was
 * given, so that `return lip_fail(...)` reads well. `error` may be NULL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_FAILURE_H
#define LIP_ONNX_FAILURE_H

#include "../lipaudit.h"

struct lip_node;

/* Sets status and reason; clears node, module and op. `file` stays as it is. */
lip_status lip_fail(lip_error *error, lip_status status, const char *format, ...) LIP_PRINTF(3, 4);

/* The same, naming the node. */
lip_status lip_fail_node(lip_error *error, lip_status status, const struct lip_node *node, const char *format, ...)
    LIP_PRINTF(4, 5);

/* LIP_EMEMORY for a node: "needs N bytes for WHAT, over the cap of M". */
lip_status lip_fail_memory(lip_error *error, const struct lip_node *node, const char *what);

/* Copies text into a fixed array, cutting it at a character boundary and replacing control bytes and invalid UTF-8
 * by '?'. `size` > 0. */
void lip_copy_printable(char *to, size_t size, const char *text);

#endif
