/*
 * data.h: labelled samples from a file, read in ranges as the model takes
 * them.
 *
 * Formats, told by their first bytes: .npy (versions 1 to 3, both orders of
 * elements, both byte orders), .npz, IDX, CSV, TensorProto (.pb; a folder
 * test_data_set_N with input_0.pb, or a folder of such folders, in numeric
 * order); each but the folders also gzip'd. Element types: bool, integers of
 * 8 to 64 bits, float16, float32, float64; every element becomes the double of
 * exactly its value, or is refused.
 *
 * Files are streamed: what is held is a few buffers, whatever the number of
 * samples; an array in Fortran order is held in part, at most a quarter of the
 * memory cap. Files must be regular ones, and stay as they are until closed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_DATA_H
#define LIP_AUDIT_DATA_H

#include "audit.h"

/* How an image lies in the data: channels first or last. */
typedef enum lip_data_layout { LIP_LAYOUT_AS_IS, LIP_LAYOUT_NCHW, LIP_LAYOUT_NHWC } lip_data_layout;

typedef struct lip_data_options {
    const char *path;
    const char *labels; /* a file of their own; NULL: those in the same file, if it holds any */
    const char *input;  /* the model input's name */
    lip_shape shape;    /* of the model's input; a first dimension of 1 is the batch */
    int64_t classes;    /* labels lie in [0, classes) and one-hot rows are that long; 0: not known */
    lip_data_layout layout;
    int64_t first;      /* samples [first, end) of the file only; end 0: to the last one */
    int64_t end;
    int64_t limit;      /* at most so many of them; 0: all */
    const lip_preprocess *preprocess; /* what is done to the data, for the notes about their units; NULL: nothing */
    uint64_t max_memory;              /* bytes; 0: half of the machine's memory */
} lip_data_options;

typedef struct lip_data lip_data;

/*
 * Opens the data and checks that they fit the model: the header, the file's
 * length as far as it is known, the shape of a sample against the input's, the
 * number of labels against the number of samples.
 *
 * The first dimension of an array counts samples, unless the array as a whole
 * has the shape of one sample (dimensions of 1 left out) or is a vector of its
 * length. A sample of another shape than the input is reshaped to it in
 * row-major order where the numbers of elements agree. `layout` says how the
 * sample's three dimensions lie. They are put into the model's order: channels
 * first, unless the sample's shape as it is equals the input's (a flat sample:
 * unless the input's last dimension is less than its first). Without a layout,
 * a sample whose shape is the input's in the other layout is refused.
 *
 * A CSV row is the sample, or the label and then the sample, in decimal numbers
 * of which the nearest doubles are taken; a first line whose first field is no
 * number is a header. Arrays of an .npz: the samples have the model input's
 * name, or are "x", or the only ones that are not labels; labels are "y",
 * "label" or "labels". Labels are whole numbers (of any element type, [N] or
 * [N, 1]) or one-hot rows [N, K]. Labels in a file of their own take precedence.
 *
 * Refuses (LIP_EIO, LIP_EFORMAT, LIP_EUNSUPPORTED, LIP_EMEMORY over the cap,
 * LIP_EUSAGE where data and model do not fit or the range holds no sample) with
 * the file and a reason. Reads the first 1000 chosen samples, so that what is
 * wrong with them is told here.
 */
lip_status data_open(const lip_data_options *options, lip_data **out, lip_error *error);
void data_close(lip_data **data); /* idempotent */

typedef struct lip_data_info {
    const char *path;
    const char *format;    /* "npy", "npz", "IDX", "CSV", "TensorProto" */
    const char *dtype;     /* of the samples as stored: "uint8", "float32"; "decimal" for CSV */
    int64_t stored;        /* samples in the file */
    int64_t first, count;  /* those that options chose: [first, first + count) */
    int64_t elements;      /* of a sample, as the model's input */
    lip_shape sample;      /* as stored, without the number of samples */
    bool has_labels;
    size_t note_count;
} lip_data_info;

lip_data_info data_describe(const lip_data *data);

/* Remarks for the user, index < note_count: data whose first 1000 samples look as if they were in other units than the
 * model's, labels that were passed over. */
const char *data_note(const lip_data *data, size_t index);

/*
 * Samples [first, first + count), numbered from 0 as in the file, within the
 * chosen ones: samples[i * elements ...] in row-major order of the model's
 * input, labels[i] their labels (-1: the data have none; may be NULL). Ranges
 * that follow each other are read in one pass; going back in a compressed file
 * reads it from its start. Not for several threads at once.
 *
 * Refuses (LIP_EFORMAT), naming the sample: a file that ends in it, elements
 * that are not finite or that no double holds, labels that are no class. What
 * the outputs hold then is not defined.
 */
lip_status data_read(lip_data *data, int64_t first, int64_t count, double *samples, int64_t *labels,
                     lip_error *error);

/*
 * SHA-256 of the files as they lie on disk, in hexadecimal: of the samples, and
 * of the labels where they have a file of their own (else ""). Of a folder: of
 * the digests of its files in reading order, each in hexadecimal with a newline.
 * Reads the files once.
 */
lip_status data_digest(const lip_data *data, char samples[65], char labels[65], lip_error *error);

#endif
