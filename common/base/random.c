/*
 * random.c - randomness from the kernel, or repeatable in tests.
 *
 * The repeatable source is SplitMix64, whose state is a counter, so that threads share it without a lock.
 */
#include "common/base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define COUNTER_STEP UINT64_C(0x9e3779b97f4a7c15)

static _Atomic bool is_seeded;
static _Atomic uint64_t counter;

static uint64_t next_of_seed(void)
{
    uint64_t value = atomic_fetch_add(&counter, COUNTER_STEP) + COUNTER_STEP;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static void fill_from_seed(uint8_t *bytes, size_t size)
{
    while (size > 0) {
        uint64_t value = next_of_seed();
        size_t part = size < sizeof(value) ? size : sizeof(value);
        memcpy(bytes, &value, part);
        bytes += part;
        size -= part;
    }
}

static void fill_from_kernel(uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            perror("no randomness from the kernel");
            abort();
        }
        bytes += got;
        size -= (size_t)got;
    }
}

void random_bytes(void *bytes, size_t size)
{
    if (atomic_load(&is_seeded))
        fill_from_seed(bytes, size);
    else
        fill_from_kernel(bytes, size);
}

uint64_t random_uint64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value;
}

uint64_t random_below(uint64_t bound)
{
    assert(bound > 0);
    uint64_t unfair = -bound % bound;    /* 2^64 mod bound: so many of the lowest values would come once too often */
    uint64_t value;
    do {
        value = random_uint64();
    } while (value < unfair);
    return value % bound;
}

double random_unit(void)
{
    return (double)(random_uint64() >> 11) * 0x1p-53;
}

void random_seed(uint64_t seed)
{
    atomic_store(&counter, seed);
    atomic_store(&is_seeded, true);
}
