/* A transaction id: epoch in the high half, counter in the low. Mirrors ZxidUtils. */
#ifndef ZKC_COMMON_WIRE_ZXID_H
#define ZKC_COMMON_WIRE_ZXID_H

#include <stdint.h>

static inline int64_t zxid_epoch(int64_t zxid) { return (int64_t)((uint64_t)zxid >> 32); }
static inline int64_t zxid_counter(int64_t zxid) { return zxid & 0xffffffffLL; }
static inline int64_t zxid_make(int64_t epoch, int64_t counter)
{
    return (int64_t)((uint64_t)epoch << 32 | ((uint64_t)counter & 0xffffffffULL));
}

#endif
