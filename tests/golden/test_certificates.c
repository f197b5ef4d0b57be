/*
 * test_certificates.c: the certificates of the fixtures' first 200 images
 * against an independent oracle's (make/certificates.py: long double margins,
 * exact norms): never above it, and hardly below.
 *
 * Usage: test_certificates FOLDER NAME TOLERANCE; TOLERANCE: how far below, relatively.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lipaudit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { IMAGE = 28 * 28, IMAGES_HEADER = 16, LABELS_HEADER = 8, SAMPLES = 200 };
enum { LABEL, PREDICTED, MARGIN, SQRT2, PAIRWISE }; /* of a row of the oracle */

typedef struct fixture {
    json_t *expected;
    lip_model *model;
    lip_report *report;
    double images[SAMPLES * IMAGE];
    int64_t labels[SAMPLES];
} fixture;

static const char *folder, *name;
static double tolerance;

static void read_data(const char *file, int header, unsigned char *to, unsigned size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/data/fmnist-1000-%s-ubyte.gz", folder, file);
    gzFile stream = gzopen(path, "rb");
    assert_non_null(stream);
    assert_true(gzseek(stream, header, SEEK_SET) >= 0);
    assert_int_equal(gzread(stream, to, size), size);
    gzclose(stream);
}

static int open_fixture(void **state)
{
    static fixture f;
    static unsigned char pixels[SAMPLES * IMAGE], labels[SAMPLES];
    char path[1024];
    lip_error error = { 0 };
    json_error_t where;
    snprintf(path, sizeof path, "%s/expected/%s.certify.json", folder, name);
    f.expected = json_load_file(path, 0, &where);
    if (!f.expected)
        fail_msg("%s: %s", path, where.text);
    snprintf(path, sizeof path, "%s/models/%s.onnx", folder, name);
    lip_audit_options options = { .exact = LIP_EXACT_ALWAYS, .bounds_only = true, .effort = LIP_EFFORT_PRODUCT };
    if (lip_model_open(path, NULL, &f.model, &error) || lip_audit(f.model, &options, &f.report, &error))
        fail_msg("%s: %s: %s", path, error.node, error.reason);
    read_data("images-idx3", IMAGES_HEADER, pixels, sizeof pixels);
    read_data("labels-idx1", LABELS_HEADER, labels, sizeof labels);
    for (int i = 0; i < SAMPLES * IMAGE; i++)
        f.images[i] = (double)((float)pixels[i] / 255.0f);
    for (int i = 0; i < SAMPLES; i++)
        f.labels[i] = labels[i];
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    lip_report_free(&f->report);
    lip_model_free(&f->model);
    json_decref(f->expected);
    return 0;
}

static void certify(const fixture *f, lip_certify_options options, size_t count, lip_certificate *out)
{
    lip_certifier *certifier = NULL;
    lip_error error = { 0 };
    if (lip_certifier_open(f->model, f->report, &options, &certifier, &error) ||
        lip_certify(certifier, f->images, f->labels, count, out, &error))
        fail_msg("%s: %s", error.node, error.reason);
    lip_certifier_free(&certifier);
    assert_null(certifier);
}

static double expected_number(const fixture *f, size_t sample, size_t column)
{
    return json_number_value(json_array_get(json_array_get(json_object_get(f->expected, "samples"), sample), column));
}

/* Not above the oracle, and not far below it. */
static void check(const char *what, size_t sample, double found, double oracle, double most_lost)
{
    if (!(found <= oracle * (1 + 1e-11)))
        fail_msg("sample %zu: %s %.17g is above the oracle's %.17g", sample, what, found, oracle);
    if (!(found >= oracle * (1 - most_lost)))
        fail_msg("sample %zu: %s %.17g is %.3g below the oracle's %.17g", sample, what, found, 1 - found / oracle,
                 oracle);
}

static void exact_radii_are_the_oracles(void **state)
{
    const fixture *f = *state;
    static lip_certificate found[SAMPLES];
    size_t certified = 0;
    assert_int_equal(json_array_size(json_object_get(f->expected, "samples")), SAMPLES);
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_EXACT }, SAMPLES, found);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(found[i].label, (int64_t)expected_number(f, i, LABEL));
        assert_int_equal(found[i].predicted, (int64_t)expected_number(f, i, PREDICTED));
        double margin = expected_number(f, i, MARGIN);
        assert_true(found[i].margin_lower <= margin && found[i].margin_lower >= margin - 1e-6 * fmax(1, fabs(margin)));
        double sqrt2 = expected_number(f, i, SQRT2), pairwise = expected_number(f, i, PAIRWISE);
        assert_true((found[i].radius > 0) == (pairwise > 0));
        assert_true(found[i].radius == fmax(found[i].sqrt2_radius, found[i].pairwise_radius));
        certified += found[i].radius > 0;
        check("sqrt2 radius", i, found[i].sqrt2_radius, sqrt2, tolerance);
        check("pairwise radius", i, found[i].pairwise_radius, pairwise, tolerance);
        if (pairwise > 0) /* the check can fail: a thousandth more would be above */
            assert_false(found[i].pairwise_radius * (1 + 2 * tolerance + 1e-4) <= pairwise);
    }
    assert_true(certified > SAMPLES / 2);
}

static void rounding_only_costs(void **state)
{
    const fixture *f = *state;
    static lip_certificate exact[SAMPLES], narrow[SAMPLES], deployed[SAMPLES], half[SAMPLES];
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_EXACT }, SAMPLES, exact);
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT32 }, SAMPLES, deployed);
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT16 }, SAMPLES, half);
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT32, .precision = LIP_PRECISION_FLOAT32 }, SAMPLES,
            narrow);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_true(deployed[i].radius <= exact[i].radius);
        assert_true(half[i].radius <= deployed[i].radius);
        assert_true(narrow[i].radius <= exact[i].radius);
        assert_true(narrow[i].margin_lower <= expected_number(f, i, MARGIN));
        if (exact[i].radius > 0)
            assert_true(deployed[i].radius < exact[i].radius);
    }
}

/* Bit for bit the same: on any number of threads, however many samples come with it. */
static void results_do_not_depend_on_the_others(void **state)
{
    const fixture *f = *state;
    static lip_certificate all[SAMPLES], some[SAMPLES];
    certify(f, (lip_certify_options) { .threads = 1 }, SAMPLES, all);
    certify(f, (lip_certify_options) { .threads = 3 }, 77, some);
    for (size_t i = 0; i < 77; i++) {
        assert_true(all[i].radius == some[i].radius && all[i].margin_lower == some[i].margin_lower);
        assert_true(all[i].predicted == some[i].predicted && all[i].label == some[i].label);
    }
    lip_certifier *certifier = NULL;
    lip_error error = { 0 };
    assert_int_equal(lip_certifier_open(f->model, f->report, NULL, &certifier, &error), LIP_OK);
    for (size_t i = 60; i < 64; i++) {
        assert_int_equal(lip_certify(certifier, f->images + i * IMAGE, f->labels + i, 1, some, &error), LIP_OK);
        assert_true(all[i].radius == some[0].radius && all[i].margin_lower == some[0].margin_lower);
    }
    lip_certifier_free(&certifier);
}

/* No attack comes nearer than a certified radius, and no gradient above its bound. */
static void attacks_stay_outside(void **state)
{
    const fixture *f = *state;
    enum { ATTACKED = 50 };
    static lip_certificate proved[ATTACKED];
    lip_attack_result found[ATTACKED];
    int64_t classes[ATTACKED];
    size_t attacked = 0;
    lip_error error = { 0 };
    const lip_attack_options options = { .directions = 2 };
    const lip_attack_samples samples = { f->images, classes, 0, ATTACKED };
    certify(f, (lip_certify_options) { .deployed = LIP_DEPLOYED_EXACT }, ATTACKED, proved);
    for (size_t i = 0; i < ATTACKED; i++)
        classes[i] = proved[i].predicted == f->labels[i] ? proved[i].predicted : -1;
    if (lip_attack(f->model, &options, &samples, found, NULL, &error))
        fail_msg("%s: %s", error.node, error.reason);
    for (size_t i = 0; i < ATTACKED; i++) {
        if (classes[i] < 0)
            continue;
        attacked++;
        if (!(found[i].distance >= proved[i].radius) || !isfinite(found[i].distance))
            fail_msg("sample %zu: attacked at %.17g, certified %.17g", i, found[i].distance, proved[i].radius);
        assert_true(found[i].gradient_estimate > 0 && found[i].gradient_estimate <= f->report->pairwise_max_upper);
    }
    assert_true(attacked > ATTACKED / 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_radii_are_the_oracles), cmocka_unit_test(rounding_only_costs),
        cmocka_unit_test(results_do_not_depend_on_the_others), cmocka_unit_test(attacks_stay_outside),
    };
    if (argc < 4) {
        fprintf(stderr, "usage: test_certificates FOLDER NAME TOLERANCE\n");
        return 2;
    }
    folder = argv[1];
    name = argv[2];
    tolerance = atof(argv[3]);
    return cmocka_run_group_tests_name(name, tests, open_fixture, close_fixture);
}
