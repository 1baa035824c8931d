/* For the records made by jute_compiler.awk: can a vector be as long as it says? */
#ifndef ZKC_CLIENT_RECORDIO_COUNT_H
#define ZKC_CLIENT_RECORDIO_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "client/public.h"

/*
 * 0, or -E2BIG when the bytes left in an archive of create_buffer_iarchive() cannot hold `count` items of `least_size`
 * bytes. Archives that are not ours are believed. A negative count is a vector without items.
 */
int iarchive_check_count(const struct iarchive *in, int32_t count, size_t least_size);

#endif
