/*
 * draft.c: values by name, and who writes them.
 *
 * A hash table with chains, names compared in full. The hash is keyed by
 * chance, so that no file can put its names into one chain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "draft.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t rotated(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

/* SipHash-2-4 [Aumasson, Bernstein 2012]. */
uint64_t lip_hash_text(const char *text, const uint64_t key[2])
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    size_t length = strlen(text), at = 0;
    for (bool more = true; more; at += 8) {
        uint64_t word = 0;
        more = length - at >= 8;
        for (size_t i = 0; i < (more ? 8 : length - at); i++)
            word |= (uint64_t)(unsigned char)text[at + i] << 8 * i;
        word |= more ? 0 : (uint64_t)length << 56;
        v[3] ^= word;
        mix(v);
        mix(v);
        v[0] ^= word;
    }
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Without a source of randomness, the address of the draft and the time have to do. */
static void draw_key(const lip_draft *draft, uint64_t key[2])
{
    if (getrandom(key, 2 * sizeof *key, GRND_NONBLOCK) == (ssize_t)(2 * sizeof *key))
        return;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    key[0] = (uint64_t)(uintptr_t)draft ^ (uint64_t)now.tv_nsec << 20;
    key[1] = (uint64_t)(uintptr_t)draft->model ^ (uint64_t)now.tv_sec;
}

void lip_draft_init(lip_draft *draft, lip_model *model)
{
    memset(draft, 0, sizeof *draft);
    draft->model = model;
    lip_arena_init(&draft->scratch, &model->memory);
    draw_key(draft, draft->key);
}

void lip_draft_free(lip_draft *draft)
{
    lip_arena_free(&draft->scratch);
}

static bool grow(lip_draft *draft)
{
    size_t count = draft->bucket_count ? 2 * draft->bucket_count : 256;
    lip_draft_value **buckets = lip_arena_alloc(&draft->scratch, (int64_t)count, sizeof *buckets);
    if (!buckets)
        return false;
    for (size_t i = 0; i < draft->bucket_count; i++)
        for (lip_draft_value *at = draft->buckets[i], *next; at; at = next) {
            next = at->next;
            at->next = buckets[at->hash % count];
            buckets[at->hash % count] = at;
        }
    draft->buckets = buckets;
    draft->bucket_count = count;
    return true;
}

static lip_draft_value *find(const lip_draft *draft, const char *name, uint64_t hash)
{
    if (draft->bucket_count == 0)
        return NULL;
    lip_draft_value *at = draft->buckets[hash % draft->bucket_count];
    while (at && (at->hash != hash || strcmp(at->value.name, name) != 0))
        at = at->next;
    return at;
}

lip_draft_value *lip_draft_find(const lip_draft *draft, const char *name)
{
    return find(draft, name, lip_hash_text(name, draft->key));
}

lip_draft_value *lip_draft_value_named(lip_draft *draft, const char *name)
{
    uint64_t hash = lip_hash_text(name, draft->key);
    lip_draft_value *found = find(draft, name, hash);
    if (found)
        return found;
    if (draft->value_count >= draft->bucket_count && !grow(draft))
        return NULL;
    lip_draft_value *made = lip_arena_alloc(&draft->model->arena, 1, sizeof *made);
    char *copy = lip_arena_string(&draft->model->arena, name, strlen(name));
    if (!made || !copy)
        return NULL;
    made->value.name = copy;
    made->hash = hash;
    made->next = draft->buckets[hash % draft->bucket_count];
    draft->buckets[hash % draft->bucket_count] = made;
    if (draft->last)
        draft->last->later = made;
    else
        draft->first = made;
    draft->last = made;
    draft->value_count++;
    return made;
}

lip_status lip_draft_append(lip_draft *draft, lip_node *node, lip_error *error)
{
    lip_model *model = draft->model;
    if (model->node_count == draft->node_room) {
        size_t room = draft->node_room ? 2 * draft->node_room : 64;
        lip_node **nodes = lip_arena_alloc(&draft->scratch, (int64_t)room, sizeof *nodes);
        if (!nodes)
            return lip_fail_memory(error, node, "the nodes");
        for (size_t i = 0; i < model->node_count; i++)
            nodes[i] = model->nodes[i];
        model->nodes = nodes;
        draft->node_room = room;
    }
    model->nodes[model->node_count++] = node;
    return LIP_OK;
}

lip_status lip_draft_define(lip_draft_value *value, lip_node *node, lip_error *error)
{
    const lip_node *other = value->value.producer;
    const char *name = value->value.name;
    if (value->defined && other)
        return lip_fail_node(error, LIP_EFORMAT, node, "tensor '%s' is written by node '%s' and node '%s'", name,
                             other->name, node ? node->name : "");
    if (value->defined && node)
        return lip_fail_node(error, LIP_EFORMAT, node, "tensor '%s' is written by node '%s' and is also %s", name,
                             node->name, value->is_input ? "an input of the graph" : "an initializer");
    if (value->defined)
        return lip_fail(error, LIP_EFORMAT, "tensor '%s' is stored twice", name);
    value->defined = true;
    value->value.producer = node;
    return LIP_OK;
}

const char *lip_domain(const char *domain)
{
    return !domain || strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

int64_t lip_draft_opset(const lip_draft *draft, const char *domain)
{
    for (size_t i = 0; i < draft->domain_count; i++)
        if (strcmp(draft->domains[i].name, domain) == 0)
            return draft->domains[i].opset;
    return 1;
}
