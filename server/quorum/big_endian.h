/* Numbers in the messages of elections, most significant byte first. No state. */
#ifndef ZKC_SERVER_QUORUM_BIG_ENDIAN_H
#define ZKC_SERVER_QUORUM_BIG_ENDIAN_H

#include <stdint.h>

static inline uint8_t *put_int32(uint8_t *at, int32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)((uint32_t)value >> (24 - 8 * i));
    return at + 4;
}
static inline uint8_t *put_int64(uint8_t *at, int64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    return at + 8;
}
static inline int32_t get_int32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
}
static inline int64_t get_int64(const uint8_t *at)
{
    return (int64_t)((uint64_t)(uint32_t)get_int32(at) << 32 | (uint32_t)get_int32(at + 4));
}

#endif
