/*
 * fuzz_npz.c: any bytes are read as a data file of the format numpy's .npz.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_data.h"

static lip_status open_samples(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error)
{
    return npz_open(path, NPZ_SAMPLES, "x", memory, out, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_data(data, size, open_samples);
}
