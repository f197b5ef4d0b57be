/*
 * cases.c: makes a node from a case's line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

double op_fixture_random(op_fixture *fixture, double low, double high)
{
    /* splitmix64 [Steele, Lea, Flood 2014] */
    uint64_t z = fixture->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return low + (high - low) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Reads "1,2,3" up to a space; returns the number of elements. */
static int64_t read_list(const char *text, double *list, int64_t room)
{
    int64_t count = 0;
    char *end = (char *)text;
    while (*text && *text != ' ' && count < room) {
        list[count++] = strtod(text, &end);
        if (end == text) return -1;
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

static const char *read_shape(const char *text, lip_shape *shape)
{
    *shape = (lip_shape){0};
    while (*text >= '0' && *text <= '9' && shape->rank < LIP_MAX_RANK) {
        char *end;
        shape->dim[shape->rank++] = strtoll(text, &end, 10);
        text = *end == 'x' ? end + 1 : end;
    }
    return text;
}

static bool fill_constant(op_fixture *f, lip_tensor *tensor, const char *rest, size_t index)
{
    double list[256];
    int64_t given = *rest == '=' ? read_list(rest + 1, list, 256) : -1;
    if (*rest == '=' && given != tensor->count) return false;
    tensor->room = lip_arena_alloc(&f->arena, tensor->count, 8);
    for (int64_t i = 0; i < tensor->count; i++) {
        double x = given >= 0 ? list[i] : op_fixture_random(f, f->low[index], f->high[index]);
        if (tensor->storage == LIP_F64)
            tensor->f64_room[i] = x;
        else
            tensor->i64_room[i] = (int64_t)x;
    }
    return true;
}

static lip_dtype type_of(char letter)
{
    switch (letter) {
    case 'i': return LIP_DTYPE_INT64;
    case 'b': return LIP_DTYPE_BOOL;
    case 'u':
    case 'q': return LIP_DTYPE_UINT8;
    case 'w': return LIP_DTYPE_INT32;
    default: return LIP_DTYPE_FLOAT;
    }
}

/* "x:2x3@0,1", "c:3=1,2,3", ... */
static bool add_input(op_fixture *f, const char *token)
{
    size_t k = f->node.input_count++;
    if (k >= CASE_MAX) return false;
    if (*token == '-') return true;
    lip_value *value = &f->value[k];
    const char *rest = read_shape(token + 2, &value->shape);
    double range[2] = {-2, 2};
    if (*rest == '@' && read_list(rest + 1, range, 2) != 2) return false;
    f->low[k] = range[0];
    f->high[k] = range[1];
    bool varies = *token == 'x' || *token == 'q';
    value->name = varies ? "x" : "constant";
    value->dtype = type_of(*token);
    value->shape_known = true;
    f->inputs[k] = value;
    value->varies = varies;
    if (varies) return true;
    lip_tensor *tensor = &f->constant[k];
    *tensor = (lip_tensor){.dtype = value->dtype,
                           .storage = lip_dtype_storage(value->dtype, true),
                           .shape = value->shape};
    value->constant = tensor;
    return lip_shape_count(&value->shape, &tensor->count) && fill_constant(f, tensor, rest, k);
}

/* "name=n:1,2", ... */
static bool add_attr(op_fixture *f, const char *token, const char *equals)
{
    if (f->node.attr_count >= CASE_MAX || equals[1] == '\0' || equals[2] != ':') return false;
    const char *text = equals + 3;
    size_t length = strcspn(text, " ");
    lip_attr *attr = &f->attr[f->node.attr_count++];
    double list[64];
    int64_t count = equals[1] == 's' || equals[1] == 't' ? 0 : read_list(text, list, 64);
    if (count < 0) return false;
    *attr = (lip_attr){.name = lip_arena_string(&f->arena, token, (size_t)(equals - token)), .kind = LIP_ATTR_OTHER};
    switch (equals[1]) {
    case 'i': attr->kind = LIP_ATTR_INT, attr->i = (int64_t)list[0]; break;
    case 'f': attr->kind = LIP_ATTR_FLOAT, attr->f = (float)list[0]; break;
    case 's': attr->kind = LIP_ATTR_STRING, attr->s = lip_arena_string(&f->arena, text, length); break;
    case 'n': {
        int64_t *ints = lip_arena_alloc(&f->arena, count, sizeof *ints);
        for (int64_t i = 0; i < count; i++) ints[i] = (int64_t)list[i];
        attr->kind = LIP_ATTR_INTS, attr->count = count, attr->ints = ints;
        break;
    }
    case 't': {
        const char **strings = lip_arena_alloc(&f->arena, 64, sizeof *strings);
        for (; *text && *text != ' ' && attr->count < 64; text += *text == ',') {
            strings[attr->count++] = lip_arena_string(&f->arena, text, strcspn(text, ", "));
            text += strcspn(text, ", ");
        }
        attr->kind = LIP_ATTR_STRINGS, attr->strings = strings;
        break;
    }
    case 'd':
    case 'k': {
        lip_tensor *tensor = lip_arena_alloc(&f->arena, 1, sizeof *tensor);
        const bool whole = equals[1] == 'k';
        *tensor = (lip_tensor){.dtype = whole ? LIP_DTYPE_UINT8 : LIP_DTYPE_DOUBLE,
                               .storage = whole ? LIP_I64 : LIP_F64,
                               .shape = {.rank = 1, .dim = {count}},
                               .count = count};
        tensor->room = lip_arena_alloc(&f->arena, count, 8);
        for (int64_t i = 0; i < count; i++) {
            if (whole)
                tensor->i64_room[i] = (int64_t)list[i];
            else
                tensor->f64_room[i] = list[i];
        }
        attr->kind = LIP_ATTR_TENSOR, attr->tensor = tensor;
        break;
    }
    case 'r': {
        float *floats = lip_arena_alloc(&f->arena, count, sizeof *floats);
        for (int64_t i = 0; i < count; i++) floats[i] = (float)list[i];
        attr->kind = LIP_ATTR_FLOATS, attr->count = count, attr->floats = floats;
        break;
    }
    default: return false;
    }
    return true;
}

static bool add_token(op_fixture *f, const char *token)
{
    if (strncmp(token, "out:", 4) == 0) {
        f->node.output_count = (size_t)atoi(token + 4);
        return f->node.output_count <= CASE_MAX;
    }
    if (*token == '-' || (strchr("xcibuqw", *token) && token[1] == ':')) return add_input(f, token);
    const char *equals = strchr(token, '=');
    return equals && add_attr(f, token, equals);
}

bool op_fixture_open(op_fixture *f, const op_case *c)
{
    memset(f, 0, sizeof *f);
    lip_memory_init(&f->memory, UINT64_C(1) << 30);
    lip_arena_init(&f->arena, &f->memory);
    f->seed = 1;
    f->node = (lip_node){.name = "node",
                         .op_type = c->op,
                         .domain = c->domain,
                         .module = "",
                         .opset = c->opset,
                         .op = lip_op_find(c->domain, c->op),
                         .inputs = f->inputs,
                         .outputs = f->outputs,
                         .output_count = 1,
                         .attrs = f->attr};
    for (const char *token = c->line; *token; token += strspn(token, " ")) {
        if (!add_token(f, token)) return false;
        token += strcspn(token, " ");
    }
    for (size_t k = 0; k < f->node.output_count; k++) {
        f->outputs[k] = &f->value[CASE_MAX + k];
        *f->outputs[k] = (lip_value){.name = "y", .varies = true, .producer = &f->node, .consumers = k == 0};
    }
    return f->node.op != NULL;
}

void op_fixture_close(op_fixture *f)
{
    lip_arena_free(&f->arena);
}
