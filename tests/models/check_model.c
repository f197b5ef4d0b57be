/*
 * check_model.c: one model by somebody else, held against what is stored
 * beside it.
 *
 *   check_model [--data FOLDER] [--max-parameters N] MODEL
 *
 * Audits the model, or sees it refused with a message. Then: forward values
 * agree with the reference outputs to 1e-4 of the largest reference element,
 * and between no two stored inputs of one shape do the logits move by more
 * than L_F times the distance. Prints one line of tab-separated fields:
 *
 *   verdict  L_F  forward  worst relative difference  outputs compared
 *   largest share of L_F seen between two inputs  processor seconds  MiB  reason
 *   verdict on inputs in [0, 1]  L_F there
 *
 * and on stderr what is wrong, a line each. Exit status 1 if anything is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "on_box.h"
#include "stored.h"

#include "lipaudit.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { ITERATIONS = 10, MAX_POINTS = STORED_MAX_SETS + STORED_MAX_IMAGES };

static const uint64_t MAX_MEMORY = UINT64_C(1800) << 20;
static const long MAX_RESIDENT_KIB = 5L << 19; /* the cap, the libraries, and the 256 MiB that a sanitizer holds back */
static const long EXACT_UP_TO = 64 << 10; /* bytes of a model that also gets its singular values */
static const double TOLERANCE = 1e-4;

typedef struct point { /* the audited model at one input */
    const double *input[STORED_MAX_IO];
    double *logits;
} point;

typedef struct check {
    const char *path, *folder, *data;
    uint64_t max_parameters;
    stored_names names;
    stored_set sets[STORED_MAX_SETS];
    size_t set_count;
    stored_images images;
    lip_model *model; /* as the user would open it, with the shapes of the first set */
    lip_report *report;
    point points[MAX_POINTS];
    size_t point_count;
    lip_model *other; /* opened last for a reference output: its name, and the set that gave the shapes */
    const char *other_output;
    const stored_set *other_set;
    int compared, disagreed, failures;
    double worst, share;
    char verdict[16], reason[1100];
    on_box box;
} check;

static lip_arena arena;

static void complain(check *c, const char *format, ...) LIP_PRINTF(2, 3);

static void complain(check *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    c->failures++;
}

static double *room(int64_t count)
{
    double *block = lip_arena_alloc(&arena, count, sizeof *block);
    if (!block) {
        fprintf(stderr, "the inputs and outputs are larger than memory\n");
        exit(2);
    }
    return block;
}

static double *reals(const lip_tensor *tensor)
{
    double *values = room(tensor->count);
    lip_tensor_to_real(tensor, values);
    return values;
}

static lip_status open_with(const check *c, const stored_set *set, const char *output, lip_model **out,
                            lip_error *error)
{
    lip_input_shape shapes[STORED_MAX_IO];
    lip_load_options options = {.output = output, .shapes = shapes, .max_memory = MAX_MEMORY};
    for (size_t i = 0; set && i < c->names.inputs; i++)
        if (set->input[i].storage != LIP_OPAQUE)
            shapes[options.shape_count++] = (lip_input_shape){c->names.input[i], set->input[i].shape};
    return lip_model_open(c->path, &options, out, error);
}

/* A refusal must say why, and where if it is about a node. */
static void check_refusal(check *c, const char *what, const lip_error *error)
{
    if (error->status == LIP_OK || error->reason[0] == '\0')
        complain(c, "%s: refused without a reason", what);
    if (error->op[0] != '\0' && error->node[0] == '\0')
        complain(c, "%s: the refusal names no node: %s", what, error->reason);
    if (error->status == LIP_EINTERNAL)
        complain(c, "%s: internal error: %s", what, error->reason);
}

static void refuse(check *c, const lip_error *error)
{
    check_refusal(c, "audit", error);
    snprintf(c->verdict, sizeof c->verdict, "refused");
    snprintf(c->reason, sizeof c->reason, "%s%s%s", error->node, error->node[0] ? ": " : "", error->reason);
}

static void check_verdict(check *c)
{
    static const char *const texts[] = {"bounded", "unbounded", "unknown"};
    const lip_report *r = c->report;
    snprintf(c->verdict, sizeof c->verdict, "%s", texts[r->verdict]);
    snprintf(c->reason, sizeof c->reason, "%s%s%s", r->reason_node, r->reason_node[0] ? ": " : "", r->reason);
    if (r->verdict == LIP_BOUNDED && !(r->network.upper >= 0 && isfinite(r->network.upper)))
        complain(c, "bounded by %g", r->network.upper);
    if (r->verdict != LIP_BOUNDED && r->reason[0] == '\0')
        complain(c, "the verdict has no reason");
    if (r->verdict == LIP_UNBOUNDED && r->reason_node[0] == '\0')
        complain(c, "unbounded, but no node is named");
    if (!isnan(r->network.lower) && !(r->network.lower <= r->network.upper))
        complain(c, "the lower bound %g is above the upper one, %g", r->network.lower, r->network.upper);
}

/* False where the model is refused or left out. */
static bool audit(check *c)
{
    struct stat info;
    lip_error error = {0};
    lip_audit_options options = {.threads = 1, .iterations = ITERATIONS, .exact = LIP_EXACT_NEVER,
                                 .effort = LIP_EFFORT_PRODUCT};
    if (stat(c->path, &info) == 0 && info.st_size <= EXACT_UP_TO)
        options.exact = LIP_EXACT_AUTO;
    if (open_with(c, c->set_count ? &c->sets[0] : NULL, NULL, &c->model, &error) != LIP_OK) {
        refuse(c, &error);
        return false;
    }
    if (c->max_parameters && lip_model_describe(c->model).parameters > c->max_parameters) {
        snprintf(c->verdict, sizeof c->verdict, "skipped");
        return false;
    }
    if (lip_audit(c->model, &options, &c->report, &error) != LIP_OK) {
        refuse(c, &error);
        return false;
    }
    check_verdict(c);
    return true;
}

/* The stored inputs in the order of the model's; false where one is missing, or of another shape. */
static bool match_inputs(const lip_model *model, const check *c, const stored_set *set, const double **inputs)
{
    for (size_t i = 0; i < lip_model_describe(model).input_count; i++) {
        lip_tensor_info wanted = lip_model_input(model, i);
        size_t k = 0;
        while (k < c->names.inputs && strcmp(c->names.input[k], wanted.name) != 0)
            k++;
        if (k == c->names.inputs || set->input[k].storage == LIP_OPAQUE || i == STORED_MAX_IO)
            return false;
        if (wanted.shape_known && !lip_shape_equal(&wanted.shape, &set->input[k].shape))
            return false;
        inputs[i] = reals(&set->input[k]);
    }
    return true;
}

/* NULL where the network cannot be evaluated. */
static double *forward(check *c, const lip_model *model, const double *const *inputs)
{
    int64_t count;
    lip_error error = {0};
    lip_tensor_info logits = lip_model_logits(model);
    if (!logits.shape_known || !lip_shape_count(&logits.shape, &count))
        return NULL;
    double *values = room(count);
    if (lip_model_forward(model, inputs, values, &error) == LIP_OK)
        return values;
    check_refusal(c, "forward", &error);
    if (c->report && c->report->verdict == LIP_BOUNDED && error.op[0] != '\0')
        complain(c, "the verdict is bounded, but forward says of %s: %s", error.node, error.reason);
    return NULL;
}

static void compare(check *c, const char *what, const double *wanted, int64_t count, const double *found)
{
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(wanted[i]))
            largest = fmax(largest, fabs(wanted[i]));
        bool same = wanted[i] == found[i] || (isnan(wanted[i]) && isnan(found[i]));
        double d = same ? 0 : fabs(wanted[i] - found[i]);
        difference = isnan(d) ? (double)INFINITY : fmax(difference, d);
    }
    double relative = difference == 0 ? 0 : difference / largest;
    c->compared++;
    c->worst = fmax(c->worst, relative);
    if (relative <= TOLERANCE)
        return;
    c->disagreed++;
    complain(c, "%s: differs by %.3g of the largest element, %.6g", what, relative, largest);
}

/* The model with this output and the set's shapes, kept for the next call. */
static const lip_model *model_for(check *c, const stored_set *set, const char *output)
{
    lip_error error = {0};
    if (c->other && c->other_set == set && strcmp(c->other_output, output) == 0)
        return c->other;
    lip_model_free(&c->other);
    c->other_set = set;
    c->other_output = output;
    if (open_with(c, set, output, &c->other, &error) != LIP_OK)
        complain(c, "with the output '%s': %s: %s", output, error.node, error.reason);
    return c->other;
}

static bool is_audited(const check *c, const char *output)
{
    return strcmp(lip_model_logits(c->model).name, output) == 0;
}

static void check_output(check *c, const stored_set *set, const point *audited, size_t k)
{
    const lip_tensor *wanted = &set->output[k];
    const double *inputs[STORED_MAX_IO], *found;
    lip_shape shape;
    if (!lip_dtype_is_real(wanted->dtype))
        return;
    if (audited && is_audited(c, set->output_name[k])) {
        found = audited->logits;
        shape = lip_model_logits(c->model).shape;
    } else {
        const lip_model *model = model_for(c, set, set->output_name[k]);
        if (!model || !match_inputs(model, c, set, inputs) || !(found = forward(c, model, inputs)))
            return;
        shape = lip_model_logits(model).shape;
    }
    if (lip_shape_equal(&shape, &wanted->shape))
        compare(c, set->folder, reals(wanted), wanted->count, found);
    else
        complain(c, "%s: output '%s' has another shape", set->folder, set->output_name[k]);
}

static void check_sets(check *c)
{
    for (size_t s = 0; s < c->set_count; s++) {
        point *p = &c->points[c->point_count];
        bool fits = match_inputs(c->model, c, &c->sets[s], p->input);
        p->logits = fits ? forward(c, c->model, p->input) : NULL;
        c->point_count += p->logits != NULL;
        for (size_t k = 0; k < c->sets[s].outputs; k++)
            check_output(c, &c->sets[s], p->logits ? p : NULL, k);
    }
}

static void check_images(check *c)
{
    int64_t count;
    lip_tensor_info input = lip_model_input(c->model, 0);
    if (c->images.count == 0)
        return;
    if (!lip_shape_count(&input.shape, &count) || (size_t)count != c->images.pixels) {
        complain(c, "the images do not fit the input '%s'", input.name);
        return;
    }
    const stored_set *set = c->set_count ? &c->sets[0] : NULL;
    const lip_model *reference = is_audited(c, c->names.output[0]) ? c->model : model_for(c, set, c->names.output[0]);
    for (size_t i = 0; reference && i < c->images.count; i++) {
        char what[64];
        point *p = &c->points[c->point_count];
        p->input[0] = c->images.pixel[i];
        p->logits = forward(c, c->model, p->input);
        c->point_count += p->logits != NULL;
        const double *found = reference == c->model ? p->logits : forward(c, reference, p->input);
        snprintf(what, sizeof what, "image %zu", i);
        if (found)
            compare(c, what, c->images.logits[i], STORED_CLASSES, found);
    }
}

static double distance(const double *x, const double *y, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

/* Between two points, over all floating-point inputs jointly; NaN where another input differs. */
static double input_distance(const check *c, const point *p, const point *q)
{
    double total = 0;
    for (size_t i = 0; i < lip_model_describe(c->model).input_count; i++) {
        int64_t count;
        lip_tensor_info input = lip_model_input(c->model, i);
        if (!lip_shape_count(&input.shape, &count))
            return (double)NAN;
        double d = distance(p->input[i], q->input[i], count);
        if (strstr(input.dtype, "float"))
            total = hypot(total, d);
        else if (d != 0)
            total = (double)NAN;
    }
    return total;
}

/* The bound itself: || f(x) - f(y) || <= L_F || x - y ||. Room for the rounding of this check: 1e-9. */
static void check_pairs(check *c)
{
    int64_t count;
    lip_tensor_info logits = lip_model_logits(c->model);
    double upper = c->report->network.upper;
    if (c->report->verdict != LIP_BOUNDED || !lip_shape_count(&logits.shape, &count))
        return;
    for (size_t i = 0; i < c->point_count; i++)
        for (size_t k = 0; k < i; k++) {
            double moved = distance(c->points[i].logits, c->points[k].logits, count);
            double apart = input_distance(c, &c->points[i], &c->points[k]);
            if (!(apart > 0))
                continue;
            c->share = fmax(c->share, moved / apart / upper);
            if (moved / apart * (1 - 1e-9) > upper)
                complain(c, "stored inputs %zu and %zu: the logits move by %.9g of the distance, above L_F = %.9g", k,
                         i, moved / apart, upper);
        }
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

static void print(check *c)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > MAX_RESIDENT_KIB)
        complain(c, "took %ld MiB of memory", usage.ru_maxrss >> 10);
    printf("%s\t%.6g\t%s\t%.1e\t%d\t%.3f\t%.2f\t%ld\t%s\t%s\t%.6g\n", c->verdict,
           c->report ? c->report->network.upper : (double)INFINITY,
           c->disagreed ? "disagreed" : c->compared ? "agreed" : "none", c->worst, c->compared, c->share,
           seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss >> 10, c->reason, c->box.verdict,
           c->box.upper);
}

static void run(check *c)
{
    if (stored_read_names(&arena, c->path, &c->names))
        c->set_count = stored_read_sets(&arena, c->folder, &c->names, c->sets);
    if (audit(c)) {
        check_sets(c);
        if (c->data)
            stored_read_images(&arena, c->folder, c->data, &c->images);
        check_images(c);
        check_pairs(c);
        c->box = on_box_check(c->model, c->report->network.upper, &arena);
        if (c->box.wrong[0])
            complain(c, "%s", c->box.wrong);
    }
    print(c);
    lip_report_free(&c->report);
    lip_model_free(&c->model);
    lip_model_free(&c->other);
}

int main(int argc, char **argv)
{
    static check c;
    static char folder[1024];
    c.box = (on_box){.verdict = "none", .upper = (double)INFINITY};
    lip_memory memory;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
            c.data = argv[++i];
        else if (strcmp(argv[i], "--max-parameters") == 0 && i + 1 < argc)
            c.max_parameters = strtoull(argv[++i], NULL, 10);
        else
            c.path = argv[i];
    if (!c.path) {
        fprintf(stderr, "usage: check_model [--data FOLDER] [--max-parameters N] MODEL\n");
        return 2;
    }
    const char *slash = strrchr(c.path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - c.path) : 1, slash ? c.path : ".");
    c.folder = folder;
    lip_memory_init(&memory, MAX_MEMORY);
    lip_arena_init(&arena, &memory);
    run(&c);
    lip_arena_free(&arena);
    return c.failures > 0;
}
