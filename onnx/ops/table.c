/*
 * table.c: the operators as a table, over the rows of table.def.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <string.h>

static const lip_op *const rows[] = {
#define LIP_OP(file, symbol) &lip_op_##symbol,
#include "table.def"
#undef LIP_OP
};

size_t lip_op_count(void)
{
    return sizeof rows / sizeof *rows;
}

const lip_op *lip_op_at(size_t index)
{
    return rows[index];
}

const lip_op *lip_op_find(const char *domain, const char *name)
{
    for (size_t i = 0; i < lip_op_count(); i++) {
        if (strcmp(rows[i]->name, name) == 0 && strcmp(rows[i]->domain, domain) == 0) return rows[i];
    }
    return NULL;
}

lip_op_info lip_op_describe(size_t index)
{
    static const char *const words[] = {
#define LIP_GAIN_WORDS(name, text) text,
        LIP_GAIN_LIST(LIP_GAIN_WORDS)
#undef LIP_GAIN_WORDS
    };
    const lip_op *op = rows[index];
    bool constant = op->gain.kind == LIP_GAIN_UNKNOWN && op->gain.reason;
    return (lip_op_info){
        .name = op->name,
        .domain = op->domain,
        .opset_first = op->opset_first,
        .opset_last = op->opset_last,
        .gain = constant ? op->gain.reason : words[op->gain.kind],
    };
}
