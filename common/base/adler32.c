/* adler32.c - checksums of files, by zlib, or faster where the processor can and the bytes are enough. */
#include "common/base/adler32.h"

#include <zlib.h>

#include "common/base/crc32_fold.h"

uint32_t adler32_update(uint32_t sum, const void *bytes, size_t size)
{
    /* zlib takes NULL as a question for the first sum. */
    return size > 0 ? (uint32_t)adler32_z(sum, bytes, size) : sum;
}

uint32_t crc32_update(uint32_t sum, const void *bytes, size_t size)
{
    if (size >= CRC32_FOLD_STEP && crc32_fold_is_there())
        return crc32_fold(sum, bytes, size);
    return size > 0 ? (uint32_t)crc32_z(sum, bytes, size) : sum;
}
