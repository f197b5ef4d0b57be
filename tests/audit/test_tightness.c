/*
 * test_tightness.c: the medians of inequality (5), from rows; and what attacks
 * refute.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "attacking.h"
#include "fields.h"
#include "said.h"
#include "tightness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Three samples that are right; a wrong one, and one that was left out. */
static const lip_row made[] = {
    {0, 3, 3, 2.0, 0.25, 0.125, 0.25, "pairwise", true, 1.0, 4.0, false, NAN},
    {1, 3, 4, 9.0, 9.0, 9.0, 9.0, "sqrt2", false, NAN, NAN, false, NAN},
    {2, -1, 1, 4.0, 0.5, 0.5, 0.125, "sqrt2", true, INFINITY, 2.0, false, NAN},
    {3, 1, 1, 8.0, 1.5, 1.0, 1.5, "pairwise", true, 3.0, 1.0, false, NAN},
    {4, 1, 1, 9.0, 9.0, 9.0, 9.0, "sqrt2", false, NAN, NAN, false, NAN},
};

static json_t *section_of(size_t count)
{
    lip_rows rows = {0};
    for (size_t i = 0; i < count; i++)
        assert_true(rows_push(&rows, &made[i]));
    json_t *section = tightness_json(&rows, "cw");
    assert_non_null(section);
    rows_free(&rows);
    return section;
}

static char *rendered(void (*render)(const json_t *, FILE *), json_t *section)
{
    json_t *report = json_pack("{s:o}", "tightness", section);
    char *text = said(report, render);
    assert_non_null(text);
    json_decref(report);
    return text;
}

/* The second of three in order; the steepest gradient is 4. */
static void medians(void **unused)
{
    (void)unused;
    json_t *s = section_of(5);
    assert_string_equal(field_text(s, "method"), "cw");
    assert_int_equal(field_count(s, "samples"), 3);
    assert_int_equal(field_count(s, "found"), 2);
    assert_true(field_number(s, "gradient") == 4.0);
    assert_true(field_number(s, "certified") == 0.5);
    assert_true(field_number(s, "global") == 1.0);  /* 0.5, 1, 2 */
    assert_true(field_number(s, "local") == 2.0);   /* 0.5, 2, 8 */
    assert_true(field_number(s, "attack") == 3.0);  /* 1, inf, 3 */
    assert_true(field_number(s, "radius") == 0.5);  /* 0.25, 0.5, 1.5 */
    json_decref(s);
    s = section_of(0);
    assert_int_equal(field_count(s, "samples"), 0);
    assert_true(json_is_null(field(s, "certified")) && json_is_null(field(s, "attack")));
    json_decref(s);
}

static void words(void **unused)
{
    (void)unused;
    char *text = rendered(tightness_text, section_of(5));
    assert_non_null(strstr(text, "(A) margin / (sqrt(2) L_F)                             0.5           2\n"));
    assert_non_null(strstr(text, "(C) margin / steepest gradient, the sample's             2         1.5\n"));
    assert_non_null(strstr(text, "Medians over the 3 samples that are right; the attack (cw"));
    free(text);
    text = rendered(tightness_markdown, section_of(5));
    assert_non_null(strstr(text, "| (B) margin / steepest gradient, all samples | 1 | 2 |\n"));
    assert_non_null(strstr(text, "| (D) attack | 3 |  |\n"));
    free(text);
    text = rendered(tightness_text, section_of(0));
    assert_non_null(strstr(text, "(D) attack                                               -"));
    free(text);
    free(rendered(tightness_text, json_pack("{s:s, s:[], s:i}", "certified", "x", "attack", "samples", -1)));
    free(rendered(tightness_markdown, json_object()));
}

/* Whatever comes nearer than what is proved is told of. */
static void refuted(void **unused)
{
    (void)unused;
    lip_attacking attacking = {.steepest_upper = 4.0};
    lip_error error = {0};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_false(attacking_refutes(&attacking, &made[i], &error));
    lip_row row = made[0];
    row.attack = row.radius; /* a radius speaks of what is nearer */
    assert_false(attacking_refutes(&attacking, &row, &error));
    row.attack = nextafter(row.radius, 0.0);
    assert_true(attacking_refutes(&attacking, &row, &error));
    assert_int_equal(error.status, LIP_EINTERNAL);
    assert_non_null(strstr(error.reason, "sample 0 has another class at distance 0.24999999999999997"));
    attacking.steepest_upper = nextafter(4.0, 0.0);
    assert_true(attacking_refutes(&attacking, &made[0], &error));
    assert_non_null(strstr(error.reason, "around sample 0 a difference of logits has a gradient of norm 4"));
}

static void names(void **unused)
{
    (void)unused;
    assert_string_equal(attack_text(LIP_ATTACK_DEEPFOOL), "deepfool");
    assert_string_equal(attack_text(LIP_ATTACK_PGD), "pgd");
    assert_string_equal(attack_text(LIP_ATTACK_CW), "cw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians), cmocka_unit_test(words), cmocka_unit_test(refuted), cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
