/*
 * fuzz_data.h: any bytes are read as a data file. Nothing may crash, hang or
 * leak, and what is read does not depend on the pieces it is read in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_FUZZ_DATA_H
#define TEST_FUZZ_DATA_H

#include "rows.h"

typedef lip_status fuzz_opener(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int fuzz_data(const uint8_t *data, size_t size, fuzz_opener *opener);

#endif
