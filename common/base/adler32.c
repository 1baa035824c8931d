/* adler32.c - checksums of files, by zlib; whole steps of a CRC-32 faster, where the processor can. */
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
    const uint8_t *at = bytes;
    size_t whole = size - size % CRC32_FOLD_STEP;
    if (whole > 0 && crc32_fold_is_there()) {
        sum = crc32_fold(sum, at, whole);
        at += whole;
        size -= whole;
    }
    return size > 0 ? (uint32_t)crc32_z(sum, at, size) : sum;
}
