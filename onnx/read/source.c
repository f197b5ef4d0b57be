/*
 * source.c: mapping the model's file, and telling what is not a model.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "source.h"

#include "failure.h"
#include "read/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void lip_source_init(lip_source *source, const char *path, lip_arena *arena)
{
    *source = (lip_source){.path = path, .folder = -1, .arena = arena};
}

lip_status lip_map(int file, const char *what, lip_mapping *out, lip_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return lip_fail(error, LIP_EIO, "cannot read %s: %s", what, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return lip_fail(error, LIP_EIO, "%s is a directory", what);
    if (!S_ISREG(about.st_mode))
        return lip_fail(error, LIP_EIO, "%s is not a regular file", what);
    if (about.st_size < 0 || (uint64_t)about.st_size > SIZE_MAX / 2)
        return lip_fail(error, LIP_EIO, "%s is too large to map", what);
    lip_mapping mapping = {NULL, (size_t)about.st_size};
    if (mapping.size > 0) {
        mapping.bytes = mmap(NULL, mapping.size, PROT_READ, MAP_PRIVATE, file, 0);
        if (mapping.bytes == MAP_FAILED)
            return lip_fail(error, LIP_EIO, "cannot map %s: %s", what, strerror(errno));
    }
    *out = mapping;
    return LIP_OK;
}

lip_status lip_source_map(lip_source *source, lip_error *error)
{
    /* O_NONBLOCK: opening a pipe must not wait for a writer. */
    int file = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return lip_fail(error, LIP_EIO, "cannot open the file: %s", strerror(errno));
    lip_status status = lip_map(file, "the file", &source->model, error);
    close(file);
    if (status)
        return status;
    source->bytes = source->model.bytes;
    source->size = source->model.size;
    return LIP_OK;
}

static void unmap(lip_mapping *mapping)
{
    if (mapping->bytes)
        munmap(mapping->bytes, mapping->size);
    mapping->bytes = NULL;
}

void lip_source_free(lip_source *source)
{
    unmap(&source->model);
    for (lip_external *at = source->externals; at; at = at->next)
        unmap(&at->mapping);
    source->externals = NULL;
    if (source->folder >= 0)
        close(source->folder);
    source->folder = -1;
}

static bool release_from(const lip_mapping *mapping, const uint8_t *from, size_t size, size_t page)
{
    uintptr_t start = (uintptr_t)mapping->bytes;
    if (!start || (uintptr_t)from - start >= mapping->size || size > mapping->size - ((uintptr_t)from - start))
        return false;
    size_t skip = (uintptr_t)from - start, first = (skip + page - 1) / page * page, end = (skip + size) / page * page;
    if (first < end)
        (void)madvise((uint8_t *)mapping->bytes + first, end - first, MADV_DONTNEED);
    return true;
}

void lip_source_release(const lip_source *source, const void *bytes, size_t size)
{
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0 || release_from(&source->model, bytes, size, (size_t)page))
        return;
    for (const lip_external *at = source->externals; at; at = at->next)
        if (release_from(&at->mapping, bytes, size, (size_t)page))
            return;
}

static const struct kind {
    size_t offset, length;
    const char *magic, *reason;
} kinds[] = {
    {0, 2, "\x1f\x8b", "is compressed with gzip, not an ONNX model: gunzip it first"},
    {0, 24, "version https://git-lfs.", "is a git-lfs pointer, not the model itself: run 'git lfs pull'"},
    {0, 4, "PK\x03\x04", "is a zip archive (PyTorch checkpoint, Keras or numpy file), not an ONNX model"},
    {0, 8, "\x89HDF\r\n\x1a\n", "is an HDF5 file (Keras weights), not an ONNX model: export it first"},
    {4, 4, "ORTM", "is in ONNX Runtime's own format (.ort), not an ONNX model: use the .onnx it was made from"},
    {4, 4, "TFL3", "is a TensorFlow Lite model, not an ONNX model: convert it with tf2onnx"},
    {0, 6, "\x93NUMPY", "is a numpy array, not an ONNX model"},
    {0, 2, "\x80\x02", "is a Python pickle (PyTorch checkpoint), not an ONNX model: export it first"},
};

static bool looks_like_html(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && at < 512 && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
        at++;
    const char *starts[] = {"<!doctype", "<html", "<?xml"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = strlen(starts[i]);
        if (size - at >= length && strncasecmp(text + at, starts[i], length) == 0)
            return true;
    }
    return false;
}

lip_status lip_source_check_kind(const void *bytes, size_t size, lip_error *error)
{
    if (size == 0)
        return lip_fail(error, LIP_EFORMAT, "the file is empty");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *kind = &kinds[i];
        if (size >= kind->offset + kind->length &&
            memcmp((const char *)bytes + kind->offset, kind->magic, kind->length) == 0)
            return lip_fail(error, LIP_EFORMAT, "the file %s", kind->reason);
    }
    if (looks_like_html(bytes, size))
        return lip_fail(error, LIP_EFORMAT, "the file is an HTML page, not an ONNX model: did the download fail?");
    return LIP_OK;
}
