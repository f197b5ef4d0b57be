/*
 * svm.c: ai.onnx.ml's SVMRegressor and SVMClassifier (scores without
 * probabilities), as onnxruntime computes them.
 *
 * With kernel values k_i of the support vectors s_i, the regressor is
 * sum_i c_i k_i + rho. The classifier has one score for each pair of classes
 * (a, b), sum over the vectors of a with row b - 1 of the coefficients and of
 * b with row a, plus rho; without support vectors one linear score for each
 * class. Labels come from votes, which are not computed: onnx/graph/lower.c
 * has made the scores the classifier's only output.
 *
 * Gain of the scores, from the kernels' gradients:
 *   LINEAR   s_i: exact, but bounded here like the others by |c_i| |s_i|
 *   RBF      exp(-g r^2), r = |x - s_i|: 2 g r exp(-g r^2) <= sqrt(2 g / e) at r = 1 / sqrt(2 g)
 *   SIGMOID  tanh(g s_i'x + r): at most |g| |s_i|
 *   POLY     grows without bound for degrees above 1
 * A score's slope is at most sum_i |c_i| times that; the scores together have the root of the sum of squares.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "outward.h"
#include "support.h"

#include <string.h>

typedef enum kernel { LINEAR, POLY, RBF, SIGMOID, KERNELS } kernel;

typedef struct svm {
    kernel kernel;
    double gamma, coef0, degree;
    int64_t batch, features, vectors, classes, scores;
    const float *vector, *coefficient, *rho;
    const int64_t *per_class;
    bool classifier, one_class;
} svm;

static const lip_attr *floats(const lip_node *node, const char *name)
{
    static const lip_attr none = {.count = 0};
    const lip_attr *attr = lip_attr_find(node, name);
    return attr && attr->kind == LIP_ATTR_FLOATS ? attr : &none;
}

static lip_status read_kernel(const lip_node *node, svm *s, lip_error *error)
{
    static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    const char *name = lip_attr_string(node, "kernel_type", "LINEAR");
    const lip_attr *parameters = floats(node, "kernel_params");
    s->kernel = KERNELS;
    for (int i = 0; i < KERNELS; i++)
        if (strcmp(names[i], name) == 0) s->kernel = (kernel)i;
    if (s->kernel == KERNELS || (parameters->count != 3 && (parameters->count != 0 || s->kernel != LINEAR)))
        return lip_fail_node(error, LIP_EFORMAT, node, "its kernel '%s' has %lld parameters", name,
                             (long long)parameters->count);
    if (parameters->count == 0) return LIP_OK;
    s->gamma = (double)parameters->floats[0];
    s->coef0 = (double)parameters->floats[1];
    s->degree = (double)parameters->floats[2];
    return isfinite(s->gamma) && isfinite(s->coef0) && isfinite(s->degree)
               ? LIP_OK
               : lip_fail_node(error, LIP_EFORMAT, node, "a kernel parameter is not finite");
}

static lip_status check_finite(const lip_node *node, const lip_attr *attr, lip_error *error)
{
    for (int64_t i = 0; i < attr->count; i++)
        if (!isfinite(attr->floats[i]))
            return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s holds %g", attr->name,
                                 (double)attr->floats[i]);
    return LIP_OK;
}

/* Classes, and vectors of each. */
static lip_status read_classes(const lip_node *node, svm *s, int64_t vector_count, int64_t coefficients,
                               lip_error *error)
{
    const lip_attr *ints = lip_attr_find(node, "classlabels_ints"), *words = lip_attr_find(node, "classlabels_strings");
    int64_t count = 0, sum = 0;
    s->classes = ints && ints->count > 0 ? ints->count : words ? words->count : 0;
    s->per_class = lip_attr_ints(node, "vectors_per_class", &count);
    if (floats(node, "prob_a")->count > 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its scores are probabilities (prob_a), which is not "
                                                            "supported: export decision values instead");
    for (int64_t i = 0; i < count; i++) {
        if (s->per_class[i] < 0 || s->per_class[i] > vector_count)
            return lip_fail_node(error, LIP_EFORMAT, node, "its vectors_per_class do not fit its vectors");
        sum += s->per_class[i];
    }
    s->vectors = sum;
    s->scores = s->classes * (s->classes - 1) / 2;
    if (s->classes < 2 || s->classes > 10000 || count != s->classes || sum < 1 ||
        s->vectors * s->features != vector_count || s->vectors * (s->classes - 1) != coefficients ||
        floats(node, "rho")->count != s->scores)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                             "its coefficients, vectors and labels do not fit (or there are no support vectors)");
    return LIP_OK;
}

static lip_status read(const lip_node *node, svm *out, lip_error *error)
{
    svm s = {.classifier = strcmp(node->op_type, "SVMClassifier") == 0};
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(read_kernel(node, &s, error));
    const lip_shape *x = &node->inputs[0]->shape;
    const lip_attr *vector = floats(node, "support_vectors"), *coefficient = floats(node, "coefficients");
    const char *transform = lip_attr_string(node, "post_transform", "NONE");
    if (x->rank < 1 || x->rank > 2 || x->dim[x->rank - 1] < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is not a list of samples");
    if (strcmp(transform, "NONE") != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its post_transform is '%s'", transform);
    LIP_TRY(check_finite(node, vector, error));
    LIP_TRY(check_finite(node, coefficient, error));
    LIP_TRY(check_finite(node, floats(node, "rho"), error));
    s.features = x->dim[x->rank - 1];
    s.batch = x->rank == 2 ? x->dim[0] : 1;
    s.vector = vector->floats;
    s.coefficient = coefficient->floats;
    s.rho = floats(node, "rho")->floats;
    if (s.classifier) {
        LIP_TRY(read_classes(node, &s, vector->count, coefficient->count, error));
    } else {
        s.vectors = lip_attr_int(node, "n_supports", 0);
        s.scores = 1;
        s.one_class = lip_attr_int(node, "one_class", 0) != 0;
        if (s.vectors < 1 || s.vectors != coefficient->count || vector->count % s.vectors != 0 ||
            vector->count / s.vectors != s.features || floats(node, "rho")->count != 1)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                                 "its coefficients and vectors do not fit (or there are no support vectors)");
    }
    *out = s;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    svm s;
    LIP_TRY(read(node, &s, error));
    /* With two classes and one score runtimes write the score of each class. */
    const lip_shape y = {.rank = 2, .dim = {s.batch, s.classifier && s.scores == 1 ? 2 : s.scores}};
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &y, error);
}

/* Coefficient of vector i in score (a, b), classes in order; 0: it has none. */
static double coefficient_of(const svm *s, int64_t i, int64_t class, int64_t a, int64_t b)
{
    if (!s->classifier) return (double)s->coefficient[i];
    return class == a   ? (double)s->coefficient[(b - 1) * s->vectors + i]
           : class == b ? (double)s->coefficient[a * s->vectors + i]
                        : 0;
}

/* The kernel at (x, vector i), and its derivative in what the vector enters by: s'x, or |x - s|^2. */
static double kernel_at(const svm *s, const double *x, int64_t i, double *slope)
{
    double dot = 0;
    for (int64_t f = 0; f < s->features; f++) {
        const double v = (double)s->vector[i * s->features + f];
        dot += s->kernel == RBF ? (x[f] - v) * (x[f] - v) : x[f] * v;
    }
    const double inner = s->gamma * dot + s->coef0;
    switch (s->kernel) {
    case RBF: *slope = -s->gamma * exp(-s->gamma * dot); return exp(-s->gamma * dot);
    case POLY: *slope = s->gamma * s->degree * pow(inner, s->degree - 1); return pow(inner, s->degree);
    case SIGMOID: *slope = s->gamma * (1 - tanh(inner) * tanh(inner)); return tanh(inner);
    default: *slope = 1; return dot;
    }
}

/* scores[p] of one sample, or with `weight` (of each score) adds the gradient of their sum to `grad`. */
static void run_sample(const svm *s, const double *x, double *scores, const double *weight, double *grad)
{
    for (int64_t p = 0; scores && p < s->scores; p++) scores[p] = (double)s->rho[p];
    for (int64_t i = 0, class = 0, left = s->classifier ? s->per_class[0] : s->vectors; i < s->vectors; i++, left--) {
        while (left == 0) left = s->per_class[++class];
        double slope, value = kernel_at(s, x, i, &slope), total = 0;
        int64_t p = 0;
        for (int64_t a = 0; a < (s->classifier ? s->classes : 1); a++)
            for (int64_t b = a + 1; b < (s->classifier ? s->classes : 2); b++, p++) {
                const double c = coefficient_of(s, i, class, a, b);
                if (scores) scores[p] += c * value;
                if (weight) total += weight[p] * c;
            }
        for (int64_t f = 0; grad && f < s->features; f++) {
            const double v = (double)s->vector[i * s->features + f];
            grad[f] += total * slope * (s->kernel == RBF ? 2 * (x[f] - v) : v);
        }
    }
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    svm s;
    LIP_TRY(read(call->node, &s, error));
    lip_tensor *y = call->out[0];
    const int64_t width = y ? y->shape.dim[1] : 0;
    for (int64_t n = 0; y && n < s.batch; n++) {
        double *row = y->f64_room + n * width, *x = lip_alloc(call->memory, s.features, sizeof *x);
        if (!x) return lip_fail_memory(error, call->node, "a sample");
        for (int64_t f = 0; f < s.features; f++) x[f] = lip_tensor_real(call->in[0], n * s.features + f);
        run_sample(&s, x, row, NULL, NULL);
        lip_free(call->memory, x);
        if (s.classifier && s.scores == 1) {
            row[1] = row[0];
            row[0] = -row[0];
        }
        if (s.one_class) row[0] = row[0] > 0 ? 1 : -1;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    svm s;
    LIP_TRY(read(call->node, &s, error));
    const double *g = call->out_grad[0];
    lip_zero_grad(call, 0);
    if (s.one_class) return LIP_OK;
    for (int64_t n = 0; g && call->in_grad[0] && n < s.batch; n++) {
        const double two = s.classifier && s.scores == 1 ? g[2 * n + 1] - g[2 * n] : 0;
        run_sample(&s, call->in[0]->f64 + n * s.features, NULL, s.classifier && s.scores == 1 ? &two : g + n * s.scores,
                   call->in_grad[0] + n * s.features);
    }
    return LIP_OK;
}

/* Upper bound of the kernel's gradient, whatever x. */
static double kernel_slope(const svm *s, int64_t i)
{
    double norm = 0;
    for (int64_t f = 0; f < s->features; f++) {
        const double v = (double)s->vector[i * s->features + f];
        norm = lip_up(norm + lip_up(v * v));
    }
    norm = lip_up(sqrt(norm));
    if (s->kernel == RBF) return lip_up(sqrt(lip_up(lip_up(2 * s->gamma) / 2.718281828459045)));
    return s->kernel == SIGMOID ? lip_up(fabs(s->gamma) * norm) : norm;
}

static double scores_slope(const svm *s)
{
    double squares = 0;
    for (int64_t a = 0; a < (s->classifier ? s->classes : 1); a++)
        for (int64_t b = a + 1; b < (s->classifier ? s->classes : 2); b++) {
            double sum = 0;
            for (int64_t i = 0, class = 0, left = s->classifier ? s->per_class[0] : s->vectors; i < s->vectors;
                 i++, left--) {
                while (left == 0) left = s->per_class[++class];
                const double c = fabs(coefficient_of(s, i, class, a, b));
                if (c > 0) sum = lip_up(sum + lip_up(c * kernel_slope(s, i)));
            }
            squares = lip_up(squares + lip_up(sum * sum));
        }
    return lip_up(sqrt(s->classifier && s->scores == 1 ? 2 * squares : squares));
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    svm s;
    LIP_TRY(read(node, &s, error));
    if (s.one_class)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its result is a sign");
    else if (s.kernel == POLY && s.degree != 1)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "a polynomial of degree above 1 has no finite constant");
    else if (s.kernel == POLY || (s.kernel == RBF && s.gamma < 0))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its kernel is of an unusual kind");
    else
        gain->lipschitz.upper = scores_slope(&s);
    return LIP_OK;
}

#define SVM(symbol, name_)                                                                       \
    const lip_op lip_op_ml_##symbol = {                                                          \
        .name = name_,                                                                           \
        .domain = "ai.onnx.ml",                                                                  \
        .opset_first = 1,                                                                        \
        .opset_last = LIP_OPSET_ML_LAST,                                                         \
        .gain = {.kind = LIP_GAIN_LIPSCHITZ, .reason = "the kernel's slope times coefficients"}, \
        .shape = shape,                                                                          \
        .forward = forward,                                                                      \
        .adjoint = adjoint,                                                                      \
        .describe = describe,                                                                    \
    }

SVM(svm_classifier, "SVMClassifier");
SVM(svm_regressor, "SVMRegressor");
