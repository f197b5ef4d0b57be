/*
 * module_path.h: the PyTorch module path of a node, where the exporter stored it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_MODULE_PATH_H
#define LIP_ONNX_READ_MODULE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From the TorchScript exporter's node names: "/layer1/layer1.0/conv1/Conv" is in module "layer1.0.conv1". False
 * where the name is of another kind, or the node belongs to no submodule, or `size` is too small.
 */
bool lip_module_from_name(const char *name, char *path, size_t size);

/*
 * From the dynamo exporter's metadata "pkg.torch.onnx.name_scopes", a Python list of strings whose last entry is the
 * operation: "['', 'layer1', 'layer1.0', 'layer1.0.bn2', 'add_1']" is in module "layer1.0.bn2".
 */
bool lip_module_from_scopes(const char *scopes, size_t length, char *path, size_t size);

#endif
