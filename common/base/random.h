/* Randomness: from the kernel, or repeatable in tests. Any thread. */
#ifndef ZKC_COMMON_BASE_RANDOM_H
#define ZKC_COMMON_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *bytes, size_t size);
uint64_t random_uint64(void);

/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(uint64_t bound);

/* Uniform in [0, 1). */
double random_unit(void);

/* Tests: repeatable from now on, for the whole process. */
void random_seed(uint64_t seed);

/*
 * java.util.Random, bit for bit: session passwords are made with it, in both servers alike. Not a source of secrets.
 */
struct java_random {
    uint64_t state;
};
void java_random_init(struct java_random *random, int64_t seed);
int32_t java_random_next_int(struct java_random *random);
void java_random_next_bytes(struct java_random *random, uint8_t *bytes, size_t size);

#endif
