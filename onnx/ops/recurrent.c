/*
 * recurrent.c: LSTM, GRU, RNN, Loop and Scan: known by name, not supported.
 * Their gain depends on how often they repeat a step.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#define RECURRENT "recurrent: a bound over repeated steps is not implemented"
#define CONTROL "control flow: it repeats a subgraph, which is not implemented"

static lip_status refuse(const lip_node *node, lip_error *error)
{
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%s", node->op->gain.reason);
}

#define NOT_SUPPORTED(symbol, name_, why)                            \
    const lip_op lip_op_##symbol = {                                 \
        .name = name_,                                               \
        .domain = "",                                                \
        .opset_first = 1,                                            \
        .opset_last = LIP_OPSET_LAST,                                \
        .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = why},           \
        .shape = refuse,                                             \
    }

NOT_SUPPORTED(gru, "GRU", RECURRENT);
NOT_SUPPORTED(loop, "Loop", CONTROL);
NOT_SUPPORTED(lstm, "LSTM", RECURRENT);
NOT_SUPPORTED(rnn, "RNN", RECURRENT);
NOT_SUPPORTED(scan, "Scan", CONTROL);
