/*
 * model_builder.h: makes ONNX models in a few lines, for tests.
 *
 *   build *b = build_new(17);                               opset of the default domain
 *   build_input(b, "x", "Nx3x8x8");                         float32; a word is a symbolic dimension, "" a scalar,
 *                                                           NULL an input without a shape
 *   build_floats(b, "w", "4x3x3x3", values);                an initializer, raw data
 *   build_node(b, "Conv", "x w -", "y");                    "-" leaves an optional input or output out
 *   build_attr_ints(b, "pads", 4, (int64_t[]){1, 1, 1, 1}); attributes go to the node made last
 *   build_output(b, "y");
 *   size_t size;
 *   const void *bytes = build_bytes(b, &size);              belongs to the build
 *   build_free(b);
 *
 * or build_open(b, NULL, &model, &error) at once; the build must outlive the model, which may use the bytes in place.
 * build_proto gives the ModelProto itself, for what is missing here and for tests of malformed files: what is put
 * into it comes from build_memory. Running out of memory ends the program: these are tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_MODEL_BUILDER_H
#define LIP_TESTS_MODEL_BUILDER_H

#include "tensor.h"

#include "onnx.pb-c.h"

typedef struct build build;

build *build_new(int64_t opset);
void build_free(build *b);

void build_domain(build *b, const char *domain, int64_t opset); /* one more opset_import */

void build_input(build *b, const char *name, const char *shape);
void build_typed_input(build *b, const char *name, lip_dtype dtype, const char *shape);
void build_output(build *b, const char *name);
void build_typed_output(build *b, const char *name, lip_dtype dtype);

/* Initializers; `values` has as many elements as `shape` says ("2x3", "" for a scalar). */
void build_floats(build *b, const char *name, const char *shape, const float *values);
void build_doubles(build *b, const char *name, const char *shape, const double *values);
void build_ints(build *b, const char *name, const char *shape, const int64_t *values);
/* The same from doubles, stored as float32: the usual case in tests of operators. */
void build_reals(build *b, const char *name, const char *shape, const double *values);
/* Any type from its raw bytes. Gives the TensorProto, to be changed at will. */
Onnx__TensorProto *build_raw(build *b, const char *name, lip_dtype dtype, const char *shape, const void *raw,
                             size_t size);

/* Names are separated by spaces. The node's own name is "", its domain the default one. */
Onnx__NodeProto *build_node(build *b, const char *op, const char *inputs, const char *outputs);
/* The same with a domain and a name. */
Onnx__NodeProto *build_node_in(build *b, const char *domain, const char *op, const char *name, const char *inputs,
                               const char *outputs);
void build_attr_int(build *b, const char *name, int64_t value);
void build_attr_float(build *b, const char *name, float value);
void build_attr_string(build *b, const char *name, const char *value);
void build_attr_ints(build *b, const char *name, size_t count, const int64_t *values);
void build_attr_floats(build *b, const char *name, size_t count, const float *values);
void build_attr_strings(build *b, const char *name, size_t count, const char *const *values);
void build_attr_tensor(build *b, const char *name, Onnx__TensorProto *tensor);
void build_attr_graph(build *b, const char *name); /* an empty subgraph */

Onnx__ModelProto *build_proto(build *b);
/* A tensor that is not in the graph yet (for build_attr_tensor). */
Onnx__TensorProto *build_tensor(build *b, const char *name, lip_dtype dtype, const char *shape, const void *raw,
                                size_t size);
void *build_memory(build *b, size_t size); /* zeroed; lives as long as the build */
char *build_text(build *b, const char *text);

const void *build_bytes(build *b, size_t *size);
void build_write(build *b, const char *path);
lip_status build_open(build *b, const lip_load_options *options, lip_model **out, lip_error *error);

/* A new empty folder, and its removal with everything in it. The path is NUL-terminated in `path`. */
void build_folder(char path[64]);
void build_remove_folder(const char *path);
void build_file(const char *folder, const char *name, const void *bytes, size_t size);

#endif
