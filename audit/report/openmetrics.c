/*
 * openmetrics.c: gauges for Prometheus and what reads its exposition format.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "layers.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

static void put_label(FILE *stream, const char *text)
{
    char character[5];
    fputc('"', stream);
    while (*text != '\0') {
        size_t size = utf8_size(text);
        size = size > 0 ? size : 1;
        memcpy(character, text, size);
        character[size] = '\0';
        if (*text == '\\' || *text == '"')
            fputc('\\', stream);
        utf8_print(stream, character);
        text += size;
    }
    fputc('"', stream);
}

static void put_value(FILE *stream, double value)
{
    fprintf(stream, "} %s\n", isnan(value) ? "NaN" : isinf(value) ? value > 0 ? "+Inf" : "-Inf"
                              : number_nearest(value, NUMBER_DIGITS).text);
}

static void put_family(FILE *stream, const char *name, const char *help)
{
    fprintf(stream, "# TYPE %s gauge\n# HELP %s %s\n", name, name, help);
}

static void put_model(FILE *stream, const json_t *report, const char *name)
{
    fprintf(stream, "%s{model=", name);
    put_label(stream, field_text(report, "model.path"));
}

static void put_network(FILE *stream, const json_t *report, const char *name, const char *help, const char *path)
{
    double value = field_number(report, path);
    if (isnan(value))
        return;
    put_family(stream, name, help);
    put_model(stream, report, name);
    put_value(stream, value);
}

static void put_layers(FILE *stream, const json_t *report, const char *name, const char *help, const char *path)
{
    const json_t *layer;
    size_t i;
    put_family(stream, name, help);
    json_array_foreach((json_t *)report_layers(report), i, layer) {
        double value = field_number(layer, path);
        if (layer_rearranges(layer) || isnan(value))
            continue;
        put_model(stream, report, name);
        fprintf(stream, ",index=\"%zu\",layer=", i);
        put_label(stream, layer_name(layer));
        put_value(stream, value);
    }
}

static void put_accuracy(FILE *stream, const json_t *report)
{
    const json_t *entry, *list = field(report, "certification.certified_accuracy");
    size_t i;
    if (json_array_size(list) == 0)
        return;
    put_family(stream, "lipaudit_certified_accuracy_ratio",
               "Share of all samples that are right and certified at that radius.");
    json_array_foreach((json_t *)list, i, entry) {
        put_model(stream, report, "lipaudit_certified_accuracy_ratio");
        fprintf(stream, ",epsilon=\"%s\"", number_nearest(field_number(entry, "eps"), NUMBER_DIGITS).text);
        put_value(stream, field_number(entry, "value"));
    }
}

static void put_gates(FILE *stream, const json_t *report)
{
    const json_t *gate, *list = field(report, "gates");
    size_t i;
    if (json_array_size(list) == 0)
        return;
    put_family(stream, "lipaudit_gate_holds", "1: the gate holds; 0: it fails; NaN: no verdict.");
    json_array_foreach((json_t *)list, i, gate) {
        const json_t *holds = field(gate, "holds");
        put_model(stream, report, "lipaudit_gate_holds");
        fprintf(stream, ",index=\"%zu\",gate=", i);
        put_label(stream, field_text(gate, "name"));
        put_value(stream, json_is_boolean(holds) ? json_is_true(holds) : NAN);
    }
}

static bool render(const json_t *report, FILE *stream)
{
    put_network(stream, report, "lipaudit_lipschitz_upper", "Proved upper bound of the Lipschitz constant.",
                "network.lipschitz.upper");
    put_network(stream, report, "lipaudit_pairwise_upper",
                "Proved bound of the Lipschitz constant of the difference of any two logits.",
                "network.pairwise_max_upper");
    put_network(stream, report, "lipaudit_power_iteration_product", "Product of the power iterations, not proved.",
                "network.power_iteration_product");
    put_layers(stream, report, "lipaudit_layer_gain_upper", "Proved upper bound of the gain of a layer.", "gain.upper");
    put_layers(stream, report, "lipaudit_layer_gain_lower", "Proved lower bound of the gain of a layer.", "gain.lower");
    put_network(stream, report, "lipaudit_certified_radius_median", "Median certified L2 radius.",
                "certification.radius.median");
    put_network(stream, report, "lipaudit_accuracy_ratio", "Share of the samples that are classified rightly.",
                "certification.accuracy");
    put_accuracy(stream, report);
    put_gates(stream, report);
    put_network(stream, report, "lipaudit_audit_duration_seconds", "How long the run took.", "timing.total");
    fputs("# EOF\n", stream);
    return true;
}

const lip_format format_openmetrics = {"openmetrics", ".prom", render};
