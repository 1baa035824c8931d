/* adler32.c - checksums of files, by zlib, or faster where the processor can and the bytes are enough. */
#include "common/base/adler32.h"

#include <zlib.h>

#include "common/base/adler32_lanes.h"
#include "common/base/crc32_fold.h"

uint32_t adler32_update(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t whole = size - size % ADLER32_LANES_STEP;
    if (whole > 0 && adler32_lanes_is_there()) {
        sum = adler32_lanes(sum, at, whole);
        at += whole;
        size -= whole;
    }
    /* zlib takes NULL as a question for the first sum. */
    return size > 0 ? (uint32_t)adler32_z(sum, at, size) : sum;
}

uint32_t crc32_update(uint32_t sum, const void *bytes, size_t size)
{
    if (size >= CRC32_FOLD_STEP && crc32_fold_is_there())
        return crc32_fold(sum, bytes, size);
    return size > 0 ? (uint32_t)crc32_z(sum, bytes, size) : sum;
}
