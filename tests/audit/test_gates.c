/*
 * test_gates.c: gates, comparison, matching, radii and the policy's reader.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "findings.h"
#include "gates.h"
#include "match.h"
#include "policy.h"
#include "radii.h"
#include "sample.h"
#include "space.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *json_of(const char *text)
{
    json_error_t why;
    char *quoted = strdup(text);
    for (char *c = quoted; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(quoted, 0, &why);
    if (!value)
        fail_msg("%s in %s", why.text, quoted);
    free(quoted);
    return value;
}

static void changes_on_intervals(void **unused)
{
    (void)unused;
    const lip_tolerance none = {0}, relative = {0.1, 0.0}, absolute = {0.0, 0.5};
    assert_string_equal(comparison_change(2.0, 2.5, 3.0, &none), "regressed");
    assert_string_equal(comparison_change(2.0, 1.9, 3.0, &none), "looser"); /* the gain may be what it was */
    assert_string_equal(comparison_change(2.0, 1.0, 1.5, &none), "improved");
    assert_string_equal(comparison_change(2.0, 2.0, 2.0, &none), "unchanged");
    assert_string_equal(comparison_change(2.0, 2.1, 2.15, &relative), "unchanged");
    assert_string_equal(comparison_change(2.0, 2.1, 2.25, &relative), "looser");
    assert_string_equal(comparison_change(2.0, 2.4, 2.45, &absolute), "unchanged");
    assert_string_equal(comparison_change(2.0, 2.6, 2.65, &absolute), "regressed");
    assert_string_equal(comparison_change(2.0, 1.8, 1.9, &relative), "unchanged");
    assert_string_equal(comparison_change(2.0, NAN, INFINITY, &relative), "looser");
    assert_string_equal(comparison_change(INFINITY, 1.0, 2.0, &relative), "improved");
    assert_string_equal(comparison_change(INFINITY, NAN, INFINITY, &relative), "unchanged");
    assert_true(tolerance_limit(1.0, &none) == 1.0); /* what is the same has not grown */
    assert_true(tolerance_limit(1.0, &(lip_tolerance){0x1p-52, 0.0}) >= 1.0);
    assert_true(tolerance_limit(1.0, &relative) <= 1.1);
    assert_true(tolerance_limit(1.0, &relative) > 1.1 - 1e-12);
}

static void layers_match_by_what_lasts(void **unused)
{
    (void)unused;
    json_t *old = json_of("[{'name':'a','op':'Conv','weights':['w1'],'module':'m.a'},"
                          " {'name':'r','op':'Relu','input_shape':[1,4],'output_shape':[1,4]},"
                          " {'name':'b','op':'Conv','module':'m.b','weights':['w2']},"
                          " {'name':'same','op':'Gemm'},"
                          " {'name':'gone','op':'Sigmoid','input_shape':[1,9],'output_shape':[1,9]}]");
    json_t *new = json_of("[{'name':'x','op':'Conv','module':'m.b','weights':['v2']},"
                          " {'name':'y','op':'Conv','weights':['w1']},"
                          " {'name':'z','op':'Relu','input_shape':[1,4],'output_shape':[1,4]},"
                          " {'name':'same','op':'Gemm'},"
                          " {'name':'new','op':'Tanh','input_shape':[1,9],'output_shape':[1,9]}]");
    lip_match *match = match_layers(old, new);
    const lip_match expected[] = {{2, MATCH_MODULE}, {0, MATCH_WEIGHT}, {1, MATCH_ORDER}, {3, MATCH_NAME},
                                  {MATCH_NONE, MATCH_NOT}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(match[i].other, expected[i].other);
        assert_int_equal(match[i].by, expected[i].by);
    }
    free(match);
    json_decref(old);
    json_decref(new);
}

/* A name that is there twice says nothing; what is left is aligned in order, whatever was inserted. */
static void layers_match_in_order(void **unused)
{
    (void)unused;
    json_t *old = json_of("[{'name':'n','op':'Relu','input_shape':[1],'output_shape':[1]},"
                          " {'name':'n','op':'Relu','input_shape':[2],'output_shape':[2]},"
                          " {'name':'n','op':'Relu','input_shape':[3],'output_shape':[3]}]");
    json_t *new = json_of("[{'name':'p','op':'Relu','input_shape':[1],'output_shape':[1]},"
                          " {'name':'q','op':'Relu','input_shape':[9],'output_shape':[9]},"
                          " {'name':'n','op':'Relu','input_shape':[2],'output_shape':[2]},"
                          " {'name':'s','op':'Relu','input_shape':[3],'output_shape':[3]}]");
    lip_match *match = match_layers(old, new);
    assert_int_equal(match[0].other, 0);
    assert_int_equal(match[1].by, MATCH_NOT);
    assert_int_equal(match[2].other, 1);
    assert_int_equal(match[3].other, 2);
    free(match);
    json_decref(old);
    json_decref(new);
}

static json_t *judge_one(const lip_gate *gate, const json_t *report, bool space)
{
    lip_gates gates = {.gate = {*gate}, .count = 1};
    json_t *section = gates_judge(&gates, report, space);
    assert_non_null(section);
    return section;
}

static void assert_outcome(const lip_gate *gate, const json_t *report, bool space, lip_outcome outcome, double found)
{
    json_t *section = judge_one(gate, report, space);
    double value = field_number(json_array_get(section, 0), "found");
    assert_int_equal(gates_outcome(section), outcome);
    assert_true(isnan(found) ? isnan(value) : value == found);
    json_decref(section);
}

static void bounds_are_gates(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run(), unknown_run = sample_unknown_run();
    json_t *report = document_of(&run), *unknown = document_of(&unknown_run);
    lip_gate gate = {.kind = GATE_MAX_LIPSCHITZ, .wanted = 4.2000001};
    assert_outcome(&gate, report, true, GATES_HOLD, 4.2000001);
    assert_outcome(&gate, unknown, true, GATES_NO_VERDICT, NAN);
    gate.wanted = 4.2;
    assert_outcome(&gate, report, true, GATES_FAIL, 4.2000001);
    gate = (lip_gate){.kind = GATE_MAX_LAYER_UPPER, .wanted = 7.0, .pattern = "f?"};
    assert_outcome(&gate, report, true, GATES_FAIL, 7.0000001);
    assert_outcome(&gate, unknown, true, GATES_NO_VERDICT, NAN);
    gate.wanted = 7.0000001;
    assert_outcome(&gate, report, true, GATES_HOLD, 7.0000001);
    snprintf(gate.pattern, sizeof gate.pattern, "conv1"); /* a module path */
    assert_outcome(&gate, report, true, GATES_HOLD, 0.30000000000000004);
    snprintf(gate.pattern, sizeof gate.pattern, "nothing");
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN);
    json_decref(report);
    json_decref(unknown);
}

static const char certified[] =
    "{'threat_model':{'space':'model'}, 'layers':[], 'network':{'verdict':'bounded'}, 'certification':"
    "{'samples':4,'partial':false,'radius':{'median':0.5},'data':{'range':[0,1]},"
    "'certified_accuracy':[{'eps':0.25,'value':0.5}],'per_sample':["
    "{'label':1,'predicted':1,'radius':0.5},{'label':1,'predicted':2,'radius':0},"
    "{'label':null,'predicted':3,'radius':1},{'label':0,'predicted':0,'radius':0.6}]}}";

static void radii_are_gates(void **unused)
{
    (void)unused;
    json_t *report = json_of(certified), *none = json_of("{'layers':[]}");
    lip_gate gate = {.kind = GATE_MIN_RADIUS, .wanted = 0.5, .quantile = 0.5};
    assert_true(gate_needs_data(&gate));
    assert_outcome(&gate, report, true, GATES_HOLD, 0.5);
    assert_outcome(&gate, report, false, GATES_NO_VERDICT, NAN);
    assert_outcome(&gate, none, true, GATES_NO_VERDICT, NAN);
    json_object_set_new(json_object_get(report, "certification"), "shard", json_of("{'index':1,'count':2}"));
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN); /* some of the samples */
    json_object_set_new(json_object_get(report, "certification"), "shard", json_null());
    gate.quantile = 0.75; /* from the samples: 0 0.5 0.6 1, three of four may have less than 0.6 */
    gate.wanted = 0.7;
    json_object_del(json_object_get(json_object_get(report, "certification"), "radius"), "median");
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN); /* named quantiles come from the section */
    gate.quantile = 0.74;
    assert_outcome(&gate, report, true, GATES_FAIL, 0.6);
    gate = (lip_gate){.kind = GATE_MIN_CERTIFIED_ACCURACY, .wanted = 0.5, .epsilon = 0.25};
    assert_outcome(&gate, report, true, GATES_HOLD, 0.5); /* the section's number goes before the samples */
    gate.epsilon = 0.5;
    assert_outcome(&gate, report, true, GATES_HOLD, 0.5); /* 0.5 itself is not beyond 0.5 */
    gate.epsilon = 0.6;
    assert_outcome(&gate, report, true, GATES_FAIL, 0.25);
    json_object_set_new(json_object_get(report, "certification"), "partial", json_true());
    gate.epsilon = 0.25;
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN);
    json_decref(report);
    json_decref(none);
}

static void spaces(void **unused)
{
    (void)unused;
    json_t *report = json_of(certified);
    assert_true(space_known(report, false));
    json_t *range = json_object_get(json_object_get(json_object_get(report, "certification"), "data"), "range");
    json_array_set_new(range, 0, json_real(-0.1));
    assert_false(space_known(report, false));
    assert_true(space_known(report, true));
    json_object_set_new(json_object_get(report, "threat_model"), "scale", json_real(0.5));
    assert_true(space_known(report, false));
    json_decref(report);
}

static void baselines(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *report = document_of(&run), *older = document_of(&run);
    lip_gate gate = {.kind = GATE_BASELINE, .tolerance = {0.05, 0.0}};
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN); /* there is none */
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_HOLD, 4.2000001);
    json_t *bound = json_object_get(json_object_get(older, "network"), "lipschitz");
    json_object_set_new(bound, "upper", json_real(3.9));
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_FAIL, 4.2000001);
    gate.tolerance.absolute = 0.2;
    assert_outcome(&gate, report, true, GATES_HOLD, 4.2000001);
    json_object_set_new(json_object_get(older, "threat_model"), "space", json_string("data"));
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN);
    json_decref(report);
    json_decref(older);
}

/* What the baseline says nothing about is not passed by saying nothing either. */
static void baselines_that_say_nothing(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *report = document_of(&run), *older = document_of(&run);
    lip_gate gate = {.kind = GATE_BASELINE}, layers = {.kind = GATE_BASELINE_LAYERS};
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_HOLD, 4.2000001); /* the same, with no tolerance */
    assert_outcome(&layers, report, true, GATES_HOLD, 0.0);
    json_object_set_new(older, "certification", json_of("{'radius':{'median':0.5}}"));
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, 4.2000001); /* --data was left out */
    json_t *samples = json_of("{'samples':2,'radius':{'median':0.5},'deployed':'float32','data':{'sha256':'a',"
                              "'labels_sha256':'b'}}");
    json_object_set_new(report, "certification", json_deep_copy(samples));
    json_object_set_new(older, "certification", samples);
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_HOLD, 4.2000001);
    json_object_set_new(json_object_get(samples, "data"), "labels_sha256", json_null());
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, 4.2000001); /* without labels every sample is right */
    json_object_set_new(older, "certification", json_null());
    json_object_set_new(json_object_get(json_object_get(older, "network"), "lipschitz"), "upper", json_string("inf"));
    json_array_clear(json_object_get(older, "layers"));
    json_object_set_new(report, "comparison", comparison_of(older, "old.json", report, &gate.tolerance));
    assert_outcome(&gate, report, true, GATES_NO_VERDICT, NAN);
    assert_outcome(&layers, report, true, GATES_NO_VERDICT, NAN);
    json_decref(report);
    json_decref(older);
}

static void outcomes(void **unused)
{
    (void)unused;
    json_t *section = json_of("[{'holds':true},{'holds':false},{'holds':true}]");
    assert_int_equal(gates_outcome(section), GATES_FAIL);
    json_array_append_new(section, json_of("{'holds':null}"));
    assert_int_equal(gates_outcome(section), GATES_NO_VERDICT);
    json_array_clear(section);
    assert_int_equal(gates_outcome(section), GATES_NO_VERDICT);
    json_decref(section);
}

static void findings_are_stable(void **unused)
{
    (void)unused;
    lip_run_info run = sample_unknown_run();
    json_t *report = document_of(&run);
    json_object_set_new(report, "gates", json_of("[{'name':'max-lipschitz','what':'L_F','relation':'<=','wanted':2,"
                                                 "'found':3,'holds':false}]"));
    lip_findings first, second;
    assert_true(findings_of(report, &first));
    json_object_set_new(json_array_get(json_object_get(report, "gates"), 0), "found", json_real(7.0));
    assert_true(findings_of(report, &second));
    assert_int_equal(first.count, 2);
    assert_int_equal(first.row[0].rule, RULE_GATE_FAILS);
    assert_int_equal(first.row[1].rule, RULE_UNKNOWN);
    assert_string_not_equal(first.row[0].message, second.row[0].message);
    assert_string_equal(first.row[0].fingerprint, second.row[0].fingerprint);
    assert_string_not_equal(first.row[0].fingerprint, first.row[1].fingerprint);
    findings_free(&first);
    findings_free(&second);
    json_decref(report);
}

static lip_status read_policy(const char *text, lip_policy *policy, lip_error *error)
{
    char path[] = "/tmp/lipaudit-policy-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    lip_status status = policy_load(path, policy, error);
    unlink(path);
    return status;
}

static void policies(void **unused)
{
    (void)unused;
    lip_policy policy;
    lip_error error;
    static const char text[] = "# gates\na: 1\nb: [x, 'y z']\nc:\n  \"conv*\": 3\n  fc: 4\n";
    assert_int_equal(read_policy(text, &policy, &error), LIP_OK);
    const struct { const char *key, *value; long line; } expected[] = {
        {"a", "1", 2}, {"b", "x", 3}, {"b", "y z", 3}, {"c", "conv*=3", 5}, {"c", "fc=4", 6},
    };
    assert_int_equal(policy.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(policy.entry[i].key, expected[i].key);
        assert_string_equal(policy.entry[i].value, expected[i].value);
        assert_int_equal(policy.entry[i].line, expected[i].line);
    }
    policy_free(&policy);
    policy_free(&policy);
}

static void wrong_policies(void **unused)
{
    (void)unused;
    static const struct { const char *text, *reason; } wrong[] = {
        {"", "the policy is empty"},
        {"a: 1\na: 2\n", "line 2: 'a' is given twice"},
        {"- a\n", "line 1: a policy is a mapping"},
        {"a: [1, [2]]\n", "line 1: a value is wanted here"},
        {"a:\n  b:\n    c: 1\n", "line 3: a value is wanted here"},
        {"b: 1\na: []\n", "line 2: 'a' has no value"},
        {"b: 1\na: {}\n", "line 2: 'a' has no value"},
        {"a: &x 1\n", "line 1: anchors and tags are not read"},
        {"a: &x 1\nb: *x\n", "line 1: anchors and tags are not read"},
        {"a: \"b\n", "line 2: not YAML"},
        {"\ta: 1\n", "line 1: not YAML"},
        {"a: 1\n---\nb: 2\n", "line 2: a second document"},
        {"a: \xFF\n", "not YAML"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        lip_policy policy;
        lip_error error;
        assert_int_equal(read_policy(wrong[i].text, &policy, &error), LIP_EFORMAT);
        if (!strstr(error.reason, wrong[i].reason))
            fail_msg("'%s' is not in '%s'", wrong[i].reason, error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_on_intervals), cmocka_unit_test(layers_match_by_what_lasts),
        cmocka_unit_test(layers_match_in_order), cmocka_unit_test(bounds_are_gates),
        cmocka_unit_test(radii_are_gates),      cmocka_unit_test(spaces),
        cmocka_unit_test(baselines),            cmocka_unit_test(outcomes),
        cmocka_unit_test(findings_are_stable),  cmocka_unit_test(policies),
        cmocka_unit_test(wrong_policies),         cmocka_unit_test(baselines_that_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
