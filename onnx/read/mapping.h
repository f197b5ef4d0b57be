/*
 * mapping.h: an open file into memory; shared by source.c and external.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_MAPPING_H
#define LIP_ONNX_READ_MAPPING_H

#include "read/source.h"

/* Maps an open regular file; `what` names it in messages. The file may be closed afterwards. */
lip_status lip_map(int file, const char *what, lip_mapping *out, lip_error *error);

#endif
