/* Checksums of files: Adler-32 (log records, snapshots) and CRC-32 (node digests), both zlib's. Any thread. */
#ifndef ZKC_COMMON_BASE_ADLER32_H
#define ZKC_COMMON_BASE_ADLER32_H

#include <stddef.h>
#include <stdint.h>

#define ADLER32_START 1u
uint32_t adler32_update(uint32_t sum, const void *bytes, size_t size);

#define CRC32_START 0u
uint32_t crc32_update(uint32_t sum, const void *bytes, size_t size);

#endif
