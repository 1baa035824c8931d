/* java_random.c - java.util.Random. */
#include "common/base/random.h"

#define JAVA_MULTIPLIER UINT64_C(0x5deece66d)
#define JAVA_MASK ((UINT64_C(1) << 48) - 1)

void java_random_init(struct java_random *random, int64_t seed)
{
    random->state = ((uint64_t)seed ^ JAVA_MULTIPLIER) & JAVA_MASK;
}

int32_t java_random_next_int(struct java_random *random)
{
    random->state = (random->state * JAVA_MULTIPLIER + 0xb) & JAVA_MASK;
    return (int32_t)(uint32_t)(random->state >> 16);
}

void java_random_next_bytes(struct java_random *random, uint8_t *bytes, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 4 == 0)
            value = (uint32_t)java_random_next_int(random);
        bytes[i] = (uint8_t)value;
        value >>= 8;
    }
}
