/* adler32.c - checksums of files, by zlib. */
#include "common/base/adler32.h"

#include <zlib.h>

uint32_t adler32_update(uint32_t sum, const void *bytes, size_t size)
{
    /* zlib takes NULL as a question for the first sum. */
    return size > 0 ? (uint32_t)adler32_z(sum, bytes, size) : sum;
}

uint32_t crc32_update(uint32_t sum, const void *bytes, size_t size)
{
    return size > 0 ? (uint32_t)crc32_z(sum, bytes, size) : sum;
}
