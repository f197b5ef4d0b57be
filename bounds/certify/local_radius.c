/*
 * local_radius.c: the search for the radius at which some logit could catch up.
 *
 * used(r) = max over j of (fall_j(r) + slope_j r) / left_j grows with r, about as r^p with p between 1 (no neuron
 * crosses its kink) and 2 or 3; r is proved where used(r) < 1. Each step aims at used = 1 through the last two
 * points on logarithmic scales; one that would leave the bracket halves it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "local_radius.h"

#include "rounding.h"

#include <string.h>

enum { MOST_CALLS = 9 };
static const double NEAR = 0.995; /* used, or the bracket's ends, lower / upper, at the end */

lip_status lip_local_ends(const lip_local *local, const lip_error_plan *plan, lip_arena *arena, const size_t **end,
                          lip_error *error)
{
    size_t *value_of = lip_arena_alloc(arena, (int64_t)lip_local_layers(local), sizeof *value_of);
    if (!value_of)
        return lip_fail(error, LIP_EMEMORY, "the bounds around samples pass the memory cap");
    for (size_t k = 0; k < lip_local_layers(local); k++) {
        const lip_value *z = NULL;
        int64_t offset;
        const lip_node *node = lip_local_anchor(local, k, &z, &offset);
        bool found = node == NULL;
        for (size_t i = 0; i < plan->count && !found; i++)
            found = plan->steps[i].node == node && plan->steps[i].branch_count == 1 &&
                    plan->steps[i].branches[0].value == z->index;
        if (!found)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "the rounding error of its input is not known");
        value_of[k] = z ? z->index : plan->input;
    }
    *end = value_of;
    return LIP_OK;
}

lip_status lip_local_tile_open(const lip_local *local, const size_t *end, int64_t tile, int64_t classes,
                               lip_memory *memory, lip_local_tile *out, lip_error *error)
{
    int64_t elements;
    *out = (lip_local_tile) { .local = local, .end = end };
    if (lip_size_mul(tile, lip_local_anchored(local), &elements)) {
        out->z = lip_alloc(memory, elements, sizeof(double));
        out->error = lip_alloc(memory, (int64_t)lip_local_layers(local), sizeof(double));
        out->fall = lip_alloc(memory, classes, sizeof(double));
    }
    if (!out->z || !out->error || !out->fall)
        return lip_fail(error, LIP_EMEMORY, "the bounds around samples pass the memory cap");
    return lip_local_sample_new(local, memory, &out->sample, error);
}

void lip_local_tile_close(lip_local_tile *tile, lip_memory *memory)
{
    lip_local_sample_free(&tile->sample);
    lip_free(memory, tile->z);
    lip_free(memory, tile->error);
    lip_free(memory, tile->fall);
    *tile = (lip_local_tile) { .local = NULL };
}

void lip_local_tile_keep(lip_local_tile *tile, const lip_batch *batch, const lip_node *node, int64_t count)
{
    const int64_t anchored = lip_local_anchored(tile->local);
    for (size_t k = 0; k < lip_local_layers(tile->local); k++) {
        const lip_value *value;
        int64_t offset, elements;
        if (lip_local_anchor(tile->local, k, &value, &offset) != node || !lip_shape_count(&value->shape, &elements))
            continue;
        const double *wide = lip_batch_f64(batch, value);
        const float *narrow = lip_batch_f32(batch, value);
        for (int64_t s = 0; s < count; s++)
            for (int64_t i = 0; i < elements; i++)
                tile->z[s * anchored + offset + i] = wide     ? wide[s * elements + i]
                                                     : narrow ? (double)narrow[s * elements + i]
                                                              : (double)NAN;
    }
}

/* used(r), rounded up. */
static double used(lip_local_tile *tile, const lip_affine *left, int64_t classes, int64_t t, double r)
{
    double most = 0;
    lip_local_falls(tile->sample, r, t, tile->fall);
    for (int64_t j = 0; j < classes; j++)
        if (j != t)
            most = fmax(most, lip_div_up(lip_add_up(tile->fall[j], lip_mul_up(left[j].slope, r)), left[j].at0));
    return most;
}

typedef struct point {
    double r, used; /* r 0: none */
} point;

/* Where used = 1, and a little before, by the power law through the last two points. */
static double aim(point last, point before)
{
    double power = before.r > 0 ? log(last.used / before.used) / log(last.r / before.r) : 1.5;
    if (!(last.used > 0 && isfinite(last.used)))
        return last.used > 0 ? last.r / 2 : 2 * last.r;
    return last.r * pow(last.used, -1 / (power >= 1 && power <= 6 ? power : 1.5)) * 0.999;
}

static bool is_done(point lo, point hi) { return lo.used > NEAR || (hi.r > 0 && lo.r > NEAR * hi.r); }

double lip_local_radius(lip_local_tile *tile, int64_t at, const lip_affine *errors, const lip_affine *left,
                        int64_t classes, int64_t t, double from, double most)
{
    for (size_t k = 0; k < lip_local_layers(tile->local); k++)
        tile->error[k] = errors[tile->end[k]].at0;
    lip_local_sample_set(tile->sample, tile->z + at * lip_local_anchored(tile->local), tile->error);
    point lo = { 0, 0 }, hi = { 0, 0 }, before = { 0, 0 }, next = { fmin(2 * from, most), 0 };
    for (int call = 0; call < MOST_CALLS && next.r > from && !is_done(lo, hi); call++) {
        next.used = used(tile, left, classes, t, next.r);
        if (next.used < 1) {
            lo = next;
        } else {
            hi = next;
            lip_local_keep(tile->sample);
        }
        double r = aim(next, before);
        if (hi.r > 0 && lo.r > 0 && !(r > lo.r && r < hi.r))
            r = sqrt(lo.r * hi.r);
        before = next;
        next.r = fmin(r, most);
        if (lo.r >= most)
            break;
    }
    return lo.r;
}
