/*
 * findings.c: what is wrong with a network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "findings.h"
#include "comparison_words.h"
#include "gates_words.h"
#include "layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const lip_rule_text finding_rules[RULE_COUNT] = {
    [RULE_GATE_FAILS] = {"gate-fails", "error", "A gate of lipaudit check fails",
                         "The model does not meet a condition that the project's policy or command line names."},
    [RULE_GATE_NO_VERDICT] = {"gate-no-verdict", "error", "A gate of lipaudit check has no verdict",
                              "What the gate asks for could not be measured, which is never taken for success."},
    [RULE_UNBOUNDED] = {"unbounded-node", "warning", "No finite Lipschitz constant",
                        "The node has no finite Lipschitz constant on its whole domain, so the network has none."},
    [RULE_UNKNOWN] = {"unknown-node", "warning", "The node's gain is not known",
                      "The node's operator, or what it computes, is not supported; nothing is proved about it."},
    [RULE_REGRESSED] = {"regressed", "warning", "The layer's gain is proved to have grown",
                        "The new proved lower bound of the layer's gain is above the baseline's upper bound."},
    [RULE_LOOSER] = {"looser", "note", "The bound of the layer's gain has grown",
                     "The proved upper bound is above the baseline's; that the gain itself grew is not proved."},
};

typedef struct lip_collector {
    lip_findings *out;
    size_t room;
    bool complete;
} lip_collector;

static void fingerprint(lip_finding_row *row)
{
    lip_digest digest;
    const char *part[] = {finding_rules[row->rule].id, row->subject, row->node};
    lip_digest_begin(&digest);
    for (size_t i = 0; i < 3; i++)
        lip_digest_add(&digest, part[i], strlen(part[i]) + 1);
    lip_digest_end(&digest, row->fingerprint);
}

static lip_finding_row *add(lip_collector *c, lip_rule_id rule, const char *subject, const json_t *node)
{
    lip_findings *f = c->out;
    if (f->count == c->room) {
        size_t room = c->room > 0 ? 2 * c->room : 16;
        lip_finding_row *grown = realloc(f->row, room * sizeof *grown);
        if (!grown) {
            c->complete = false;
            return NULL;
        }
        f->row = grown;
        c->room = room;
    }
    lip_finding_row *row = &f->row[f->count];
    *row = (lip_finding_row){.rule = rule, .subject = subject, .order = f->count};
    row->node = field_text(node, "name");
    row->module = field_text(node, "module");
    f->count++;
    return row;
}

static void add_gate(lip_collector *c, const json_t *gate)
{
    const json_t *holds = field(gate, "holds");
    char wanted[400], found[500];
    if (json_is_true(holds))
        return;
    lip_finding_row *row = add(c, json_is_false(holds) ? RULE_GATE_FAILS : RULE_GATE_NO_VERDICT,
                               field_text(gate, "name"), NULL);
    if (!row)
        return;
    row->node = field_text(gate, "node");
    row->module = field_text(gate, "module");
    double excess = field_number(gate, "found") / field_number(gate, "wanted");
    row->weight = isnan(excess) ? HUGE_VAL : excess > 1.0 ? excess : 1.0 / excess;
    gate_wanted(gate, wanted, sizeof wanted);
    gate_found(gate, found, sizeof found);
    snprintf(row->message, sizeof row->message, "%s: wanted %s; found %s", field_text(gate, "name"), wanted, found);
    fingerprint(row);
}

static void add_layer(lip_collector *c, const json_t *layer)
{
    lip_verdict verdict = verdict_of(layer);
    if (verdict == LIP_BOUNDED)
        return;
    lip_finding_row *row = add(c, verdict == LIP_UNBOUNDED ? RULE_UNBOUNDED : RULE_UNKNOWN, "", layer);
    if (!row)
        return;
    snprintf(row->message, sizeof row->message, "%s: node '%.200s' (%.100s): %.500s", verdict_alarm(verdict),
             row->node, field_text(layer, "op"), field_text(layer, "reason"));
    fingerprint(row);
}

static void add_pair(lip_collector *c, const json_t *report, const json_t *pair)
{
    const json_t *layer = pair_layer(report, pair);
    const char *change = field_text(pair, "change");
    bool regressed = strcmp(change, "regressed") == 0;
    if (!layer || (!regressed && strcmp(change, "looser") != 0))
        return;
    lip_finding_row *row = add(c, regressed ? RULE_REGRESSED : RULE_LOOSER, "", layer);
    if (!row)
        return;
    row->weight = field_number(pair, "ratio");
    row->weight = isnan(row->weight) ? HUGE_VAL : row->weight;
    snprintf(row->message, sizeof row->message, "gain of '%.200s' (%.100s) is at most %s; the baseline's was %s: %s",
             row->node, field_text(layer, "op"), number_upper(field_number(layer, "gain.upper"), 6).text,
             number_upper(field_number(pair, "baseline.gain.upper"), 6).text, change);
    fingerprint(row);
}

/* Rules in the order of the list, then the heavier first, then as they came. */
static int worse_first(const void *a, const void *b)
{
    const lip_finding_row *x = a, *y = b;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

bool findings_of(const json_t *report, lip_findings *out)
{
    const json_t *item;
    size_t i;
    lip_collector c = {.out = out, .complete = true};
    *out = (lip_findings){0};
    json_array_foreach((json_t *)field(report, "gates"), i, item)
        add_gate(&c, item);
    json_array_foreach((json_t *)report_layers(report), i, item)
        add_layer(&c, item);
    json_array_foreach((json_t *)field(report, "comparison.layers"), i, item)
        add_pair(&c, report, item);
    if (out->count > 1)
        qsort(out->row, out->count, sizeof *out->row, worse_first);
    return c.complete;
}

void findings_free(lip_findings *findings)
{
    free(findings->row);
    *findings = (lip_findings){0};
}

json_t *uri_of(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t length = strlen(path), at = 0;
    char *text = length < ((size_t)-1 - 16) / 3 ? malloc(3 * length + 16) : NULL;
    if (!text)
        return NULL;
    if (path[0] == '/')
        at = (size_t)sprintf(text, "file://");
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    for (; *path != '\0'; path++)
        if (strchr(plain, *path))
            text[at++] = *path;
        else
            at += (size_t)sprintf(text + at, "%%%02X", (unsigned)(unsigned char)*path);
    text[at] = '\0';
    json_t *uri = json_string(text);
    free(text);
    return uri;
}
