/*
 * test_certification.c: the numbers reported of a set of samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "certification_words.h"
#include "fields.h"
#include "said.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* label, predicted, margin, radius, sqrt2, pairwise */
static lip_row row(int64_t index, int64_t label, int64_t predicted, double radius, double sqrt2, double pairwise)
{
    lip_row made = {.index = index, .label = label, .predicted = predicted, .margin = 10.0 * radius, .radius = radius,
                    .sqrt2 = sqrt2, .pairwise = pairwise};
    strcpy(made.method, radius > 0.0 ? (pairwise > sqrt2 ? "pairwise" : "sqrt2") : "");
    return made;
}

static lip_rows some_rows(void)
{
    lip_rows rows = {0};
    const lip_row made[] = {
        row(0, 3, 3, 0.5, 0.2, 0.5),
        row(1, 3, 4, 0.0, 0.0, 0.0),   /* misclassified */
        row(2, 1, 1, 0.25, 0.25, 0.125),
        row(3, 1, -1, 0.0, 0.0, NAN),  /* a tie */
        row(4, 2, 2, 0.0, 0.0, 0.0),   /* right, and nothing is proved */
        row(5, 2, 2, 1.0, 0.5, 1.0),
    };
    for (size_t i = 0; i < COUNT(made); i++)
        assert_true(rows_push(&rows, &made[i]));
    return rows;
}

static const lip_epsilon epsilon[] = {{0.0, "0"}, {0.25, "1/4"}, {0.3, "0.3"}, {1.0, "1"}};

static lip_certification some_certification(const lip_rows *rows, const json_t *data)
{
    return (lip_certification){.rows = *rows, .labelled = true, .pairwise = true, .deployed = "float32", .remark = "",
                               .epsilon = epsilon, .epsilon_count = COUNT(epsilon), .data = data};
}

static json_t *some_data(void)
{
    return json_pack("{s:s, s:s, s:s, s:[i,i], s:i, s:[f,f]}", "path", "x.npy", "format", "npy", "dtype", "uint8",
                     "sample_shape", 28, 28, "count", 9, "range", 0.0, 255.0);
}

static json_t *some_section(bool with_rows)
{
    lip_rows rows = some_rows();
    json_t *data = some_data();
    lip_certification certification = some_certification(&rows, data);
    json_t *section = certification_json(&certification, with_rows);
    assert_non_null(section);
    rows_free(&rows);
    json_decref(data);
    return section;
}

static void quantiles(void **unused)
{
    (void)unused;
    double values[200], odd[] = {3.0, 1.0, 2.0}, one[] = {7.0};
    for (int i = 0; i < 200; i++)
        values[i] = (double)((i * 77) % 200); /* 0 to 199 */
    lip_quantiles q = quantiles_of(values, 200);
    assert_true(q.min == 0.0 && q.q10 == 19.0 && q.q25 == 49.0 && q.median == 99.0);
    assert_true(q.q75 == 149.0 && q.q90 == 179.0 && q.max == 199.0);
    assert_true(q.mean <= 99.5 && q.mean > 99.5 * (1.0 - 1e-12));
    q = quantiles_of(odd, 3);
    assert_true(q.min == 1.0 && q.q25 == 1.0 && q.median == 2.0 && q.q75 == 3.0 && q.max == 3.0);
    q = quantiles_of(one, 1);
    assert_true(q.min == 7.0 && q.median == 7.0 && q.max == 7.0);
}

/* What a quantile promises: so many samples have a radius at least as large, and of no larger sample that holds. */
static void quantiles_promise(void **unused)
{
    (void)unused;
    double values[64];
    for (size_t count = 1; count <= 64; count++) {
        for (size_t i = 0; i < count; i++)
            values[i] = (double)i;
        lip_quantiles q = quantiles_of(values, count);
        const struct { double share, value; } promise[] = {{0.9, q.q10}, {0.75, q.q25}, {0.5, q.median}, {0.25, q.q75},
                                                           {0.1, q.q90}};
        for (size_t k = 0; k < COUNT(promise); k++) {
            double reach = (double)count - promise[k].value; /* how many are >= value */
            assert_true(reach >= promise[k].share * (double)count - 1e-9);
            assert_true(reach - 1.0 < promise[k].share * (double)count + 1.0 - 1e-9);
        }
    }
}

static void mean_is_below(void **unused)
{
    (void)unused;
    double values[1000];
    long double exact = 0.0L;
    for (int i = 0; i < 1000; i++) {
        values[i] = 1.0 / (i + 3.0);
        exact += values[i];
    }
    double mean = quantiles_of(values, 1000).mean;
    assert_true((long double)mean <= exact / 1000.0L);
    assert_true(mean >= (double)(exact / 1000.0L) * (1.0 - 1e-12));
}

static void shards_cover_all(void **unused)
{
    (void)unused;
    const int64_t totals[] = {0, 1, 7, 100, 10000, INT64_MAX}, counts[] = {1, 2, 3, 8, 100, 1000000};
    for (size_t t = 0; t < COUNT(totals); t++)
        for (size_t c = 0; c < COUNT(counts); c++) {
            int64_t next = 0, first, count, least = INT64_MAX, most = 0;
            for (int64_t i = 1; i <= counts[c]; i++) {
                shard_range((lip_shard){i, counts[c]}, totals[t], &first, &count);
                assert_true(first == next && count >= 0);
                next = first + count;
                least = count < least ? count : least;
                most = count > most ? count : most;
            }
            assert_true(next == totals[t] && most - least <= 1);
        }
    int64_t first, count;
    shard_range((lip_shard){0, 0}, 42, &first, &count);
    assert_true(first == 0 && count == 42);
}

static void rows_read_back(void **unused)
{
    (void)unused;
    lip_rows rows = some_rows();
    rows.row[0].margin = 0.1 + 0.2;
    rows.row[5].radius = INFINITY;
    rows.row[2].attacked = true;
    rows.row[2].attack = INFINITY;
    rows.row[2].gradient = 1.0 / 3.0;
    for (size_t i = 0; i < rows.count; i++) {
        lip_row back, *from = &rows.row[i];
        json_t *element = row_json(from);
        assert_true(row_from_json(element, &back));
        assert_true(back.index == from->index && back.label == from->label && back.predicted == from->predicted);
        assert_true(back.margin == from->margin && back.radius == from->radius && back.sqrt2 == from->sqrt2);
        assert_true(back.pairwise == from->pairwise || (isnan(back.pairwise) && isnan(from->pairwise)));
        assert_string_equal(back.method, from->method);
        assert_true(back.attacked == from->attacked && back.attack == from->attack && back.gradient == from->gradient);
        json_decref(element);
    }
    rows_free(&rows);
}

/* JSON with ' in place of ". */
static json_t *parsed(const char *text)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

static void rows_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "[]", "{}", "{'index': -1}",
        "{'index':0,'label':1,'predicted':-2,'margin':1,'radius':1,'sqrt2':1,'pairwise':1,'method':null}",
        "{'index':0,'label':1,'predicted':1,'margin':'x','radius':1,'sqrt2':1,'pairwise':1,'method':''}",
        "{'index':0,'label':1,'predicted':1,'margin':1,'radius':1,'sqrt2':1,'pairwise':1,'method':'longer than fits'}",
        "{'index':0,'label':1,'predicted':1,'margin':1,'sqrt2':1,'pairwise':1,'method':''}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        lip_row untouched = {.index = 42};
        json_t *element = parsed(texts[i]);
        assert_false(row_from_json(element, &untouched));
        assert_int_equal(untouched.index, 42);
        json_decref(element);
    }
}

static void section(void **unused)
{
    (void)unused;
    json_t *s = some_section(true);
    assert_int_equal(field_count(s, "samples"), 6);
    assert_int_equal(field_count(s, "right"), 4);
    assert_int_equal(field_count(s, "certified"), 3);
    assert_true(field_number(s, "accuracy") == 4.0 / 6.0);
    assert_true(field_number(s, "radius.median") == 0.0); /* misclassified samples count as 0 */
    assert_true(field_number(s, "radius.q75") == 0.5);
    assert_true(field_number(s, "radius.max") == 1.0);
    assert_true(field_number(s, "sqrt2.max") == 0.5 && field_number(s, "pairwise.q75") == 0.5);
    const json_t *at = field(s, "certified_accuracy");
    assert_int_equal(json_array_size(at), 4);
    assert_int_equal(field_count(json_array_get(at, 0), "count"), 3);
    assert_int_equal(field_count(json_array_get(at, 1), "count"), 2); /* a radius holds for changes below it */
    assert_int_equal(field_count(json_array_get(at, 2), "count"), 2);
    assert_int_equal(field_count(json_array_get(at, 3), "count"), 0);
    assert_string_equal(field_text(json_array_get(at, 1), "text"), "1/4");
    assert_int_equal(json_array_size(field(s, "per_sample")), 6);
    assert_true(json_is_null(field(json_array_get(field(s, "per_sample"), 3), "predicted")));
    const json_t *weak = field(s, "weakest");
    assert_int_equal(json_array_size(weak), 4); /* those that are right, the weakest first */
    const int64_t order[] = {4, 2, 0, 5};
    for (size_t i = 0; i < COUNT(order); i++)
        assert_int_equal(field_integer(json_array_get(weak, i), "index"), order[i]);
    json_decref(s);
    s = some_section(false);
    assert_true(json_is_null(field(s, "per_sample")));
    json_decref(s);
}

static void the_ten_weakest(void **unused)
{
    (void)unused;
    lip_rows rows = {0};
    for (int64_t i = 0; i < 100; i++) {
        lip_row made = row(i, 1, 1, (double)(i * 37 % 100 + 1), 0.0, 0.0);
        assert_true(rows_push(&rows, &made));
    }
    lip_certification certification = {.rows = rows, .labelled = true, .deployed = "exact"};
    json_t *s = certification_json(&certification, false);
    const json_t *weak = field(s, "weakest");
    assert_int_equal(json_array_size(weak), CERTIFICATION_WEAKEST);
    for (size_t i = 0; i < CERTIFICATION_WEAKEST; i++)
        assert_true(field_number(json_array_get(weak, i), "radius") == (double)(i + 1));
    assert_true(json_is_null(field(s, "pairwise")));
    json_decref(s);
    rows_free(&rows);
}

static void no_samples(void **unused)
{
    (void)unused;
    lip_certification certification = {.deployed = "float32", .partial = true};
    json_t *s = certification_json(&certification, true);
    assert_non_null(s);
    assert_true(json_is_null(field(s, "radius")) && json_is_null(field(s, "accuracy")));
    assert_true(field_true(s, "partial"));
    json_decref(s);
}

static void not_labelled(void **unused)
{
    (void)unused;
    lip_rows rows = {0};
    lip_row made = row(0, -1, 4, 0.5, 0.5, 0.25), tie = row(1, -1, -1, 0.0, 0.0, 0.0);
    assert_true(rows_push(&rows, &made) && rows_push(&rows, &tie));
    lip_certification certification = {.rows = rows, .pairwise = true, .deployed = "exact", .epsilon = epsilon + 1,
                                       .epsilon_count = 1};
    json_t *s = certification_json(&certification, true);
    assert_true(json_is_null(field(s, "accuracy")));
    assert_int_equal(field_count(json_array_get(field(s, "certified_accuracy"), 0), "count"), 1);
    assert_true(json_is_null(field(json_array_get(field(s, "per_sample"), 0), "label")));
    json_decref(s);
    rows_free(&rows);
}

static char *rendered(void (*render)(const json_t *, FILE *), json_t *section, const char *space)
{
    json_t *report = json_pack("{s:o, s:{s:s}}", "certification", section, "threat_model", "space", space);
    char *text = said(report, render);
    assert_non_null(text);
    json_decref(report);
    return text;
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void text(void **unused)
{
    (void)unused;
    char *out = rendered(certification_text, some_section(true), "data");
    assert_holds(out, "6 samples of x.npy (npy, uint8 28x28): 4 (66.66 %) right, 3 (50.00 %) with a");
    assert_holds(out, "largest proved                  0        0        0        0      0.5        1        1 "
                      "0.291666\n");
    assert_holds(out, "certified accuracy              0   50.00 %\n");
    assert_holds(out, "                              1/4   33.33 %\n");
    assert_holds(out, "Radii are L2 distances in the units of the data (values 0 to 255).\n");
    assert_holds(out, "IEEE float32");
    for (const char *line = out; *line != '\0'; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
        assert_true(strcspn(line, "\n") <= 100);
    free(out);
}

static void markdown(void **unused)
{
    (void)unused;
    json_t *s = some_section(true);
    json_object_set_new(s, "partial", json_true());
    json_object_set_new(s, "remark", json_string("the bound of the rounding is vacuous"));
    char *out = rendered(certification_markdown, s, "model");
    assert_holds(out, "| largest proved | 0 | 0 | 0 | 0 | 0.5 | 1 | 1 | 0.291666 |\n");
    assert_holds(out, "| 1/4 | 33.33 % |\n");
    assert_holds(out, "| 2 | 1 | 2.5 | 0.25 | sqrt2 |\n");
    assert_holds(out, "- PARTIAL: ended before all 9 samples were done. All radii are 0: the bound of the rounding is");
    free(out);
}

/* Nothing is said of a report without samples, and nothing breaks on one that holds anything. */
static void odd_reports(void **unused)
{
    (void)unused;
    static const char *const sections[] = {
        "{}", "{'radius': 3, 'weakest': [1, {}], 'certified_accuracy': {'a': 1}, 'data': []}",
        "{'certified_accuracy': [1, null], 'data': {'range': ['a', null], 'path': 1}, 'samples': -1}",
    };
    for (size_t i = 0; i < COUNT(sections); i++) {
        free(rendered(certification_text, parsed(sections[i]), "data"));
        free(rendered(certification_markdown, parsed(sections[i]), "x"));
    }
    char *out = rendered(certification_text, json_null(), "data");
    assert_string_equal(out, "");
    free(out);
}

static void shares(void **unused)
{
    (void)unused;
    assert_string_equal(share_text(9576, 10000).text, "95.76 %");
    assert_string_equal(share_text(2, 3).text, "66.66 %");
    assert_string_equal(share_text(3, 3).text, "100.00 %");
    assert_string_equal(share_text(0, 3).text, "0.00 %");
    assert_string_equal(share_text(0, 0).text, "-");
    assert_string_equal(share_text(4, 3).text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles),    cmocka_unit_test(quantiles_promise), cmocka_unit_test(mean_is_below),
        cmocka_unit_test(shards_cover_all), cmocka_unit_test(rows_read_back), cmocka_unit_test(rows_refused),
        cmocka_unit_test(section),      cmocka_unit_test(the_ten_weakest),   cmocka_unit_test(no_samples),
        cmocka_unit_test(not_labelled), cmocka_unit_test(text),              cmocka_unit_test(markdown),
        cmocka_unit_test(odd_reports),  cmocka_unit_test(shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
