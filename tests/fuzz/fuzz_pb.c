/*
 * fuzz_pb.c: any bytes are read as a data file of the format TensorProto.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_data(data, size, pb_open);
}
