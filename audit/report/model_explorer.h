/*
 * model_explorer.h: node data for Model Explorer
 * (https://github.com/google-ai-edge/model-explorer): a number and a colour for
 * each node.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MODEL_EXPLORER_H
#define LIP_AUDIT_MODEL_EXPLORER_H

#include "format.h"

extern const lip_format format_model_explorer;

#endif
