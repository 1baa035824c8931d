/*
 * The last transactions that were committed, for learners that are not far behind. Mirrors ZKDatabase.committedLog.
 * Any thread, own lock; a gap between two neighbours begins it anew (RELIABILITY 4925).
 */
#ifndef ZKC_SERVER_PERSISTENCE_COMMITTED_LOG_H
#define ZKC_SERVER_PERSISTENCE_COMMITTED_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "server/persistence/txn.h"

struct committed_log;
struct committed_log *committed_log_new(size_t most);
void committed_log_free(struct committed_log *log);
/* Takes a reference; drops the oldest beyond the bound. A zxid that does not follow the last one empties it first. */
void committed_log_add(struct committed_log *log, struct txn *txn);
void committed_log_clear(struct committed_log *log);
int64_t committed_log_min_zxid(struct committed_log *log);    /* 0 while empty */
int64_t committed_log_max_zxid(struct committed_log *log);
size_t committed_log_count(struct committed_log *log);
/*
 * Holds the log still, for who must see its ends and what is in it at one moment: committed_log_held() and
 * committed_log_held_at(), oldest first, until committed_log_let_go(). Whoever applies transactions waits meanwhile.
 */
void committed_log_hold(struct committed_log *log);
size_t committed_log_held(struct committed_log *log);
struct txn *committed_log_held_at(struct committed_log *log, size_t index);    /* borrowed */
void committed_log_let_go(struct committed_log *log);
/* References to all, oldest first; memory_free the array, unref each. */
struct txn **committed_log_list(struct committed_log *log, size_t *ret_count);

#endif
