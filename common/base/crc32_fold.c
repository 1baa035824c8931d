/*
 * crc32_fold.c - CRC-32 by carry-less multiplication.
 *
 * After "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), with its constants
 * for the polynomial of zlib, bits reflected. The sum so far is added to the first four bytes; 128 bits are folded into
 * the 16 bytes behind them until fewer are left. Of the sum and these few together, the last 16 bytes are the last step
 * and what stands before them is folded into it. What remains is folded to 64 bits and reduced after Barrett to 32.
 * zlib goes byte by byte through what is shorter than 47 bytes, which is most of what node digests are made of.
 */
#include "common/base/crc32_fold.h"

#include <assert.h>

#if defined(__x86_64__)

#include <immintrin.h>

#define NEEDS_PCLMUL __attribute__((target("pclmul,sse4.1")))

bool crc32_fold_is_there(void)
{
    return __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

NEEDS_PCLMUL static __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* `so_far` times x^128, added to `next`. */
NEEDS_PCLMUL static __m128i fold(__m128i so_far, __m128i next)
{
    const __m128i k3_k4 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    __m128i low = _mm_clmulepi64_si128(so_far, k3_k4, 0x00);
    __m128i high = _mm_clmulepi64_si128(so_far, k3_k4, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* The whole steps are folded into `so_far`; 1 to 15 bytes are left, and `last` are the 16 that end with them. */
NEEDS_PCLMUL static __m128i fold_rest(__m128i so_far, __m128i last, size_t left)
{
    /* From byte n on, a choice of bytes that moves them 16 - n places up; from 16 + n on, n places down. */
    static const uint8_t moves[3 * CRC32_FOLD_STEP] = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    };
    __m128i down = load(moves + CRC32_FOLD_STEP + left);
    __m128i before = _mm_shuffle_epi8(so_far, load(moves + left));
    __m128i next = _mm_blendv_epi8(_mm_shuffle_epi8(so_far, down), last, down);    /* where nothing moved to */
    return fold(before, next);
}

NEEDS_PCLMUL static uint32_t reduce(__m128i sum)
{
    const __m128i k3_k4 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    const __m128i k5 = _mm_set_epi64x(0, 0x0163cd6124);
    const __m128i polynomial = _mm_set_epi64x(0x01f7011641, 0x01db710641);
    const __m128i low_words = _mm_setr_epi32(~0, 0, ~0, 0);
    sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, k3_k4, 0x10));
    sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), k5, 0x00));
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), polynomial, 0x10);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_words), polynomial, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, product), 1);
}

NEEDS_PCLMUL uint32_t crc32_fold(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = at + size;
    assert(size >= CRC32_FOLD_STEP);
    __m128i so_far = _mm_xor_si128(load(at), _mm_cvtsi32_si128((int)~sum));
    for (at += CRC32_FOLD_STEP; end - at >= (ptrdiff_t)CRC32_FOLD_STEP; at += CRC32_FOLD_STEP)
        so_far = fold(so_far, load(at));
    if (at < end)
        so_far = fold_rest(so_far, load(end - CRC32_FOLD_STEP), (size_t)(end - at));
    return ~reduce(so_far);
}

#else

bool crc32_fold_is_there(void)
{
    return false;
}

uint32_t crc32_fold(uint32_t sum, const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    assert(!"not there");
    return sum;
}

#endif
