/*
 * copy.c: outputs with the elements of input 0 in their order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"

#include <string.h>

lip_status lip_copy_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_tensor *x = call->in[0], *y = call->out[0];
    if (y && y->count > 0) memcpy(call->out[0]->room, x->data, (size_t)x->count * lip_storage_size(x->storage));
    return LIP_OK;
}

lip_status lip_copy_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    if (!call->out_grad[0]) {
        lip_zero_grad(call, 0);
    } else if (call->in_grad[0] && call->in[0]->count > 0) {
        memcpy(call->in_grad[0], call->out_grad[0], (size_t)call->in[0]->count * sizeof(double));
    }
    return LIP_OK;
}

void lip_zero_grad(const lip_call *call, size_t k)
{
    if (call->in_grad[k]) memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
}
