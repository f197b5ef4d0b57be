/*
 * random.h: the pseudo-random numbers behind starting vectors. One generator
 * per layer, seeded by (seed, layer), so that results do not depend on threads.
 * splitmix64 [Steele, Lea & Flood 2014].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_RANDOM_H
#define LIP_BOUNDS_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct lip_random {
    uint64_t state;
} lip_random;

static inline uint64_t lip_random_bits(lip_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline lip_random lip_random_seed(uint64_t seed, uint64_t stream)
{
    lip_random random = { seed };
    random.state = lip_random_bits(&random) ^ (stream * UINT64_C(0xd1342543de82ef95));
    return random;
}

/* Uniform in (0, 1). */
static inline double lip_random_uniform(lip_random *random)
{
    return ((double)(lip_random_bits(random) >> 11) + 0.5) * 0x1p-53;
}

/* Standard normal [Box & Muller 1958]. */
static inline double lip_random_normal(lip_random *random)
{
    double radius = sqrt(-2 * log(lip_random_uniform(random)));
    return radius * cos(6.283185307179586 * lip_random_uniform(random));
}

#endif
