/*
 * fuzz_open.h: what the fuzz targets of the model reader do with bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_FUZZ_OPEN_H
#define LIP_TESTS_FUZZ_OPEN_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the model, describes it, and evaluates it where that is little work. `path` stands for the file: external data
 * lie in its folder. */
void fuzz_open(const uint8_t *data, size_t size, const char *path);

#endif
