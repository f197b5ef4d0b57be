/*
 * certification.h: what `certify` and `merge` found out about a set of
 * samples, and the numbers that are reported of it. All of them are computed
 * from the rows of the single samples, so that shards, merged, give the very
 * report of one run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_CERTIFICATION_H
#define LIP_AUDIT_CERTIFICATION_H

#include "json.h"

#define CERTIFICATION_WEAKEST 10 /* samples listed */

/* One sample. A row is all that is kept of it. */
typedef struct lip_row {
    int64_t index;     /* in the data, from 0 */
    int64_t label;     /* -1: none was given */
    int64_t predicted; /* -1: the enclosed logits do not single one out */
    double margin, radius, sqrt2, pairwise; /* as in lip_certificate; pairwise NaN: no such bounds */
    char method[16];
    bool attacked;           /* by --attack; then: */
    double attack, gradient; /* as distance and gradient_estimate in lip_attack_result */
    bool around;             /* by --local; then: */
    double local;            /* as local_radius in lip_certificate */
} lip_row;

typedef struct lip_rows {
    lip_row *row;
    size_t count, room;
} lip_rows;

bool rows_push(lip_rows *rows, const lip_row *row); /* false: out of memory */
void rows_free(lip_rows *rows);
void rows_sort(lip_rows *rows); /* by index */

/* Is the class predicted, and that of the label if there is one? */
bool row_is_right(const lip_row *row);

/* A radius to report the certified accuracy at, as it was asked for: "8/255". */
typedef struct lip_epsilon {
    double value;
    char text[32];
} lip_epsilon;

/* What part of the samples a run was given: the i-th of n contiguous ones; n = 0: all. */
typedef struct lip_shard {
    int64_t index, count; /* 1 <= index <= count */
} lip_shard;

/* Samples [*first, *first + *count) of `total` are the shard's: those from floor((index - 1) total / count) to before
 * floor(index total / count). The shards are disjoint, cover all and differ by at most one sample. */
void shard_range(lip_shard shard, int64_t total, int64_t *first, int64_t *count);

/* Order statistics over all samples: a quantile q is the radius of a sample, the largest r such that at least a share
 * of 1 - q of them has a radius >= r. The mean is rounded down. */
typedef struct lip_quantiles {
    double min, q10, q25, median, q75, q90, max, mean;
} lip_quantiles;

/* values[count], count > 0, in any order: they are sorted. */
lip_quantiles quantiles_of(double *values, size_t count);

const char *deployed_text(lip_deployed deployed); /* "float32" */

/* Everything in the report's section "certification". Strings and arrays are borrowed. */
typedef struct lip_certification {
    lip_rows rows;         /* sorted by index */
    bool labelled;         /* the samples have labels */
    bool pairwise;         /* there are pairwise bounds */
    bool local;            /* there are bounds around samples */
    const char *local_reason; /* lip_certifier_local_reason */
    bool partial;          /* ended before all samples were done */
    bool rows_apart;       /* --per-sample: the rows are in a file of their own */
    const char *deployed;  /* "float32" */
    const char *remark;    /* lip_certifier_remark */
    const lip_epsilon *epsilon;
    size_t epsilon_count;
    lip_shard shard;
    const json_t *data;    /* the object "data": which samples */
} lip_certification;

/* The section; NULL without memory. `rows`: with "per_sample", otherwise that is null. */
json_t *certification_json(const lip_certification *certification, bool rows);

/* One element of "per_sample", and back. False: it is not one. */
json_t *row_json(const lip_row *row);
bool row_from_json(const json_t *element, lip_row *row);

/* The section of a report as a person reads it: sentences and small tables; nothing if the report has none. */
void certification_text(const json_t *report, FILE *stream);
void certification_markdown(const json_t *report, FILE *stream);

/* Columns that not every run has: `local`; `attack` and `gradient`. */
typedef struct lip_row_columns {
    bool local, attack;
} lip_row_columns;

/* One line a sample, RFC 4180, with 17 significant digits: all rows of the report, and one by one. */
void certification_csv(const json_t *report, FILE *stream);
void rows_csv_title(lip_row_columns columns, FILE *stream);
void rows_csv_line(const lip_row *row, lip_row_columns columns, FILE *stream);

#endif
