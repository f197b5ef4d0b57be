/*
 * sarif.c: SARIF 2.1.0, as GitHub's code scanning takes it: at most 5,000
 * results, each with a file, line 1, the node as its logical location, and a
 * fingerprint that stays the same from run to run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "findings.h"
#include "format.h"
#include "json.h"

#define MOST_RESULTS 5000
#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static json_t *message(const char *text)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "text", json_text(text));
    return json_whole(object, complete);
}

static json_t *rule(const lip_rule_text *text)
{
    bool complete = true;
    json_t *object = json_object(), *configuration = json_object();
    json_put(configuration, &complete, "level", json_text(text->level));
    json_put(object, &complete, "id", json_text(text->id));
    json_put(object, &complete, "shortDescription", message(text->title));
    json_put(object, &complete, "fullDescription", message(text->help));
    json_put(object, &complete, "help", message(text->help));
    json_put(object, &complete, "defaultConfiguration", configuration);
    return json_whole(object, complete);
}

static json_t *tool(const json_t *report)
{
    bool complete = true;
    json_t *driver = json_object(), *rules = json_array(), *object = json_object();
    for (size_t i = 0; i < RULE_COUNT; i++)
        json_push(rules, &complete, rule(&finding_rules[i]));
    json_put(driver, &complete, "name", json_text("lipaudit"));
    json_put(driver, &complete, "version", json_text(field_text(report, "tool.version")));
    json_put(driver, &complete, "rules", rules);
    json_put(object, &complete, "driver", driver);
    return json_whole(object, complete);
}

static json_t *logical_location(const lip_finding_row *row)
{
    bool complete = true;
    json_t *object = json_object(), *array = json_array();
    json_put(object, &complete, "name", json_text(row->node));
    json_put(object, &complete, "fullyQualifiedName",
             json_text(row->module && row->module[0] != '\0' ? row->module : row->node));
    json_put(object, &complete, "kind", json_text("module"));
    json_push(array, &complete, object);
    return json_whole(array, complete);
}

static json_t *location(const lip_finding_row *row, const char *path)
{
    bool complete = true;
    json_t *artifact = json_object(), *region = json_object(), *physical = json_object(), *object = json_object();
    json_put(artifact, &complete, "uri", uri_of(path));
    json_put(region, &complete, "startLine", json_integer(1));
    json_put(physical, &complete, "artifactLocation", artifact);
    json_put(physical, &complete, "region", region);
    json_put(object, &complete, "physicalLocation", physical);
    if (row->node[0] != '\0')
        json_put(object, &complete, "logicalLocations", logical_location(row));
    return json_whole(object, complete);
}

static json_t *result(const lip_finding_row *row, const char *path)
{
    bool complete = true;
    json_t *object = json_object(), *locations = json_array(), *fingerprints = json_object();
    json_push(locations, &complete, location(row, path));
    json_put(fingerprints, &complete, "lipaudit/v1", json_text(row->fingerprint));
    json_put(object, &complete, "ruleId", json_text(finding_rules[row->rule].id));
    json_put(object, &complete, "ruleIndex", json_integer(row->rule));
    json_put(object, &complete, "level", json_text(finding_rules[row->rule].level));
    json_put(object, &complete, "message", message(row->message));
    json_put(object, &complete, "locations", locations);
    json_put(object, &complete, "partialFingerprints", fingerprints);
    return json_whole(object, complete);
}

static json_t *run_of(const json_t *report, const lip_findings *findings)
{
    bool complete = true;
    json_t *run = json_object(), *results = json_array();
    for (size_t i = 0; i < findings->count && i < MOST_RESULTS; i++)
        json_push(results, &complete, result(&findings->row[i], field_text(report, "model.path")));
    json_put(run, &complete, "tool", tool(report));
    json_put(run, &complete, "columnKind", json_text("unicodeCodePoints"));
    json_put(run, &complete, "results", results);
    return json_whole(run, complete);
}

static bool render(const json_t *report, FILE *stream)
{
    lip_findings findings;
    bool complete = findings_of(report, &findings);
    json_t *root = json_object(), *runs = json_array();
    json_push(runs, &complete, run_of(report, &findings));
    json_put(root, &complete, "$schema", json_text(SARIF_SCHEMA));
    json_put(root, &complete, "version", json_text("2.1.0"));
    json_put(root, &complete, "runs", runs);
    findings_free(&findings);
    root = json_whole(root, complete);
    bool written = root && json_write(root, stream);
    json_decref(root);
    return written;
}

const lip_format format_sarif = {"sarif", ".sarif", render};
