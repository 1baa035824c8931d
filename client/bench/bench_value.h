/*
 * What nodes hold, such that whoever reads it sees whether it is theirs and whole: the number of the node, a stamp that
 * each write draws anew, and bytes that follow from the stamp. Values shorter than 8 bytes hold the beginning of that.
 * No state; any thread.
 */
#ifndef ZKC_CLIENT_BENCH_VALUE_H
#define ZKC_CLIENT_BENCH_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_VALUE_MOST (1000 * 1000)    /* bytes; a server takes 0xfffff in a request */

/* The bytes that follow stamps, shared by all who write and check. Never NULL; memory_free. */
uint8_t *bench_value_pattern_new(size_t most);
void bench_value_write(const uint8_t *pattern, uint32_t node, uint32_t stamp, uint8_t *bytes, size_t size);
bool bench_value_is_right(const uint8_t *pattern, uint32_t node, const uint8_t *bytes, size_t size);

#endif
