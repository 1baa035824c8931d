/*
 * Numbers drawn from a seed: the same on every compiler, no floating point. One for the world (scheduler.h), one of its
 * own for each plan.
 */
#ifndef ZKC_TESTS_SIMULATOR_CHANCE_H
#define ZKC_TESTS_SIMULATOR_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;    /* begins as the seed */
};
uint64_t chance_next(struct chance *chance);
uint64_t chance_below(struct chance *chance, uint64_t bound);                  /* [0, bound), bound > 0 */
int64_t chance_between(struct chance *chance, int64_t least, int64_t most);    /* both included */
bool chance_one_in(struct chance *chance, uint64_t n);                         /* never for 0 */

#endif
