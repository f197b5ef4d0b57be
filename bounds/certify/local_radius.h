/*
 * local_radius.h: radii from bounds around the sample itself (bounds/local).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LOCAL_RADIUS_H
#define LIP_BOUNDS_LOCAL_RADIUS_H

#include "batch.h"
#include "error_plan.h"
#include "local/local.h"

/* One thread's: the neurons of a tile's samples, and room for the bounds of one. */
typedef struct lip_local_tile {
    const lip_local *local;
    const size_t *end;        /* per layer of it: the value in the error plan */
    lip_local_sample *sample;
    double *z;                /* [tile][lip_local_anchored] */
    double *error, *fall;     /* per layer, per class */
} lip_local_tile;

/* `end` as above, in the arena; LIP_EUNSUPPORTED where a neuron's input has no error bound of its own. */
lip_status lip_local_ends(const lip_local *local, const lip_error_plan *plan, lip_arena *arena, const size_t **end,
                          lip_error *error);

lip_status lip_local_tile_open(const lip_local *local, const size_t *end, int64_t tile, int64_t classes,
                               lip_memory *memory, lip_local_tile *out, lip_error *error);
void lip_local_tile_close(lip_local_tile *tile, lip_memory *memory);

/* For a lip_batch_visit: keeps the node's input where it is wanted. */
void lip_local_tile_keep(lip_local_tile *tile, const lip_batch *batch, const lip_node *node, int64_t count);

/*
 * The largest radius found below `most` such that left[j].at0 - left[j].slope r - the fall of f_t - f_j stays > 0 for
 * all j != t and all smaller r. `errors`, per value: of the values kept. `from`: a radius proved otherwise,
 * where the search begins; 0 if it finds none that is larger. Cost: about 6 calls of lip_local_falls.
 */
double lip_local_radius(lip_local_tile *tile, int64_t at, const lip_affine *errors, const lip_affine *left,
                        int64_t classes, int64_t t, double from, double most);

#endif
