/*
 * fuzz_model.c: any bytes are read as a model, described, and, where that is
 * little work, evaluated. Nothing may crash, hang or leak.
 *
 * How to build and run this and the other targets, with libFuzzer and with
 * AFL++: meson.build beside this file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(data, size, "fuzz.onnx");
    return 0;
}
