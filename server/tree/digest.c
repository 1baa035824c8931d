/* digest.c - CRC-32 of path, data and the 60 bytes of the stat that are the same on every server. */
#include "server/tree/digest.h"

#include <string.h>

#include "common/base/adler32.h"
#include "common/base/memory.h"
#include "common/wire/path.h"

#define STAT_SIZE 60
#define GATHERED 512    /* bytes that are sooner copied together than summed up in pieces */

static void put_stat(uint8_t bytes[STAT_SIZE], const struct stat_persisted *stat)
{
    store_be64(bytes, (uint64_t)stat->czxid);
    store_be64(bytes + 8, (uint64_t)stat->mzxid);
    store_be64(bytes + 16, (uint64_t)stat->pzxid);
    store_be64(bytes + 24, (uint64_t)stat->ctime);
    store_be64(bytes + 32, (uint64_t)stat->mtime);
    store_be32(bytes + 40, (uint32_t)stat->version);
    store_be32(bytes + 44, (uint32_t)stat->cversion);
    store_be32(bytes + 48, (uint32_t)stat->aversion);
    store_be64(bytes + 52, (uint64_t)stat->ephemeral_owner);
}

uint64_t digest_calculate(struct ustring path, struct slice data, const struct stat_persisted *stat)
{
    if (path_starts_with(path, "/zookeeper/"))
        return 0;
    size_t path_size = ustring_is(path, "/") ? 0 : (size_t)path.size;
    uint8_t bytes[GATHERED] LEFT_AS_IT_IS;
    if (path_size <= GATHERED && path_size + data.size <= GATHERED - STAT_SIZE) {
        if (path_size > 0)
            memcpy(bytes, path.bytes, path_size);
        if (data.size > 0)
            memcpy(bytes + path_size, data.bytes, data.size);
        put_stat(bytes + path_size + data.size, stat);
        return crc32_update(CRC32_START, bytes, path_size + data.size + STAT_SIZE);
    }
    uint32_t sum = crc32_update(CRC32_START, path.bytes, path_size);
    sum = crc32_update(sum, data.bytes, data.size);
    put_stat(bytes, stat);
    return crc32_update(sum, bytes, STAT_SIZE);
}
