/*
 * alloc.h: every allocation that a file can influence counts against a cap.
 *
 * A lip_memory is an account: how much is in use, the peak, the cap. Blocks
 * are 64-byte aligned and zeroed. The account may be used from several threads
 * at once. An arena groups many small allocations with one owner; it belongs to
 * one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_ALLOC_H
#define LIP_ONNX_ALLOC_H

#include "../lipaudit.h"

#include <stdatomic.h>

typedef struct lip_memory {
    uint64_t cap; /* bytes */
    atomic_uint_fast64_t used, peak;
    atomic_int_fast64_t fail_in; /* tests: > 0 counts down, and the allocation that reaches 0 fails; 0: off */
} lip_memory;

/* cap = 0: half of the machine's memory. */
void lip_memory_init(lip_memory *memory, uint64_t cap);

/* Room for count * size bytes, zeroed; NULL if the product overflows, the cap would be passed or the system has none.
 * count * size = 0 gives a valid block. */
void *lip_alloc(lip_memory *memory, int64_t count, size_t size);
void lip_free(lip_memory *memory, void *block); /* NULL is fine */

typedef struct lip_arena {
    lip_memory *memory;
    struct lip_arena_chunk *chunks;
} lip_arena;

void lip_arena_init(lip_arena *arena, lip_memory *memory);
void *lip_arena_alloc(lip_arena *arena, int64_t count, size_t size); /* zeroed, 64-byte aligned; NULL as lip_alloc */
char *lip_arena_string(lip_arena *arena, const char *text, size_t length); /* a NUL-terminated copy */
void lip_arena_free(lip_arena *arena);                                     /* idempotent */

/* *out = a * b for sizes >= 0; false on overflow or if either is negative. */
bool lip_size_mul(int64_t a, int64_t b, int64_t *out);
bool lip_size_add(int64_t a, int64_t b, int64_t *out);

#endif
