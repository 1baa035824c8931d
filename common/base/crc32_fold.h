/* CRC-32 sixteen bytes at a step, by carry-less multiplication, on processors that have it. Any thread. */
#ifndef ZKC_COMMON_BASE_CRC32_FOLD_H
#define ZKC_COMMON_BASE_CRC32_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRC32_FOLD_STEP ((size_t)16)

bool crc32_fold_is_there(void);
/* Of one step or more; only where it is there. */
uint32_t crc32_fold(uint32_t sum, const void *bytes, size_t size);

#endif
