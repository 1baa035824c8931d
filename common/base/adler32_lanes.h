/* Adler-32 thirty-two bytes at a step, on processors that have lanes for them. Any thread. */
#ifndef ZKC_COMMON_BASE_ADLER32_LANES_H
#define ZKC_COMMON_BASE_ADLER32_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADLER32_LANES_STEP ((size_t)32)

bool adler32_lanes_is_there(void);
/* Of whole steps; only where it is there. */
uint32_t adler32_lanes(uint32_t sum, const void *bytes, size_t size);

#endif
