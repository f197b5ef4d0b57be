/*
 * test_fixtures.c: every fixture against its expected answers, which an
 * independent oracle (numpy, materialised operators) computed: norms layer by
 * layer from both sides, L_F, the paper's columns, logits.
 *
 * Usage: test_fixtures FOLDER NAME [exact], FOLDER the fixtures' folder.
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

enum { IMAGE = 28 * 28, IDX_HEADER = 16 };

typedef struct fixture {
    json_t *expected;
    lip_model *model;
    lip_report *report, *exact; /* by default, and with LIP_EXACT_ALWAYS if with_exact */
} fixture;

static const char *folder, *name;
static bool with_exact; /* also with LIP_EXACT_ALWAYS, whose SVDs take minutes on the larger models */

static void audit(fixture *f, lip_exact exact, lip_report **report)
{
    lip_error error = { 0 };
    lip_audit_options options = { .exact = exact, .effort = LIP_EFFORT_PRODUCT };
    if (lip_audit(f->model, &options, report, &error) != LIP_OK)
        fail_msg("audit: %s: %s", error.node, error.reason);
}

static int open_fixture(void **state)
{
    static fixture f;
    char path[1024];
    json_error_t where;
    lip_error error = { 0 };
    snprintf(path, sizeof path, "%s/expected/%s.json", folder, name);
    f.expected = json_load_file(path, 0, &where);
    if (!f.expected)
        fail_msg("%s: %s", path, where.text);
    snprintf(path, sizeof path, "%s/models/%s.onnx", folder, name);
    if (lip_model_open(path, NULL, &f.model, &error) != LIP_OK)
        fail_msg("%s: %s: %s", path, error.node, error.reason);
    audit(&f, LIP_EXACT_AUTO, &f.report);
    audit(&f, with_exact ? LIP_EXACT_ALWAYS : LIP_EXACT_AUTO, &f.exact);
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    lip_report_free(&f->report);
    lip_report_free(&f->exact);
    lip_model_free(&f->model);
    json_decref(f->expected);
    return 0;
}

static const lip_layer *layer_named(const lip_report *report, const char *layer)
{
    for (size_t i = 0; i < report->layer_count; i++)
        if (strcmp(report->layers[i].name, layer) == 0)
            return &report->layers[i];
    return NULL;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* The norm that the layer is to have: with the product that follows it, where that folds. */
static double sigma_of(const json_t *layer)
{
    const json_t *merged = json_object_get(layer, "merged");
    return json_is_object(merged) ? number(merged, "sigma") : number(layer, "sigma");
}

/* A scale that another expected layer takes in. */
static bool is_merged_away(const fixture *f, const char *layer)
{
    size_t index;
    json_t *other;
    json_array_foreach(json_object_get(f->expected, "layers"), index, other)
    {
        const char *with = json_string_value(json_object_get(json_object_get(other, "merged"), "with"));
        if (with && strcmp(with, layer) == 0)
            return true;
    }
    return false;
}

static bool encloses(double lower, double upper, double sigma)
{
    return lower <= sigma * (1 + 1e-12) && sigma * (1 - 1e-12) <= upper;
}

static void check_layer(const lip_layer *layer, const json_t *expected, double most)
{
    double sigma = sigma_of(expected);
    assert_int_equal(layer->verdict, LIP_BOUNDED);
    if (!encloses(layer->gain.lower, layer->gain.upper, sigma))
        fail_msg("%s: [%.17g, %.17g] does not hold %.17g", layer->name, layer->gain.lower, layer->gain.upper, sigma);
    if (encloses(0, layer->gain.upper * 0.999, sigma))
        fail_msg("%s: 0.999 of the bound would pass", layer->name);
    if (!(layer->gain.tightness <= most))
        fail_msg("%s: tightness %.12g is above %.12g", layer->name, layer->gain.tightness, most);
    if (!isnan(layer->power_estimate))
        assert_true(layer->power_estimate <= layer->gain.upper);
    if (!isnan(layer->exact_svd) && !encloses(layer->gain.lower, layer->gain.upper, layer->exact_svd))
        fail_msg("%s: the SVD %.17g is outside [%.17g, %.17g]", layer->name, layer->exact_svd, layer->gain.lower,
                 layer->gain.upper);
}

static void check_layers(const fixture *f, const lip_report *report, double most_conv)
{
    size_t index;
    json_t *expected;
    json_array_foreach(json_object_get(f->expected, "layers"), index, expected)
    {
        const char *layer = json_string_value(json_object_get(expected, "name"));
        const lip_layer *found = layer_named(report, layer);
        if (is_merged_away(f, layer)) {
            assert_null(found);
            continue;
        }
        if (!found)
            fail_msg("layer %s is missing from the report", layer);
        check_layer(found, expected, strcmp(found->op, "Conv") == 0 ? most_conv : 1 + 1e-8);
        assert_int_equal(found->folded_count, json_array_size(json_object_get(expected, "folded")) +
                                                  (json_is_object(json_object_get(expected, "merged")) ? 1 : 0));
    }
}

static void norms_enclose_the_oracle(void **state)
{
    const fixture *f = *state;
    check_layers(f, f->report, 1.001);
}

static void exact_always_is_tight(void **state)
{
    const fixture *f = *state;
    if (!with_exact)
        skip();
    check_layers(f, f->exact, 1 + 1e-6);
}

static void the_papers_columns_agree(void **state)
{
    const fixture *f = *state;
    size_t index;
    json_t *expected;
    json_array_foreach(json_object_get(f->expected, "layers"), index, expected)
    {
        const lip_layer *found = layer_named(f->report, json_string_value(json_object_get(expected, "name")));
        if (!found || json_is_object(json_object_get(expected, "merged")))
            continue;
        double reshaped = number(expected, "reshaped"), closed = number(expected, "lmt_bound");
        if (!isnan(reshaped))
            assert_true(fabs(found->reshaped / reshaped - 1) < 1e-9);
        if (!isnan(closed) && !isnan(found->lmt_bound))
            assert_true(fabs(found->lmt_bound / closed - 1) < 1e-9);
    }
}

/* L_F of the oracle, with the norm of products that fold. */
static double expected_network(const fixture *f)
{
    double network = number(json_object_get(f->expected, "network"), "product_l2");
    size_t index;
    json_t *layer;
    json_array_foreach(json_object_get(f->expected, "layers"), index, layer)
    {
        const char *scale = json_string_value(json_object_get(json_object_get(layer, "merged"), "with"));
        if (!scale)
            continue;
        size_t other_index;
        json_t *other;
        network *= sigma_of(layer) / number(layer, "sigma");
        json_array_foreach(json_object_get(f->expected, "layers"), other_index, other)
            if (strcmp(json_string_value(json_object_get(other, "name")), scale) == 0)
                network /= number(other, "sigma");
    }
    return network;
}

static void the_network_composes(void **state)
{
    const fixture *f = *state;
    double expected = expected_network(f);
    const char *logits = json_string_value(json_object_get(json_object_get(f->expected, "network"), "logits"));
    assert_string_equal(lip_model_logits(f->model).name, logits);
    assert_int_equal(f->report->verdict, LIP_BOUNDED);
    assert_true(f->exact->network.upper >= expected * (1 - 1e-11));
    assert_true(f->exact->network.upper <= expected * (with_exact ? 1 + 1e-5 : 1.002));
    assert_true(f->exact->network.upper * (with_exact ? 0.999 : 0.99) < expected * (1 - 1e-11));
    assert_true(f->report->network.upper >= f->exact->network.upper * (1 - 1e-11));
    assert_true(f->report->power_product_estimate <= f->report->network.upper);
}

/* Images as the model takes them: pixels / 255. */
static void read_image(size_t index, double *image)
{
    char path[1024];
    unsigned char pixels[IMAGE];
    snprintf(path, sizeof path, "%s/data/fmnist-1000-images-idx3-ubyte.gz", folder);
    gzFile file = gzopen(path, "rb");
    assert_non_null(file);
    assert_true(gzseek(file, (z_off_t)(IDX_HEADER + index * IMAGE), SEEK_SET) >= 0);
    assert_int_equal(gzread(file, pixels, IMAGE), IMAGE);
    gzclose(file);
    for (int i = 0; i < IMAGE; i++)
        image[i] = (double)((float)pixels[i] / 255.0f);
}

static void forward_agrees_with_the_reference(void **state)
{
    const fixture *f = *state;
    const json_t *reference = json_object_get(f->expected, "reference");
    size_t samples = json_array_size(json_object_get(reference, "inputs"));
    double images[4][IMAGE], logits[4][10];
    assert_true(samples >= 2 && samples <= 4);
    for (size_t s = 0; s < samples; s++) {
        lip_error error = { 0 };
        const double *inputs[] = { images[s] };
        read_image((size_t)json_integer_value(json_array_get(json_object_get(reference, "inputs"), s)), images[s]);
        if (lip_model_forward(f->model, inputs, logits[s], &error) != LIP_OK)
            fail_msg("forward: %s: %s", error.node, error.reason);
        const json_t *wanted = json_array_get(json_object_get(reference, "logits"), s);
        for (size_t i = 0; i < json_array_size(wanted); i++) {
            double want = json_number_value(json_array_get(wanted, i));
            if (!(fabs(logits[s][i] - want) <= 1e-4 * fmax(1, fabs(want))))
                fail_msg("sample %zu, logit %zu: %.9g, reference %.9g", s, i, logits[s][i], want);
        }
    }
    for (size_t s = 1; s < samples; s++) { /* the bound holds between real images */
        double moved = 0, distance = 0;
        for (int i = 0; i < 10; i++)
            moved = hypot(moved, logits[s][i] - logits[0][i]);
        for (int i = 0; i < IMAGE; i++)
            distance = hypot(distance, images[s][i] - images[0][i]);
        assert_true(moved / distance <= f->report->network.upper);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_enclose_the_oracle), cmocka_unit_test(exact_always_is_tight),
        cmocka_unit_test(the_papers_columns_agree), cmocka_unit_test(the_network_composes),
        cmocka_unit_test(forward_agrees_with_the_reference),
    };
    if (argc < 3) {
        fprintf(stderr, "usage: test_fixtures FOLDER NAME [exact]\n");
        return 2;
    }
    with_exact = argc > 3;
    folder = argv[1];
    name = argv[2];
    return cmocka_run_group_tests_name(name, tests, open_fixture, close_fixture);
}
