/* sim_random.c - common/base/random.h, from the seed of the world. */
#include "common/base/random.h"

#include <string.h>

#include "tests/simulator/scheduler.h"

void random_bytes(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        uint64_t value = sim_random();
        size_t part = size < sizeof(value) ? size : sizeof(value);
        memcpy(at, &value, part);
        at += part;
        size -= part;
    }
}

uint64_t random_uint64(void)
{
    return sim_random();
}

uint64_t random_below(uint64_t bound)
{
    return sim_below(bound);
}

double random_unit(void)
{
    return (double)(sim_random() >> 11) * 0x1p-53;    /* exact: no rounding that compilers could do differently */
}
