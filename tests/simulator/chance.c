/* chance.c - SplitMix64. */
#include "tests/simulator/chance.h"

#include <assert.h>

uint64_t chance_next(struct chance *chance)
{
    chance->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = chance->state;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t chance_below(struct chance *chance, uint64_t bound)
{
    assert(bound > 0);
    return chance_next(chance) % bound;    /* the unfairness is too small to matter here */
}

int64_t chance_between(struct chance *chance, int64_t least, int64_t most)
{
    assert(least <= most);
    return least + (int64_t)chance_below(chance, (uint64_t)(most - least) + 1);
}

bool chance_one_in(struct chance *chance, uint64_t n)
{
    return n > 0 && chance_below(chance, n) == 0;
}
