/*
 * files.h: data files that a test makes, and what is expected of reading them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_DATA_FILES_H
#define TEST_DATA_FILES_H

#include "data.h"

/* Before and after all tests of a program: a folder of its own under /tmp. */
int files_begin(void **unused);
int files_end(void **unused);

/* A file in that folder (`name` may begin with "folder/"); the path stays until the program ends. */
const char *files_put(const char *name, const void *bytes, size_t size);
const char *files_put_gz(const char *name, const void *bytes, size_t size);
/* A committed file: the folder is named by the first argument of the program. */
const char *files_written(const char *name);
extern const char *files_folder; /* of the committed ones */

/* .npy of a version with a header's text. Returns the size; `to` has room for 128 bytes more than the data. */
size_t npy_bytes(unsigned char *to, int version, const char *header, const void *data, size_t size);

/* For a model whose input 'x' has that shape. */
lip_data_options data_for(const char *path, lip_shape shape);

/* Opens, reads all samples in one go and again one by one, and compares; `labels` NULL: there must be none. */
void expect_data(const lip_data_options *options, int64_t count, const double *samples, const int64_t *labels);

/* Opening, or reading all samples, fails with that status and a reason that holds `part`. */
void expect_refusal(const lip_data_options *options, lip_status status, const char *part);

#define SHAPE(rank, ...) ((lip_shape){rank, {__VA_ARGS__}})

#endif
