/*
 * alloc.c: the memory account and the arena.
 *
 * A block is one calloc with room for a small head in front, which holds the
 * size (to give it back to the account) and the pointer to free. calloc, so
 * that the zeroes of large blocks are the kernel's untouched pages.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT 64
#define TAIL 64 /* vector kernels of OpenBLAS 0.3.21 (zgemv) read up to a register past the end of a matrix */
#define FALLBACK_CAP (UINT64_C(4) << 30)
#define CHUNK_SIZE (64 * 1024)

typedef struct block_head {
    void *base;
    uint64_t size;
} block_head;

struct lip_arena_chunk {
    struct lip_arena_chunk *next;
    size_t size, used;
};

bool lip_size_mul(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || (a > 0 && b > INT64_MAX / a))
        return false;
    *out = a * b;
    return true;
}

bool lip_size_add(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || b > INT64_MAX - a)
        return false;
    *out = a + b;
    return true;
}

static uint64_t half_of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0)
        return FALLBACK_CAP;
    return (uint64_t)pages / 2 * (uint64_t)page;
}

void lip_memory_init(lip_memory *memory, uint64_t cap)
{
    memory->cap = cap ? cap : half_of_machine();
    atomic_init(&memory->used, 0);
    atomic_init(&memory->peak, 0);
    atomic_init(&memory->fail_in, 0);
}

static bool told_to_fail(lip_memory *memory)
{
    int_fast64_t left = atomic_load(&memory->fail_in);
    while (left > 0)
        if (atomic_compare_exchange_weak(&memory->fail_in, &left, left - 1))
            return left == 1;
    return false;
}

static bool account(lip_memory *memory, uint64_t size)
{
    uint_fast64_t used = atomic_load(&memory->used);
    do {
        if (size > memory->cap || used > memory->cap - size)
            return false;
    } while (!atomic_compare_exchange_weak(&memory->used, &used, used + size));
    uint_fast64_t now = used + size, peak = atomic_load(&memory->peak);
    while (now > peak && !atomic_compare_exchange_weak(&memory->peak, &peak, now))
        continue;
    return true;
}

void *lip_alloc(lip_memory *memory, int64_t count, size_t size)
{
    int64_t bytes, total;
    if (size > INT64_MAX || !lip_size_mul(count, (int64_t)size, &bytes) ||
        !lip_size_add(bytes, (int64_t)sizeof(block_head) + ALIGNMENT + TAIL, &total) || (uint64_t)total > SIZE_MAX)
        return NULL;
    if (told_to_fail(memory) || !account(memory, (uint64_t)total))
        return NULL;
    char *base = calloc(1, (size_t)total);
    if (!base) {
        atomic_fetch_sub(&memory->used, (uint64_t)total);
        return NULL;
    }
    uintptr_t first = (uintptr_t)base + sizeof(block_head);
    char *block = base + sizeof(block_head) + (ALIGNMENT - first % ALIGNMENT) % ALIGNMENT;
    const block_head head = {base, (uint64_t)total};
    memcpy(block - sizeof head, &head, sizeof head);
    return block;
}

void lip_free(lip_memory *memory, void *block)
{
    if (!block)
        return;
    block_head head;
    memcpy(&head, (char *)block - sizeof head, sizeof head);
    atomic_fetch_sub(&memory->used, head.size);
    free(head.base);
}

void lip_arena_init(lip_arena *arena, lip_memory *memory)
{
    arena->memory = memory;
    arena->chunks = NULL;
}

/* A large block gets a chunk of its own behind the first, so that the first keeps its free room. */
static struct lip_arena_chunk *add_chunk(lip_arena *arena, size_t room)
{
    size_t size = room > CHUNK_SIZE / 4 ? room : CHUNK_SIZE;
    int64_t total;
    if (size > INT64_MAX || !lip_size_add((int64_t)size, ALIGNMENT, &total))
        return NULL;
    struct lip_arena_chunk *chunk = lip_alloc(arena->memory, total, 1);
    if (!chunk)
        return NULL;
    chunk->size = (size_t)total;
    chunk->used = ALIGNMENT;
    if (size != CHUNK_SIZE && arena->chunks) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    return chunk;
}

static void *take(lip_arena *arena, size_t bytes, size_t alignment)
{
    struct lip_arena_chunk *chunk = arena->chunks;
    size_t start = chunk ? (chunk->used + alignment - 1) / alignment * alignment : 0;
    if (!chunk || start > chunk->size || bytes > chunk->size - start) {
        chunk = add_chunk(arena, bytes);
        if (!chunk)
            return NULL;
        start = chunk->used;
    }
    chunk->used = start + bytes;
    return (char *)chunk + start;
}

void *lip_arena_alloc(lip_arena *arena, int64_t count, size_t size)
{
    int64_t bytes;
    if (size > INT64_MAX || !lip_size_mul(count, (int64_t)size, &bytes) || (uint64_t)bytes > SIZE_MAX)
        return NULL;
    return take(arena, (size_t)bytes, ALIGNMENT);
}

char *lip_arena_string(lip_arena *arena, const char *text, size_t length)
{
    if (length >= SIZE_MAX / 2)
        return NULL;
    char *copy = take(arena, length + 1, 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

void lip_arena_free(lip_arena *arena)
{
    while (arena->chunks) {
        struct lip_arena_chunk *next = arena->chunks->next;
        lip_free(arena->memory, arena->chunks);
        arena->chunks = next;
    }
}
