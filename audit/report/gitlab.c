/*
 * gitlab.c: GitLab's code quality report: an array of issues.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "findings.h"
#include "format.h"
#include "json.h"

#include <string.h>

/* GitLab wants a path from the repository's root: no "./", and no "/" in front. */
static json_t *location(const char *path)
{
    bool complete = true;
    json_t *object = json_object(), *lines = json_object();
    path += strspn(path, "/");
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    json_put(lines, &complete, "begin", json_integer(1));
    json_put(object, &complete, "path", json_text(path));
    json_put(object, &complete, "lines", lines);
    return json_whole(object, complete);
}

static const char *severity_of(lip_rule_id rule)
{
    const char *level = finding_rules[rule].level;
    return strcmp(level, "error") == 0 ? "critical" : strcmp(level, "warning") == 0 ? "major" : "minor";
}

static json_t *issue(const lip_finding_row *row, const char *path)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "description", json_text(row->message));
    json_put(object, &complete, "check_name", json_text(finding_rules[row->rule].id));
    json_put(object, &complete, "fingerprint", json_text(row->fingerprint));
    json_put(object, &complete, "severity", json_text(severity_of(row->rule)));
    json_put(object, &complete, "location", location(path));
    return json_whole(object, complete);
}

static bool render(const json_t *report, FILE *stream)
{
    lip_findings findings;
    bool complete = findings_of(report, &findings);
    json_t *root = json_array();
    for (size_t i = 0; i < findings.count; i++)
        json_push(root, &complete, issue(&findings.row[i], field_text(report, "model.path")));
    findings_free(&findings);
    root = json_whole(root, complete);
    bool written = root && json_write(root, stream);
    json_decref(root);
    return written;
}

const lip_format format_gitlab = {"gitlab", ".json", render};
