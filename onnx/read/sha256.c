/*
 * sha256.c: SHA-256 as in FIPS 180-4, sections 4.1.2, 4.2.2 and 6.2.
 *
 * The tables are the first 32 bits of the fractional parts of the square
 * roots (initial state) and cube roots (rounds) of the first primes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sha256.h"

#include <stdint.h>
#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

/* One round with the words a to h at s[first], s[first + 1], ... (modulo 8): they stay, the names move on. */
static inline void one_round(uint32_t s[8], int first, uint32_t input)
{
    uint32_t a = s[first], b = s[(first + 1) & 7], c = s[(first + 2) & 7];
    uint32_t e = s[(first + 4) & 7], f = s[(first + 5) & 7], g = s[(first + 6) & 7];
    uint32_t big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25), choice = (e & f) ^ (~e & g);
    uint32_t big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22), majority = (a & b) ^ (a & c) ^ (b & c);
    uint32_t t1 = s[(first + 7) & 7] + big1 + choice + input;
    s[(first + 3) & 7] += t1;
    s[(first + 7) & 7] = t1 + big0 + majority;
}

static void absorb(uint32_t state[8], const uint8_t block[64])
{
    uint32_t w[64], s[8];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + w[t - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int t = 0; t < 64; t += 8) /* eight rounds, and every word is in its place again */
        for (int i = 0; i < 8; i++)
            one_round(s, (8 - i) & 7, round_constants[t + i] + w[t + i]);
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void lip_digest_begin(lip_digest *digest)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *digest = (lip_digest){.size = 0};
    memcpy(digest->state, initial, sizeof initial);
}

void lip_digest_add(lip_digest *digest, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t used = digest->size % sizeof digest->rest, left = size;
    digest->size += size;
    if (used) {
        size_t step = left < sizeof digest->rest - used ? left : sizeof digest->rest - used;
        memcpy(digest->rest + used, at, step);
        if (used + step < sizeof digest->rest)
            return;
        absorb(digest->state, digest->rest);
        at += step;
        left -= step;
    }
    for (; left >= sizeof digest->rest; at += sizeof digest->rest, left -= sizeof digest->rest)
        absorb(digest->state, at);
    if (left)
        memcpy(digest->rest, at, left);
}

void lip_digest_end(lip_digest *digest, char text[65])
{
    uint8_t last[128] = {0x80}; /* what pads the message to a multiple of 64 bytes: 0x80, zeros, its length in bits */
    size_t used = digest->size % 64, padding = (used < 56 ? 64 : 128) - used;
    for (size_t i = 0; i < 8; i++)
        last[padding - 1 - i] = (uint8_t)(digest->size << 3 >> (8 * i));
    lip_digest_add(digest, last, padding);
    for (int i = 0; i < 64; i++)
        text[i] = "0123456789abcdef"[digest->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    text[64] = '\0';
}

void lip_sha256(const void *bytes, size_t size, char text[65])
{
    lip_digest digest;
    lip_digest_begin(&digest);
    lip_digest_add(&digest, bytes, size);
    lip_digest_end(&digest, text);
}
