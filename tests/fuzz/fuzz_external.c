/*
 * fuzz_external.c: a model with external data. The input is
 *   2 bytes   length n of the data file, low byte first
 *   n bytes   the data file, written as data.bin and sub/data.bin
 *   the rest  the model, which lies in the same folder
 * Nothing may crash, hang or leak, whatever location, offset and length it
 * gives. See fuzz_model.c for how to run it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_open.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/lipaudit-fuzz-XXXXXX";

static void remove_folder(void)
{
    static const char *const names[] = {"sub/data.bin", "data.bin", "link.bin", "sub"};
    char path[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

/* The folder, made once: data.bin, sub/data.bin and a symbolic link. */
static void open_folder(void)
{
    static int ready;
    char path[64];
    if (ready++)
        return;
    if (!mkdtemp(folder))
        abort();
    atexit(remove_folder);
    snprintf(path, sizeof path, "%s/sub", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/link.bin", folder);
    if (symlink("data.bin", path) != 0)
        abort();
}

static void write_data(const char *name, const uint8_t *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    if (size < 2)
        return 0;
    size_t length = data[0] | (size_t)data[1] << 8;
    length = length > size - 2 ? size - 2 : length;
    open_folder();
    write_data("data.bin", data + 2, length);
    write_data("sub/data.bin", data + 2, length);
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    fuzz_open(data + 2 + length, size - 2 - length, path);
    return 0;
}
