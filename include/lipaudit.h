/*
 * lipaudit.h: the public C API.
 *
 * Open an ONNX model, audit it, read the report. The library never prints and
 * never exits; every function that can fail returns a lip_status and fills a
 * lip_error. Outputs are written only on success. Every object has one owner
 * and one free function that accepts NULL and half-built objects and sets the
 * caller's pointer to NULL.
 *
 * Numbers named *_upper or .upper are proved upper bounds, *_lower or .lower
 * proved lower bounds: lower <= true value <= upper in exact arithmetic, all
 * rounding included. Numbers named *_estimate (and the power-iteration
 * columns) are not proved and never enter a proved one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIPAUDIT_H
#define LIPAUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LIP_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define LIP_API __attribute__((visibility("default")))
#else
#define LIP_PRINTF(text, first)
#define LIP_API
#endif

/* ------------------------------------------------------------------ errors */

/* One list makes the enum, the names and the texts. */
#define LIP_STATUS_LIST(X)                                                        \
    X(LIP_OK, "success")                                                          \
    X(LIP_EUSAGE, "wrong use")                                                    \
    X(LIP_EIO, "cannot read or write")                                            \
    X(LIP_EFORMAT, "malformed file")                                              \
    X(LIP_EUNSUPPORTED, "not supported")                                          \
    X(LIP_EMEMORY, "out of memory or over the memory cap")                        \
    X(LIP_EINTERNAL, "internal error")

typedef enum lip_status {
#define LIP_STATUS_ENUM(name, text) name,
    LIP_STATUS_LIST(LIP_STATUS_ENUM)
#undef LIP_STATUS_ENUM
} lip_status;

/* Text of a status, as in LIP_STATUS_LIST; never NULL. */
LIP_API const char *lip_status_text(lip_status status);

/*
 * What went wrong and where. All strings are NUL-terminated, cut to their
 * array and safe to print (control bytes and invalid UTF-8 are replaced);
 * empty where they do not apply. `{0}` is a valid empty error.
 */
typedef struct lip_error {
    lip_status status;
    char file[512];
    char node[256];   /* the node's name, or "#12" (its index) if it has none */
    char module[256]; /* the PyTorch module path, where the exporter stored it */
    char op[96];
    char reason[768];
} lip_error;

/* ------------------------------------------------------------------- model */

#define LIP_MAX_RANK 8

typedef struct lip_shape {
    int rank;
    int64_t dim[LIP_MAX_RANK];
} lip_shape;

typedef struct lip_input_shape { /* --input-shape NAME:1x3x224x224 */
    const char *name;
    lip_shape shape;
} lip_input_shape;

/*
 * What happens to a data sample before it reaches the model: x -> (x * scale - mean) / std, mean and std one for each
 * channel or one for all (channel_count 1). Prepended, so that L_F and every radius are in the units of the data.
 */
typedef struct lip_preprocess {
    double scale;           /* 1: none */
    const double *mean;     /* NULL: none */
    const double *std;      /* NULL: none; > 0 */
    size_t mean_count, std_count;
} lip_preprocess;

typedef struct lip_load_options {
    const char *input;  /* the one graph input that is perturbed; NULL: every floating-point input, jointly */
    const char *output; /* tensor taken as logits; NULL: the first floating-point graph output that depends on
                           the input (where there is none, the first of any type), before a final Softmax,
                           LogSoftmax, ArgMax or TopK */
    const lip_input_shape *shapes;
    size_t shape_count;
    uint64_t max_memory; /* bytes; 0: half of the machine's memory */
    const lip_preprocess *preprocess; /* prepended to the network as a linear node; NULL: none */
} lip_load_options;

typedef struct lip_model lip_model;

/*
 * Reads, checks and understands a model: wire check, names resolved, nodes
 * sorted, shapes inferred, constants folded, dead nodes dropped. A node that
 * is not supported does not make this fail: it stays in the model with the
 * verdict UNKNOWN. `options` may be NULL.
 * Refuses malformed files (LIP_EFORMAT), unreadable ones (LIP_EIO), models
 * that need more than the memory cap (LIP_EMEMORY).
 */
LIP_API lip_status lip_model_open(const char *path, const lip_load_options *options, lip_model **out, lip_error *error);

/* The same from memory. `path` names the file in messages, and its folder is where external data is looked for.
 * `bytes` must stay alive and unchanged until lip_model_free. */
LIP_API lip_status lip_model_open_bytes(const void *bytes, size_t size, const char *path,
                                        const lip_load_options *options, lip_model **out, lip_error *error);
LIP_API void lip_model_free(lip_model **model);

typedef struct lip_model_info {
    const char *path;
    const char *producer; /* "pytorch 2.13.0" */
    char sha256[65];      /* of the model file's bytes, hexadecimal */
    int64_t ir_version;
    int64_t opset;        /* of the default domain */
    size_t nodes;         /* nodes that the logits depend on and that are not folded into constants */
    size_t nodes_folded;
    size_t nodes_in_file; /* all nodes of the graph as stored */
    uint64_t parameters;  /* elements of all floating-point initializers and constants that live nodes use */
    const char *logits;   /* tensor taken as the logits */
    const char *normalises; /* the node by which the model itself shifts or scales its input, as stored ("" if none) */
    size_t input_count;
    size_t note_count;    /* remarks for the user: what was assumed while reading */
} lip_model_info;

typedef struct lip_tensor_info {
    const char *name;
    const char *dtype; /* "float32", ... */
    lip_shape shape;
    bool shape_known;
} lip_tensor_info;

typedef enum lip_verdict { LIP_BOUNDED, LIP_UNBOUNDED, LIP_UNKNOWN } lip_verdict;

typedef struct lip_node_info {
    const char *name;   /* never empty: "#12" where the file has no name */
    const char *op;     /* with its domain where that is not the default one: "com.microsoft::Gelu" */
    const char *module; /* the exporter's module path, or "" */
    bool folded;        /* its outputs are constants */
    bool understood;    /* shape and forward value are known; otherwise `reason` says why not */
    const char *reason;
    size_t input_count, output_count;
} lip_node_info;

LIP_API lip_model_info lip_model_describe(const lip_model *model);
LIP_API lip_tensor_info lip_model_input(const lip_model *model, size_t index); /* index < input_count */
LIP_API lip_tensor_info lip_model_logits(const lip_model *model);
LIP_API const char *lip_model_note(const lip_model *model, size_t index);
/* Nodes in topological order, folded ones included; index < nodes + nodes_folded. */
LIP_API lip_node_info lip_model_node(const lip_model *model, size_t index);
LIP_API lip_tensor_info lip_model_node_input(const lip_model *model, size_t node, size_t index);
LIP_API lip_tensor_info lip_model_node_output(const lip_model *model, size_t node, size_t index);

/*
 * Logits of one evaluation in float64: inputs[i] holds the elements of model
 * input i in row-major order (integer inputs as whole numbers; NULL will do
 * where the logits do not depend on it), `logits` room for the logits tensor's
 * elements, integers as whole numbers. Refuses a model with a node that is not
 * understood (LIP_EUNSUPPORTED, naming it).
 */
LIP_API lip_status lip_model_forward(const lip_model *model, const double *const *inputs, double *logits,
                                     lip_error *error);

/* ------------------------------------------------------------------- audit */

typedef enum lip_exact { LIP_EXACT_AUTO, LIP_EXACT_ALWAYS, LIP_EXACT_NEVER } lip_exact;

/*
 * How much work the bound of the whole network may cost, beyond the product of the layers' bounds. Every level takes in
 * those before it; all are proved, and the smallest bound is reported.
 */
typedef enum lip_effort {
    LIP_EFFORT_DEFAULT,   /* LIP_EFFORT_COMMON */
    LIP_EFFORT_PRODUCT,   /* the product only */
    LIP_EFFORT_LAYERWISE, /* LipLT; multipliers chosen layer by layer (ECLipsE-Fast): a factorisation for each layer */
    LIP_EFFORT_COMMON,    /* multipliers optimised for the network and for the mean over pairs: LipSDP-neuron's bound */
    LIP_EFFORT_PAIRS      /* multipliers optimised for each pair of classes */
} lip_effort;

/* Called from any thread, one call at a time. `node` is NULL at the end. */
typedef void lip_progress(void *context, size_t layers_done, size_t layers, const char *node);

/*
 * A box of inputs: every element of every perturbed input lies in [lo[c], hi[c]], finite, c its channel. One interval
 * for all (count 1), or one per channel: of axis 1 if it has `count` elements, else of the last axis.
 */
typedef struct lip_input_range {
    const double *lo, *hi;
    size_t count;
} lip_input_range;

typedef struct lip_audit_options {
    int threads;      /* 0: one per processor. Results do not depend on it */
    uint64_t seed;
    int iterations;   /* of the paper's power iteration; 0: 100 */
    lip_exact exact;
    bool bounds_only; /* leave out what no bound rests on: the SVD column and the search for large slopes */
    lip_progress *progress;
    void *progress_context;
    lip_effort effort;
    double max_seconds; /* of the levels of effort; ends with the best proved so far, so that results depend on the
                           machine's speed. 0: no limit */
    const lip_input_range *range; /* NULL: bounds hold for all inputs. Otherwise gains and L_F hold on this box */
    const double *samples; /* [sample_count][elements of the one input]: where the search for lower_estimate starts too.
                              Nothing that is proved depends on them */
    size_t sample_count;
} lip_audit_options;

/* lower <= true value <= upper; tightness = upper / lower, rounded up; inf where lower is 0. */
typedef struct lip_bound {
    double lower, upper, tightness;
    const char *method; /* name of the proof that gave `upper` */
} lip_bound;

/* NaN in a double below means: not computed, or does not apply. */
typedef struct lip_layer {
    size_t index;
    const char *name, *op, *module;
    const char *const *inputs; /* names of the tensors it reads that depend on the model's input */
    size_t input_count;
    const char *output;
    lip_shape input_shape, output_shape;
    const char *const *folded; /* names of the nodes whose scales were multiplied into this one */
    size_t folded_count;
    uint64_t parameters;
    lip_verdict verdict;
    const char *reason; /* why not bounded, or how the gain is known; "" if plain */
    lip_bound gain;
    double power_estimate; /* power iteration on the real operator, as in the paper: converges from below */
    double power_error_term; /* the paper's: the sum of both is its upper "bound", likely after many starts only */
    int power_iterations;
    double power_relative_gap; /* 1 - power_estimate / gain.upper */
    double exact_svd;          /* largest singular value by LAPACKE's SVD of the formed operator: not proved */
    const char *exact_svd_reason; /* why exact_svd is absent; "" otherwise */
    double reshaped;           /* norm of the reshaped kernel (as in torch's spectral_norm); convolutions only */
    double lmt_bound;          /* the paper's closed form [Tsuzuku 2018]: convolutions and pooling only */
    double cumulative_upper;   /* bound on the Lipschitz constant from the model's input to this node's output, where
                                  a folded scale counts at the layer that took it, wherever its own node is */
    double won_back_estimate;  /* activations: by how much the multipliers' bound of what leaves this layer shrinks,
                                  beside the product's, with this layer: the factors multiply. Not proved */
    double log_share;          /* log(gain.upper) / sum over the layers on the way of |log(gain.upper)| */
    double seconds;
} lip_layer;

/* One level of effort: what it came to, and what it cost. */
typedef struct lip_level {
    const char *method;
    double network_upper;    /* the smallest proved so far */
    double own_upper;        /* proved by this level alone; inf: nothing */
    double pairs_mean_upper; /* mean over pairs of the smallest proved so far; NaN: no table */
    double seconds;
} lip_level;

/*
 * A part of the network between two values that every way from its inputs to its logits leads through. The bounds of
 * the stages multiply to what their methods prove of the network.
 */
typedef struct lip_stage {
    const char *first, *last; /* names of its nodes */
    const char *method;       /* of the proof of `upper`: "product" of its layers' gains, or a name for multipliers */
    double upper, product_upper;
    double seconds;
    const char *reason; /* why multipliers gave nothing; "" otherwise */
} lip_stage;

typedef struct lip_report {
    lip_layer *layers;
    size_t layer_count;
    lip_bound network; /* L_F is network.upper */
    double product_upper;
    const lip_level *levels; /* of effort beyond the product */
    size_t level_count;
    const char *levels_reason; /* why multipliers gave nothing; "" otherwise */
    const lip_stage *stages;   /* from the inputs to the logits; none: effort was the product's, or there is no bound */
    size_t stage_count;
    double lower_estimate;  /* largest slope found by a search: ||Jacobian|| at points, not proved; NaN: none */
    double power_product_estimate; /* the composition with every linear gain replaced by its power iteration */
    lip_verdict verdict;
    const char *reason;
    const char *reason_node; /* the node that makes the network unbounded or unknown */
    lip_input_range range;   /* the box on which all bounds hold; count 0: everywhere */
    const char *const *range_inputs; /* names of the inputs that it is about */
    size_t range_input_count;
    double bounds_seconds;
    uint64_t peak_memory_bytes; /* of what the library allocated for the model and the audit */
    size_t classes; /* logits of a classifier, [K] or [1, K]; 0: not known to be one, or too many for a table of
                       pairs */
    const double *pairwise_upper; /* [classes][classes]: Lipschitz bounds of f_t - f_j; symmetric, 0 on the diagonal;
                                     NULL: none */
    const char *pairwise_method;
    double pairwise_max_upper; /* NaN: none */
} lip_report;

/*
 * Audits every node between the model's input and its logits. An unbounded or
 * unknown node is a result, not an error. `options` may be NULL. The report
 * holds pointers into `model`: free it first.
 * Cost: the largest layers dominate; see bounds/linear/ for each method.
 */
LIP_API lip_status lip_audit(const lip_model *model, const lip_audit_options *options, lip_report **out,
                             lip_error *error);
LIP_API void lip_report_free(lip_report **report);

/* ------------------------------------------------------------ certificates */

/*
 * Whose prediction (the largest logit) is certified: the network as executed in IEEE arithmetic of that precision
 * (round to nearest, sums in any order, with or without FMA, batch-norm folded or not; not Winograd, TF32 or
 * flush-to-zero) on the perturbed input rounded to it, or the network in real arithmetic. Functions such as Sigmoid,
 * Tanh or Erf are assumed to be computed within 64 units of |x| max(1, slope) + 1 (32 ulp of 1), Softmax's
 * exponentials relative to their value; where no rule bounds a node's rounding, radii are 0 and lip_certifier_remark
 * says why. Tensors that the file stores as float16 or bfloat16 are taken to be executed so.
 */
typedef enum lip_deployed { LIP_DEPLOYED_FLOAT32, LIP_DEPLOYED_FLOAT16, LIP_DEPLOYED_EXACT } lip_deployed;

/* In which the samples' logits are computed here. Its own rounding is part of every proof. AUTO is float64: float32
 * takes half the time, and its own error off every margin once more. */
typedef enum lip_precision { LIP_PRECISION_AUTO, LIP_PRECISION_FLOAT32, LIP_PRECISION_FLOAT64 } lip_precision;

typedef struct lip_certify_options {
    int threads; /* 0: one per processor. Results do not depend on it */
    lip_deployed deployed;
    lip_precision precision;
    bool local; /* local_radius too, where the network is small enough */
} lip_certify_options;

typedef struct lip_certificate {
    int64_t predicted;       /* the class of the largest logit; -1 where the enclosure does not single one out */
    int64_t label;           /* t: the label given, or `predicted` */
    double margin_lower;     /* proved: <= f_t - max_{j != t} f_j in real arithmetic; may be negative, -inf: none */
    double radius;           /* proved: no perturbation of smaller L2 norm changes the prediction t; the largest of: */
    double sqrt2_radius;     /* margin / (sqrt(2) L_F) */
    double pairwise_radius;  /* min_j (f_t - f_j) / L_tj; NaN without pairwise bounds */
    double local_radius;     /* from bounds on a ball around it; 0: none beyond the others, NaN: not asked for */
    const char *method;      /* which gave `radius`: "sqrt2", "pairwise", "local"; "" where it is 0 */
} lip_certificate;

typedef struct lip_certifier lip_certifier;

/*
 * `model` and `report` (of the same model) must outlive the certifier. Refuses (LIP_EUNSUPPORTED) a network without a
 * finite bound, with more than one input, whose logits are not [K] or [1, K] with K >= 2, or that cannot be evaluated.
 */
LIP_API lip_status lip_certifier_open(const lip_model *model, const lip_report *report,
                                      const lip_certify_options *options, lip_certifier **out, lip_error *error);
LIP_API void lip_certifier_free(lip_certifier **certifier);

/*
 * certificates[i] for samples[i * elements ...], elements of the model's (data's, where preprocessed) input in
 * row-major order. labels[i] < 0, or labels NULL: not known. A radius is 0 where the sample is misclassified, tied, or
 * its logits are not finite. Where the report's bounds hold on a range of inputs only (report->range), a radius speaks
 * of perturbed inputs within it, and a sample outside has none. The same sample gives the same bits, whatever comes
 * with it. Refuses a label that is no class. Cost: one forward pass a sample, in batches of 32, which a count that is
 * no multiple of it fills up. Not for several threads at once.
 */
LIP_API lip_status lip_certify(lip_certifier *certifier, const double *samples, const int64_t *labels, size_t count,
                               lip_certificate *certificates, lip_error *error);

/* Why radii are 0 for every sample (rounding of the deployed precision is not bounded, or its bound is vacuous); "". */
LIP_API const char *lip_certifier_remark(const lip_certifier *certifier);

/* Why there is no local_radius though it was asked for; "". */
LIP_API const char *lip_certifier_local_reason(const lip_certifier *certifier);

/* ----------------------------------------------------------------- attacks */

/* By gradients, in L2: from above what certificates are from below. PGD and CW start from DeepFool's point. */
typedef enum lip_attack_kind {
    LIP_ATTACK_DEEPFOOL, /* [Moosavi-Dezfooli, Fawzi, Frossard 2016], overshoot 0.02, 50 steps */
    LIP_ATTACK_PGD,      /* [Madry et al. 2018], the smallest ball in which it succeeds */
    LIP_ATTACK_CW        /* [Carlini & Wagner 2017] */
} lip_attack_kind;

typedef struct lip_attack_options {
    lip_attack_kind method;
    int threads;    /* 0: one per processor. Results do not depend on it */
    uint64_t seed;
    int directions; /* random points of gradient_estimate; 0: 100 */
    double reach;   /* their distance from the sample; 0: 1 */
    const lip_input_range *range; /* points lie in it; NULL: anywhere */
} lip_attack_options;

typedef struct lip_attack_samples {
    const double *elements; /* [count][elements of the model's input] */
    const int64_t *classes; /* [count]: the class that is attacked; < 0: the sample is left out */
    int64_t first;          /* place of the first one in the data, which the random numbers go by */
    size_t count;
} lip_attack_samples;

typedef struct lip_attack_result {
    double distance; /* L2, to the nearest point found at which the float64 forward has a larger logit than that of the
                        class; 0: the sample itself is one; inf: none was found; NaN: left out */
    int64_t found;   /* the class of the largest logit there; -1: none */
    double gradient_estimate; /* largest |grad(f_t - f_j)| at the sample and at `directions` random points around it
                                 (moved into the range) [Tsuzuku 2018]: not proved. NaN: left out */
} lip_attack_result;

/*
 * Attacks each sample, then takes the nearest failure on the way back to it. The classes j considered are the 10 of
 * largest logits at the sample beside t. points: NULL, or [count][elements] for the points found (the sample itself
 * where none was). Refuses (LIP_EUNSUPPORTED) a network with more than one input, whose logits are not [K] or [1, K]
 * with K >= 2, or that cannot be evaluated or differentiated; with count 0 that is all it does. `results` and `points`
 * hold nothing of use where it fails.
 * Cost for each sample: directions * min(K, 11) evaluations of the network or its gradient, DeepFool some 100, PGD and
 * CW up to 1200 and 1600 more.
 */
LIP_API lip_status lip_attack(const lip_model *model, const lip_attack_options *options,
                              const lip_attack_samples *samples, lip_attack_result *results, double *points,
                              lip_error *error);

/* ----------------------------------------------------- tensors and digests */

/*
 * A TensorProto message: what a test_data_set_0/input_0.pb holds. `bytes` NULL: mapped from the file `path`, which
 * otherwise only names them in messages; they must stay alive until lip_stored_tensor_free. Elements outside the
 * message (external data) are refused. At most max_memory bytes are taken (0: half of the machine's memory).
 */
typedef struct lip_stored_tensor lip_stored_tensor;

LIP_API lip_status lip_stored_tensor_open(const void *bytes, size_t size, const char *path, uint64_t max_memory,
                                          lip_stored_tensor **out, lip_error *error);
LIP_API void lip_stored_tensor_free(lip_stored_tensor **tensor);
LIP_API lip_tensor_info lip_stored_tensor_describe(const lip_stored_tensor *tensor);
/* Elements [first, first + count) in row-major order, all within the tensor; NaN for integers that no double holds. */
LIP_API void lip_stored_tensor_read(const lip_stored_tensor *tensor, int64_t first, int64_t count, double *to);

/* SHA-256 of bytes as they come, as reports name files by it. */
typedef struct lip_digest {
    uint32_t state[8];
    uint64_t size;
    uint8_t rest[64];
} lip_digest;

LIP_API void lip_digest_begin(lip_digest *digest);
LIP_API void lip_digest_add(lip_digest *digest, const void *bytes, size_t size);
LIP_API void lip_digest_end(lip_digest *digest, char text[65]); /* lower-case hexadecimal, NUL-terminated */

/* ------------------------------------------------------------- annotations */

/* {key, value} for the metadata_props of the node of the main graph that makes the tensor `output`. */
typedef struct lip_annotation {
    const char *output, *key, *value;
} lip_annotation;

/* Takes the next bytes of the file; false: it could not. */
typedef bool lip_annotation_write(void *context, const void *bytes, size_t size);

/*
 * The file that the model was opened from, annotated: everything else in it is as it was, byte for byte, so that it
 * computes the same. *matched counts the annotations whose tensor was found (not those of nodes inside functions).
 * External data stay where they are: the new file must lie in the same folder as the old one.
 */
LIP_API lip_status lip_model_annotate(const lip_model *model, const lip_annotation *annotations, size_t count,
                                      lip_annotation_write *write, void *context, size_t *matched, lip_error *error);

/* ----------------------------------------------------------- the operators */

typedef struct lip_op_info {
    const char *name, *domain;
    int opset_first, opset_last;
    const char *gain; /* how the gain is known, in a few words */
} lip_op_info;

LIP_API size_t lip_op_count(void);
LIP_API lip_op_info lip_op_describe(size_t index); /* index < lip_op_count(), in alphabetical order */

LIP_API const char *lip_version(void);

/* The linear algebra in use: "OpenBLAS 0.3.21 ...", "LAPACK 3.11.0". */
LIP_API const char *lip_blas_version(void);
LIP_API const char *lip_lapack_version(void);

#ifdef __cplusplus
}
#endif
#endif
