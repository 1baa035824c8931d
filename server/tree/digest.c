/* digest.c - CRC-32 of path, data and the 60 bytes of the stat that are the same on every server. */
#include "server/tree/digest.h"

#include "common/base/adler32.h"
#include "common/wire/path.h"

#define STAT_SIZE 60

uint64_t digest_calculate(struct ustring path, struct slice data, const struct stat_persisted *stat)
{
    if (path_starts_with(path, "/zookeeper/"))
        return 0;
    uint8_t bytes[STAT_SIZE];
    store_be64(bytes, (uint64_t)stat->czxid);
    store_be64(bytes + 8, (uint64_t)stat->mzxid);
    store_be64(bytes + 16, (uint64_t)stat->pzxid);
    store_be64(bytes + 24, (uint64_t)stat->ctime);
    store_be64(bytes + 32, (uint64_t)stat->mtime);
    store_be32(bytes + 40, (uint32_t)stat->version);
    store_be32(bytes + 44, (uint32_t)stat->cversion);
    store_be32(bytes + 48, (uint32_t)stat->aversion);
    store_be64(bytes + 52, (uint64_t)stat->ephemeral_owner);
    uint32_t sum = CRC32_START;
    if (!ustring_is(path, "/"))
        sum = crc32_update(sum, path.bytes, (size_t)path.size);
    if (data.size > 0)
        sum = crc32_update(sum, data.bytes, data.size);
    return crc32_update(sum, bytes, sizeof(bytes));
}
