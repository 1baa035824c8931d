/* Limits and usage of a quota as the nodes below /zookeeper/quota hold them. Mirrors StatsTrack and Quotas. */
#ifndef ZKC_CLIENT_CLI_QUOTA_H
#define ZKC_CLIENT_CLI_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define QUOTA_ROOT "/zookeeper/quota"
#define QUOTA_LIMITS "zookeeper_limits"
#define QUOTA_STATS "zookeeper_stats"

enum quota_key { QUOTA_COUNT, QUOTA_BYTES, QUOTA_BYTE_HARD, QUOTA_COUNT_HARD, QUOTA_KEYS };
struct quota {
    int64_t values[QUOTA_KEYS];    /* -1: no limit */
    bool is_set[QUOTA_KEYS];       /* stands in the text, be it as -1 */
};

void quota_init(struct quota *quota);                        /* nothing set, all -1 */
void quota_set(struct quota *quota, enum quota_key key, int64_t value);
/* "count=4,bytes=5=;byteHardLimit=-1"; keys that are none of ours are passed over. ZK_BAD_ARGUMENTS for what Java's
 * parser would not take. */
int quota_parse(const char *text, size_t size, struct quota *ret_quota, struct error *error);
void quota_print(const struct quota *quota, struct buffer *out);
const char *quota_key_name(enum quota_key key);

/* Is the limit, soft or hard, of nodes (or of bytes) below what is there? */
bool quota_is_exceeded(const struct quota *limits, const struct quota *usage, enum quota_key key);

#endif
