/*
 * stored.h: what is stored beside a model: inputs with reference outputs
 * (FOLDER/ort_ref_K and FOLDER/test_data_set_K, TensorProto files) and the
 * reference logits of sample images (FOLDER/img_logits.csv, whose first line
 * says how pixels become inputs).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_MODELS_STORED_H
#define LIP_TESTS_MODELS_STORED_H

#include "tensor.h"

enum { STORED_MAX_IO = 8, STORED_MAX_SETS = 16, STORED_MAX_IMAGES = 100, STORED_CLASSES = 10 };

typedef struct stored_names { /* of the graph: inputs that are not initializers, and outputs */
    size_t inputs, outputs;
    const char *input[STORED_MAX_IO], *output[STORED_MAX_IO];
} stored_names;

typedef struct stored_set {
    const char *folder;
    size_t outputs;
    lip_tensor input[STORED_MAX_IO]; /* in the order of stored_names.input; storage 0 where there is no file */
    const char *output_name[STORED_MAX_IO];
    lip_tensor output[STORED_MAX_IO];
} stored_set;

typedef struct stored_images {
    size_t count, pixels; /* pixels: of one image, all channels */
    double *pixel[STORED_MAX_IMAGES]; /* as the model takes them */
    double logits[STORED_MAX_IMAGES][STORED_CLASSES];
} stored_images;

/* All of it lives in the arena, for as long as the program runs. Running out of memory, or a file that is not as it
 * should be, ends the program with a message. */

/* False where the file is not a model. */
bool stored_read_names(lip_arena *arena, const char *model, stored_names *names);
/* How many sets there are. */
size_t stored_read_sets(lip_arena *arena, const char *folder, const stored_names *names,
                        stored_set sets[STORED_MAX_SETS]);
/* count = 0 where there are none. `data`: the folder of the images. */
void stored_read_images(lip_arena *arena, const char *folder, const char *data, stored_images *images);

#endif
