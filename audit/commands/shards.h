/*
 * shards.h: the reports of a run that was divided by --shard, joined.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SHARDS_H
#define LIP_AUDIT_SHARDS_H

#include "certification.h"

typedef struct lip_shards {
    char **paths;    /* borrowed */
    size_t count;    /* shards that the run was divided into */
    size_t *from;    /* from[i - 1]: which path shard i came from, + 1; 0: not yet */
    json_t *first;   /* the first report, without its rows; becomes the joined one */
    lip_rows rows;
    bool remarked;   /* all shards so far say that all radii are 0 */
} lip_shards;

/*
 * Reads the reports one after the other and checks that they are shards of one run: the same model, data, threat model,
 * arithmetic and version, and each shard once and whole. Refuses with the file and a reason. Free with shards_free in
 * either case.
 */
bool shards_read(lip_shards *shards, char **paths, size_t count, lip_error *error);
void shards_free(lip_shards *shards);

/* The report of the whole run, computed from the rows; NULL without memory. */
json_t *shards_join(lip_shards *shards);

#endif
