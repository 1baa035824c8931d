/*
 * Where quotas stand in the tree and what their nodes say. Mirrors Quotas, StatsTrack and PathTrie. The trie has its
 * own lock; the rest has no state.
 */
#ifndef ZKC_SERVER_TREE_QUOTA_H
#define ZKC_SERVER_TREE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/wire/jute.h"

#define QUOTA_PROC "/zookeeper"
#define QUOTA_ROOT "/zookeeper/quota"
#define QUOTA_CONFIG_NODE "/zookeeper/config"
#define QUOTA_LIMIT_NODE "zookeeper_limits"
#define QUOTA_STAT_NODE "zookeeper_stats"

/* "/zookeeper/quota" + path + "/zookeeper_limits" (or _stats) into the buffer. */
void quota_limit_path(struct ustring path, struct buffer *out);
void quota_stat_path(struct ustring path, struct buffer *out);
/* Quotas.trimQuotaPath: without the leading "/zookeeper/quota". */
struct ustring quota_trim_path(struct ustring quota_path);

/* StatsTrack: "count=5,bytes=10=;byteHardLimit=..;countHardLimit=.." and older forms. -1: not set. */
struct stats_track {
    int64_t count, bytes, count_hard_limit, byte_hard_limit;
};
/* False where Java throws on malformed text (the caller decides); a null or empty text is all -1. */
bool stats_track_parse(const uint8_t *bytes, size_t size, struct stats_track *ret_track);
/* The text as Java writes it. */
void stats_track_print(const struct stats_track *track, struct buffer *out);

struct path_trie;
struct path_trie *path_trie_new(void);
void path_trie_free(struct path_trie *trie);
void path_trie_add(struct path_trie *trie, struct ustring path);
void path_trie_delete(struct path_trie *trie, struct ustring path);
bool path_trie_exists(struct path_trie *trie, struct ustring path);
/* findMaxPrefix: size of the longest prefix of `path` that was added, 0 when there is none but the root. */
size_t path_trie_find_max_prefix(struct path_trie *trie, struct ustring path);
void path_trie_clear(struct path_trie *trie);

#endif
