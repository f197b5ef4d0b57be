/*
 * fuzz_model.c: any bytes are read as a model, described, and, where that is
 * little work, evaluated. Nothing may crash, hang or leak.
 *
 * Built with -Dfuzz=true (clang) this is a libFuzzer target; otherwise a
 * program that replays the files and folders it is given. AFL++ takes the
 * same: configure with CC=afl-clang-fast and without -Dfuzz, and run
 *   afl-fuzz -i tests/fuzz/corpus -o FOUND -- BUILD/tests/fuzz/fuzz_model @@
 * which replays one file a process; with -Dfuzz=true afl-clang-fast links its
 * own driver for LLVMFuzzerTestOneInput, and one process runs many inputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(data, size, "fuzz.onnx");
    return 0;
}
