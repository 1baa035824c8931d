/* bench_value.c - node, stamp, and a stretch of one long pattern that begins where the stamp says. */
#include "client/bench/bench_value.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/wire/jute.h"

#define HEAD_SIZE 8
#define SHIFTS 256    /* places in the pattern where a value may begin */

uint8_t *bench_value_pattern_new(size_t most)
{
    uint8_t *pattern = memory_alloc(most + SHIFTS);
    uint32_t state = 2463534242;
    for (size_t i = 0; i < most + SHIFTS; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pattern[i] = (uint8_t)('a' + state % 26);
    }
    return pattern;
}

void bench_value_write(const uint8_t *pattern, uint32_t node, uint32_t stamp, uint8_t *bytes, size_t size)
{
    uint8_t head[HEAD_SIZE];
    store_be32(head, node);
    store_be32(head + 4, stamp);
    memcpy(bytes, head, size < HEAD_SIZE ? size : HEAD_SIZE);
    if (size > HEAD_SIZE)
        memcpy(bytes + HEAD_SIZE, pattern + stamp % SHIFTS, size - HEAD_SIZE);
}

bool bench_value_is_right(const uint8_t *pattern, uint32_t node, const uint8_t *bytes, size_t size)
{
    uint8_t head[HEAD_SIZE];
    store_be32(head, node);
    if (memcmp(bytes, head, size < 4 ? size : 4) != 0)
        return false;
    return size <= HEAD_SIZE ||
           memcmp(bytes + HEAD_SIZE, pattern + load_be32(bytes + 4) % SHIFTS, size - HEAD_SIZE) == 0;
}
