/*
 * attacking.c: see attacking.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "attacking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool attacking_check(const lip_attacking *attacking, lip_error *error)
{
    return lip_attack(attacking->model, &attacking->options, &(lip_attack_samples){0}, NULL, NULL, error) == LIP_OK;
}

bool attacking_refutes(const lip_attacking *attacking, const lip_row *row, lip_error *error)
{
    if (row->attacked && row->attack < row->radius)
        snprintf(error->reason, sizeof error->reason,
                 "sample %" PRId64 " has another class at distance %.17g, and a certified radius of %.17g: this must"
                 " not be, and is a fault of lipaudit; please report it", row->index, row->attack, row->radius);
    else if (row->attacked && row->gradient > attacking->steepest_upper)
        snprintf(error->reason, sizeof error->reason,
                 "around sample %" PRId64 " a difference of logits has a gradient of norm %.17g, and a bound of %.17g:"
                 " this must not be, and is a fault of lipaudit; please report it", row->index, row->gradient,
                 attacking->steepest_upper);
    else
        return false;
    error->status = LIP_EINTERNAL;
    return true;
}

static bool take(const lip_attacking *attacking, const lip_attack_result *results, lip_row *rows, size_t count,
                 lip_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!row_is_right(&rows[i]))
            continue;
        rows[i].attacked = true;
        rows[i].attack = results[i].distance;
        rows[i].gradient = results[i].gradient_estimate;
        if (attacking_refutes(attacking, &rows[i], error))
            return false;
    }
    return true;
}

bool attacking_run(const lip_attacking *attacking, const double *samples, lip_row *rows, size_t count,
                   lip_error *error)
{
    lip_attack_result *results = calloc(count + 1, sizeof *results);
    int64_t *classes = calloc(count + 1, sizeof *classes);
    bool done = results && classes;
    if (!done)
        *error = (lip_error){.status = LIP_EMEMORY, .reason = "out of memory for the attacks"};
    for (size_t i = 0; done && i < count; i++)
        classes[i] = row_is_right(&rows[i]) ? rows[i].predicted : -1;
    lip_attack_samples all = {samples, classes, count > 0 ? rows[0].index : 0, count};
    done = done && (count == 0 ||
                    lip_attack(attacking->model, &attacking->options, &all, results, NULL, error) == LIP_OK) &&
           take(attacking, results, rows, count, error);
    free(results);
    free(classes);
    return done;
}
