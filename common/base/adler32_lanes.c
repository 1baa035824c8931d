/*
 * adler32_lanes.c - Adler-32 by vectors of 32 bytes.
 *
 * The lower half of the sum is that of all bytes, the upper half that of all lower halves on the way. A step adds its
 * bytes to the first; to the second it adds 32 times the first as it was, and its bytes times 32, 31, ... 1. The halves
 * are brought below 65521 once in as many steps as their 32 bits hold.
 */
#include "common/base/adler32_lanes.h"

#include <assert.h>

#if defined(__x86_64__)

#include <immintrin.h>

#define NEEDS_AVX2 __attribute__((target("avx2")))
#define STEP ADLER32_LANES_STEP
#define MODULUS 65521u
#define MOST_STEPS ((size_t)5552 / STEP)    /* zlib's NMAX */

bool adler32_lanes_is_there(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

NEEDS_AVX2 static uint32_t total(__m256i lanes)
{
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
    return (uint32_t)_mm_cvtsi128_si32(sum);
}

NEEDS_AVX2 uint32_t adler32_lanes(uint32_t sum, const void *bytes, size_t size)
{
    const __m256i weights = _mm256_setr_epi8(32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14,
                                             13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    const __m256i ones = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    uint32_t low = sum & 0xffff, high = sum >> 16;
    const uint8_t *at = bytes, *end = at + size;
    assert(size % STEP == 0);
    while (at < end) {
        size_t left = (size_t)(end - at) / STEP, steps = left < MOST_STEPS ? left : MOST_STEPS;
        __m256i sums = zero, sums_before = zero, weighted = zero;
        high += low * (uint32_t)(steps * STEP);
        for (size_t i = 0; i < steps; i++, at += STEP) {
            __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)at);
            sums_before = _mm256_add_epi32(sums_before, sums);
            sums = _mm256_add_epi32(sums, _mm256_sad_epu8(next, zero));
            weighted = _mm256_add_epi32(weighted, _mm256_madd_epi16(_mm256_maddubs_epi16(next, weights), ones));
        }
        high = (high + (uint32_t)STEP * total(sums_before) + total(weighted)) % MODULUS;
        low = (low + total(sums)) % MODULUS;
    }
    return high << 16 | low;
}

#else

bool adler32_lanes_is_there(void)
{
    return false;
}

uint32_t adler32_lanes(uint32_t sum, const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    assert(!"not there");
    return sum;
}

#endif
