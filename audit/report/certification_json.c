/*
 * certification_json.c: the section "certification" of a report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *class_json(int64_t class)
{
    return class < 0 ? json_null() : json_integer(class);
}

json_t *row_json(const lip_row *row)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "index", json_integer(row->index));
    json_put(object, &complete, "label", class_json(row->label));
    json_put(object, &complete, "predicted", class_json(row->predicted));
    json_put(object, &complete, "margin", json_number(row->margin));
    json_put(object, &complete, "radius", json_number(row->radius));
    json_put(object, &complete, "sqrt2", json_number(row->sqrt2));
    json_put(object, &complete, "pairwise", json_number(row->pairwise));
    json_put(object, &complete, "method", json_optional(row->method));
    if (row->around)
        json_put(object, &complete, "local", json_number(row->local));
    if (row->attacked) {
        json_put(object, &complete, "attack", json_number(row->attack));
        json_put(object, &complete, "gradient", json_number(row->gradient));
    }
    return json_whole(object, complete);
}

static bool read_class(const json_t *element, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(element, key);
    *out = json_is_integer(value) ? json_integer_value(value) : -1;
    return json_is_null(value) || (json_is_integer(value) && *out >= 0);
}

static bool read_number(const json_t *element, const char *key, double *out)
{
    const json_t *value = json_object_get(element, key);
    *out = value_number(value);
    return json_is_null(value) || !isnan(*out);
}

bool row_from_json(const json_t *element, lip_row *out)
{
    const json_t *index = json_object_get(element, "index"), *method = json_object_get(element, "method");
    const char *name = json_is_null(method) ? "" : json_string_value(method);
    lip_row row = {0};
    if (!json_is_integer(index) || json_integer_value(index) < 0 || !name || strlen(name) >= sizeof row.method)
        return false;
    row.index = json_integer_value(index);
    memcpy(row.method, name, strlen(name));
    if (!read_class(element, "label", &row.label) || !read_class(element, "predicted", &row.predicted) ||
        !read_number(element, "margin", &row.margin) || !read_number(element, "radius", &row.radius) ||
        !read_number(element, "sqrt2", &row.sqrt2) || !read_number(element, "pairwise", &row.pairwise))
        return false;
    row.around = json_object_get(element, "local") != NULL;
    if (row.around && !read_number(element, "local", &row.local))
        return false;
    row.attacked = json_object_get(element, "attack") != NULL;
    if (row.attacked && (!read_number(element, "attack", &row.attack) ||
                         !read_number(element, "gradient", &row.gradient)))
        return false;
    *out = row;
    return true;
}

typedef double lip_row_value(const lip_row *row);

/* A radius of 0 promises nothing, so it stands for what is not a number. */
static double radius_value(const lip_row *row) { return row->radius > 0.0 ? row->radius : 0.0; }
static double sqrt2_value(const lip_row *row) { return row->sqrt2 > 0.0 ? row->sqrt2 : 0.0; }
static double pairwise_value(const lip_row *row) { return row->pairwise > 0.0 ? row->pairwise : 0.0; }
static double local_value(const lip_row *row) { return row->around && row->local > 0.0 ? row->local : 0.0; }

static json_t *quantiles_json(const lip_rows *rows, lip_row_value *value)
{
    double *values = rows->count > 0 ? calloc(rows->count, sizeof *values) : NULL;
    if (!values)
        return rows->count > 0 ? NULL : json_null();
    for (size_t i = 0; i < rows->count; i++)
        values[i] = value(&rows->row[i]);
    lip_quantiles q = quantiles_of(values, rows->count);
    free(values);
    const struct { const char *name; double value; } entry[] = {
        {"min", q.min}, {"q10", q.q10}, {"q25", q.q25}, {"median", q.median},
        {"q75", q.q75}, {"q90", q.q90}, {"max", q.max}, {"mean", q.mean},
    };
    bool complete = true;
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof entry / sizeof *entry; i++)
        json_put(object, &complete, entry[i].name, json_number(entry[i].value));
    return json_whole(object, complete);
}

/* A radius r holds for every change of norm < r: certified at eps, which includes changes of norm eps, is r > eps. The
 * double eps may lie below the number that was asked for, as 8/255; the next one does not. */
static json_t *certified_at(const lip_rows *rows, const lip_epsilon *epsilon)
{
    bool complete = true;
    size_t certified = 0;
    double most = nextafter(epsilon->value, INFINITY);
    for (size_t i = 0; i < rows->count; i++)
        certified += row_is_right(&rows->row[i]) && rows->row[i].radius > most;
    json_t *object = json_object();
    json_put(object, &complete, "eps", json_number(epsilon->value));
    json_put(object, &complete, "text", json_text(epsilon->text));
    json_put(object, &complete, "count", json_count(certified));
    json_put(object, &complete, "value",
             rows->count > 0 ? json_real((double)certified / (double)rows->count) : json_null());
    return json_whole(object, complete);
}

static json_t *certified_accuracy(const lip_certification *c)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < c->epsilon_count; i++)
        json_push(array, &complete, certified_at(&c->rows, &c->epsilon[i]));
    return json_whole(array, complete);
}

/* Of the samples that are right, those of least radius; the first of equal ones. */
static json_t *weakest(const lip_rows *rows)
{
    bool complete = true;
    const lip_row *found[CERTIFICATION_WEAKEST];
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const lip_row *row = &rows->row[i];
        bool full = count == CERTIFICATION_WEAKEST;
        if (!row_is_right(row) || (full && radius_value(row) >= radius_value(found[count - 1])))
            continue;
        size_t at = full ? count - 1 : count++;
        for (; at > 0 && radius_value(found[at - 1]) > radius_value(row); at--)
            found[at] = found[at - 1];
        found[at] = row;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(array, &complete, row_json(found[i]));
    return json_whole(array, complete);
}

static json_t *per_sample(const lip_certification *c, bool rows)
{
    bool complete = true;
    if (!rows || c->rows_apart)
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < c->rows.count; i++)
        json_push(array, &complete, row_json(&c->rows.row[i]));
    return json_whole(array, complete);
}

static json_t *shard_json(lip_shard shard)
{
    bool complete = true;
    if (shard.count == 0)
        return json_null();
    json_t *object = json_object();
    json_put(object, &complete, "index", json_integer(shard.index));
    json_put(object, &complete, "count", json_integer(shard.count));
    return json_whole(object, complete);
}

static void put_counts(json_t *object, bool *complete, const lip_certification *c)
{
    size_t right = 0, certified = 0, total = c->rows.count;
    for (size_t i = 0; i < total; i++) {
        right += row_is_right(&c->rows.row[i]);
        certified += c->rows.row[i].radius > 0.0;
    }
    json_put(object, complete, "samples", json_count(total));
    json_put(object, complete, "right", c->labelled ? json_count(right) : json_null());
    json_put(object, complete, "accuracy",
             c->labelled && total > 0 ? json_real((double)right / (double)total) : json_null());
    json_put(object, complete, "certified", json_count(certified));
}

json_t *certification_json(const lip_certification *c, bool rows)
{
    bool complete = true;
    json_t *object = json_object();
    put_counts(object, &complete, c);
    json_put(object, &complete, "radius", quantiles_json(&c->rows, radius_value));
    json_put(object, &complete, "sqrt2", quantiles_json(&c->rows, sqrt2_value));
    json_put(object, &complete, "pairwise", c->pairwise ? quantiles_json(&c->rows, pairwise_value) : json_null());
    json_put(object, &complete, "local", c->local ? quantiles_json(&c->rows, local_value) : json_null());
    json_put(object, &complete, "local_reason", json_optional(c->local_reason));
    json_put(object, &complete, "certified_accuracy", certified_accuracy(c));
    json_put(object, &complete, "weakest", weakest(&c->rows));
    json_put(object, &complete, "deployed", json_text(c->deployed));
    json_put(object, &complete, "remark", json_optional(c->remark));
    json_put(object, &complete, "partial", json_boolean(c->partial));
    json_put(object, &complete, "shard", shard_json(c->shard));
    json_put(object, &complete, "data", c->data ? json_deep_copy(c->data) : json_null());
    json_put(object, &complete, "per_sample", per_sample(c, rows));
    return json_whole(object, complete);
}
