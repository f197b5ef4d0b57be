/*
 * test_formats.c: the formats of an audit, on a made report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "json.h"
#include "layers.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static json_t *report_json(const lip_run_info *run)
{
    char *text = sample_render(&format_json, run);
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("%s in:\n%s", error.text, text);
    free(text);
    return root;
}

static json_t *at(json_t *layer, const char *outer, const char *inner)
{
    json_t *object = json_object_get(layer, outer);
    return inner ? json_object_get(object, inner) : object;
}

static void json_numbers(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *root = report_json(&run);
    json_t *layers = json_object_get(root, "layers");
    assert_int_equal(json_array_size(layers), 4);
    json_t *conv = json_array_get(layers, 0), *sum = json_array_get(layers, 2);
    assert_true(json_real_value(at(conv, "gain", "upper")) == 0.30000000000000004); /* to the last bit */
    assert_true(json_real_value(at(conv, "gain", "lower")) == 0.1);
    assert_true(json_is_null(at(sum, "exact_svd", NULL)));
    assert_true(json_is_null(at(sum, "power_iteration", "value")));
    assert_string_equal(json_string_value(at(sum, "gain", "tightness")), "inf");
    assert_string_equal(json_string_value(at(sum, "name", NULL)), "sum|\xEF\xBF\xBD");
    assert_true(json_is_null(at(sum, "module", NULL)));
    json_decref(root);
}

static void json_schema(void **unused)
{
    (void)unused;
    static const char *const top[] = {"schema", "tool", "command", "model", "threat_model", "layers", "network",
                                      "timing", "peak_memory_bytes"};
    static const char *const layer[] = {"index", "name", "op", "module", "inputs", "output", "input_shape",
        "output_shape", "parameters", "verdict", "reason", "gain", "power_iteration", "exact_svd", "reshaped",
        "lmt_bound", "cumulative_upper", "log_share", "seconds"};
    static const char *const network[] = {"lipschitz", "product_upper", "power_iteration_product",
                                          "pairwise_max_upper", "output", "verdict", "reason"};
    lip_run_info run = sample_run();
    json_t *root = report_json(&run);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "lipaudit.report/1");
    for (size_t i = 0; i < sizeof top / sizeof *top; i++)
        assert_non_null(json_object_get(root, top[i]));
    for (size_t i = 0; i < sizeof layer / sizeof *layer; i++)
        assert_non_null(json_object_get(json_array_get(json_object_get(root, "layers"), 0), layer[i]));
    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        assert_non_null(json_object_get(json_object_get(root, "network"), network[i]));
    assert_string_equal(json_string_value(at(root, "threat_model", "norm")), "l2");
    json_decref(root);
}

static void json_unknown(void **unused)
{
    (void)unused;
    lip_run_info run = sample_unknown_run();
    json_t *root = report_json(&run);
    json_t *network = json_object_get(root, "network");
    assert_string_equal(json_string_value(at(network, "verdict", NULL)), "unknown");
    assert_string_equal(json_string_value(at(network, "lipschitz", "upper")), "inf");
    assert_string_equal(json_string_value(at(network, "reason_node", NULL)), "fc");
    json_decref(root);
}

static void csv(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    char *text = sample_render(&format_csv, &run);
    assert_holds(text, "0,\"/conv,1/Conv\",Conv,conv1,x,c,1x1x28x28,1x16x14x14,272,bounded,,"
                       "0.10000000000000001,0.30000000000000004,3.0000000000000009,torus,"
                       "0.28999999999999998,0.25,100,");
    assert_holds(text, ",\"a \"\"quoted\"\" one\nb\",s,");
    assert_holds(text, ",0,2,inf,sum,,,0,,,,,0.59999999999999998,0.40000000000000002,\r\n");
    int commas = 0;
    for (const char *c = text; *c != '\r'; c++)
        commas += *c == ',';
    assert_int_equal(commas, 24);
    free(text);
}

static void text(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    char *out = sample_render(&format_text, &run);
    assert_holds(out, "1 node of gain exactly 1 only re-arranges its input: Flatten 1\n");
    assert_holds(out, "1 scaling node is part of the linear layer beside it");
    assert_holds(out, " 0.1 0.30001 "); /* the upper bound 0.30000000000000004 is rounded up */
    assert_holds(out, "7.00001"); /* and so is 7.0000001 */
    assert_holds(out, "L_F <= 4.20001\n");
    assert_holds(out, "Power iteration: 4, an estimate: 0.2 (4.8 %) under the proved bound\n");
    assert_holds(out, "Costs most: fc 80 % (gain 7.00001), sum|? 40 % (gain 2)\n");
    assert_holds(out, "||f(x)-f(y)||");
    assert_null(strchr(out, '\033'));
    for (const char *line = out; *line != '\0'; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
        assert_true(strcspn(line, "\n") <= 100);
    free(out);
}

static void text_unknown(void **unused)
{
    (void)unused;
    lip_run_info run = sample_unknown_run();
    char *out = sample_render(&format_text, &run);
    assert_holds(out, "UNKNOWN: node 'fc' (module fc, my.domain::Foo): operator 'Foo' is not supported\n");
    assert_holds(out, "L_F: no bound\n");
    assert_null(strstr(out, "Proved: for any"));
    assert_null(strstr(out, "L_F <="));
    free(out);
}

static void markdown(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    char *out = sample_render(&format_markdown, &run);
    assert_holds(out, "| conv1 | Conv | 1x28x28->16x14x14 | 0.29 | 0.3 | 0.1 | 0.300001 |");
    assert_holds(out, "| sum\\|? | Add |");
    assert_holds(out, "- **L_F <= 4.20001**\n");
    free(out);
}

/* What is saved and read again renders to the very same text in every format. */
static void saved_reports(void **unused)
{
    (void)unused;
    const lip_run_info runs[] = {sample_run(), sample_unknown_run()};
    for (size_t r = 0; r < 2; r++) {
        json_t *document = document_of(&runs[r]), *saved = report_json(&runs[r]);
        for (size_t f = 0; report_formats[f]; f++) {
            char *first = sample_render_document(report_formats[f], document);
            char *second = sample_render_document(report_formats[f], saved);
            assert_string_equal(first, second);
            free(first);
            free(second);
        }
        json_decref(document);
        json_decref(saved);
    }
}

/* A report that lacks everything, or has everything of the wrong type, is rendered to something. */
static void odd_reports(void **unused)
{
    (void)unused;
    static const char *const odd[] = {
        "{}", "{\"layers\": {}, \"network\": [], \"gates\": 3, \"comparison\": \"x\", \"certification\": true}",
        "{\"layers\": [null, 3, {\"name\": 3, \"gain\": [], \"inputs\": 3, \"sources\": [\"x\", 99, -7]}],"
        " \"gates\": [null, {\"holds\": 3}], \"comparison\": {\"layers\": [null, {\"index\": 77},"
        " {\"index\": -5, \"baseline\": 4}]}, \"certification\": {\"per_sample\": [3, {\"radius\": \"inf\"}],"
        " \"certified_accuracy\": [null], \"radius\": []}}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        json_t *document = json_loads(odd[i], 0, NULL);
        assert_non_null(document);
        for (size_t f = 0; report_formats[f]; f++)
            free(sample_render_document(report_formats[f], document));
        json_decref(document);
    }
}

static json_t *many_gates(size_t count)
{
    lip_run_info run = sample_run();
    json_t *document = document_of(&run), *gates = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(gates, json_pack("{s:s, s:s, s:s, s:f, s:f, s:b, s:s}", "name", "max-layer-upper", "what",
                                               "50 % of\n<x>, a: b", "relation", "<=", "wanted", 1.0, "found",
                                               2.0 + (double)i, "holds", 0, "node", "a,b:c"));
    json_object_set_new(document, "gates", gates);
    return document;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void limits(void **unused)
{
    (void)unused;
    json_t *document = many_gates(5003);
    char *sarif = sample_render_document(&format_sarif, document);
    char *github = sample_render_document(&format_github, document);
    char *junit = sample_render_document(&format_junit, document);
    char *html = sample_render_document(&format_html, document);
    assert_int_equal(count_of(sarif, "\"ruleId\""), 5000);
    assert_int_equal(count_of(sarif, "\"startLine\": 1"), 5000);
    assert_int_equal(count_of(github, "\n"), 10);
    assert_holds(github, "::error file=m.onnx,line=1,title="); /* the worst comes first */
    assert_true(strstr(github, "5004") < strchr(github, '\n'));
    assert_holds(github, "50 %25 of%0A<x>, a: b");
    assert_holds(junit, "50 % of&#10;&#60;x&#62;, a: b");
    assert_int_equal(count_of(junit, "<failure "), 5003);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http"));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, "<x>"));
    free(sarif);
    free(github);
    free(junit);
    free(html);
    json_decref(document);
}

static void other_formats(void **unused)
{
    (void)unused;
    lip_run_info run = sample_unknown_run();
    char *dot = sample_render(&format_dot, &run), *metrics = sample_render(&format_openmetrics, &run);
    assert_holds(dot, "\"sum|?\\nAdd\\n<= 2, 40 %\"");
    assert_holds(dot, "\\nUNKNOWN");
    assert_holds(metrics, "lipaudit_lipschitz_upper{model=\"m.onnx\"} +Inf\n");
    assert_holds(metrics, "lipaudit_layer_gain_upper{model=\"m.onnx\",index=\"0\",layer=\"conv1\"} "
                          "0.30000000000000004\n");
    assert_string_equal(metrics + strlen(metrics) - 6, "# EOF\n");
    free(dot);
    free(metrics);
}

/* The product of power iterations is an estimate of the product of the gains, not of a tighter L_F. */
static void power_iteration_gap(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *document = document_of(&run), *network = json_object_get(document, "network");
    char *same = sample_render_document(&format_markdown, document);
    assert_holds(same, "under the proved bound");
    json_object_set_new(json_object_get(network, "lipschitz"), "upper", json_real(3.5));
    char *tighter = sample_render_document(&format_markdown, document);
    assert_holds(tighter, "4, an estimate: 0.2 (4.8 %) under the proved product of the layers");
    json_object_set_new(network, "product_upper", json_real(3.75));
    char *above = sample_render_document(&format_markdown, document);
    assert_holds(above, "- Power iteration: 4, an estimate\n");
    free(same);
    free(tighter);
    free(above);
    json_decref(document);
}

/* Names are no markup, and no commands to the service whose log the report is in. */
static void hostile_names(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *document = document_of(&run), *layer = json_array_get(json_object_get(document, "layers"), 3);
    json_object_set_new(layer, "module", json_string("::error::<b>"));
    json_object_set_new(json_object_get(document, "network"), "output", json_string("<img src=y>"));
    char *markdown = sample_render_document(&format_markdown, document);
    char *plain = sample_render_document(&format_text, document);
    assert_null(strstr(markdown, "'<img"));
    assert_null(strstr(markdown, ":<b>"));
    assert_holds(markdown, "Costs most: ::error::\\<b> 80 %");
    assert_null(strstr(plain, "\n::"));
    assert_holds(plain, "\n?:error::<b> ");
    free(markdown);
    free(plain);
    json_decref(document);
}

static void costliest_layers(void **unused)
{
    (void)unused;
    json_t *report = json_pack("{s:[{s:f}, {s:f}, {s:f}, {s:f}, {s:f}]}", "layers", "log_share", 0.1, "log_share", 0.3,
                               "log_share", -1.0, "log_share", 0.2, "log_share", 0.4);
    size_t index[LAYERS_COSTLIEST];
    assert_int_equal(layers_costliest(report, index), 3);
    assert_int_equal(index[0], 4);
    assert_int_equal(index[1], 1);
    assert_int_equal(index[2], 3);
    while (json_array_size(json_object_get(report, "layers")) > 1)
        json_array_remove(json_object_get(report, "layers"), 1);
    assert_int_equal(layers_costliest(report, index), 1);
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_numbers), cmocka_unit_test(json_schema), cmocka_unit_test(json_unknown),
        cmocka_unit_test(csv),          cmocka_unit_test(text),        cmocka_unit_test(text_unknown),
        cmocka_unit_test(markdown),     cmocka_unit_test(costliest_layers),
        cmocka_unit_test(saved_reports), cmocka_unit_test(odd_reports), cmocka_unit_test(limits),
        cmocka_unit_test(other_formats), cmocka_unit_test(power_iteration_gap), cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
