/*
 * sha256.h: the SHA-256 digest of a file's bytes, to name it in reports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_SHA256_H
#define LIP_ONNX_READ_SHA256_H

#include "../lipaudit.h"

/* Lower-case hexadecimal, NUL-terminated. */
void lip_sha256(const void *bytes, size_t size, char text[65]);

#endif
