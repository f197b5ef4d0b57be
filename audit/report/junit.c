/*
 * junit.c: JUnit XML: gates are test cases, and so is each layer: one that is
 * not bounded is an error, or skipped where nothing asks for it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "gates_words.h"
#include "layers.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

/* XML 1.0 has no control characters but tab, CR and LF; attributes lose those, so they are references. */
static void put(FILE *stream, const char *text)
{
    char character[5];
    while (*text != '\0') {
        size_t size = utf8_size(text);
        size = size > 0 ? size : 1;
        memcpy(character, text, size);
        character[size] = '\0';
        if (size == 3 && (memcmp(text, "\xEF\xBF\xBE", 3) == 0 || memcmp(text, "\xEF\xBF\xBF", 3) == 0))
            fputc('?', stream); /* no characters of XML */
        else if (strchr("&<>\"'\t\r\n", *text))
            fprintf(stream, "&#%d;", *text);
        else
            utf8_print(stream, character);
        text += size;
    }
}

static void put_attribute(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, " %s=\"", name);
    put(stream, value);
    fputc('"', stream);
}

static double seconds(const json_t *object, const char *path)
{
    double value = field_number(object, path);
    return isfinite(value) && value >= 0.0 ? value : 0.0;
}

static void put_case(FILE *stream, const char *class, const char *name, double time)
{
    fputs("    <testcase", stream);
    put_attribute(stream, "classname", class);
    put_attribute(stream, "name", name);
    fprintf(stream, " time=\"%.3f\"", time);
}

static void put_outcome(FILE *stream, const char *element, const char *type, const char *message)
{
    fprintf(stream, ">\n      <%s", element);
    put_attribute(stream, "message", message);
    if (type)
        put_attribute(stream, "type", type);
    fputs("/>\n    </testcase>\n", stream);
}

static void put_gate(FILE *stream, const json_t *gate)
{
    char wanted[512], found[700], name[600], message[1300];
    const json_t *holds = field(gate, "holds");
    gate_wanted(gate, wanted, sizeof wanted);
    gate_found(gate, found, sizeof found);
    snprintf(name, sizeof name, "%s: %s", field_text(gate, "name"), wanted);
    snprintf(message, sizeof message, "wanted %s; found %s", wanted, found);
    put_case(stream, "lipaudit.gates", name, 0.0);
    if (json_is_true(holds))
        fputs("/>\n", stream);
    else
        put_outcome(stream, json_is_false(holds) ? "failure" : "error", json_is_false(holds) ? "gate-fails"
                    : "gate-no-verdict", message);
}

static void put_layer(FILE *stream, const json_t *layer)
{
    put_case(stream, "lipaudit.layers", layer_name(layer), seconds(layer, "seconds"));
    if (verdict_of(layer) == LIP_BOUNDED)
        fputs("/>\n", stream);
    else
        put_outcome(stream, "skipped", NULL, field_text(layer, "reason"));
}

typedef struct lip_counts {
    size_t gates, failures, errors, layers, skipped;
} lip_counts;

static lip_counts count_all(const json_t *report)
{
    const json_t *item;
    size_t i;
    lip_counts c = {0};
    json_array_foreach((json_t *)field(report, "gates"), i, item) {
        c.gates++;
        c.failures += json_is_false(field(item, "holds"));
        c.errors += !json_is_boolean(field(item, "holds"));
    }
    json_array_foreach((json_t *)report_layers(report), i, item)
        if (!layer_rearranges(item)) {
            c.layers++;
            c.skipped += verdict_of(item) != LIP_BOUNDED;
        }
    return c;
}

static void put_suite(FILE *stream, const char *name, size_t tests, size_t failures, size_t errors, size_t skipped,
                      double time)
{
    fprintf(stream, "  <testsuite name=\"%s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\""
                    " time=\"%.3f\">\n", name, tests, failures, errors, skipped, time);
}

static bool render(const json_t *report, FILE *stream)
{
    const json_t *item;
    size_t i;
    lip_counts c = count_all(report);
    double total = seconds(report, "timing.total");
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", stream);
    put_attribute(stream, "name", field_text(report, "model.path"));
    fprintf(stream, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n", c.gates + c.layers, c.failures,
            c.errors, total);
    if (c.gates > 0) {
        put_suite(stream, "gates", c.gates, c.failures, c.errors, 0, 0.0);
        json_array_foreach((json_t *)field(report, "gates"), i, item)
            put_gate(stream, item);
        fputs("  </testsuite>\n", stream);
    }
    put_suite(stream, "layers", c.layers, 0, 0, c.skipped, total);
    json_array_foreach((json_t *)report_layers(report), i, item)
        if (!layer_rearranges(item))
            put_layer(stream, item);
    fputs("  </testsuite>\n</testsuites>\n", stream);
    return true;
}

const lip_format format_junit = {"junit", ".xml", render};
