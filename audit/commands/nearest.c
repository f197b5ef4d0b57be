/*
 * nearest.c: "did you mean ...", by the optimal string alignment distance.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nearest.h"

#include <string.h>

#define LONGEST 32

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
    int d[LONGEST + 1][LONGEST + 1];
    int m = (int)strlen(a), n = (int)strlen(b);
    for (int i = 0; i <= m; i++)
        for (int j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            int replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = smaller(replaced, smaller(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[m][n];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    const char *found = NULL;
    int best = strlen(word) <= 3 ? 2 : 3;
    if (strlen(word) > LONGEST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        int edits = strlen(candidates[i]) <= LONGEST ? distance(word, candidates[i]) : best;
        if (edits < best) {
            best = edits;
            found = candidates[i];
        }
    }
    return found;
}
