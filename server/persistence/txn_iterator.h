/*
 * What an iterator over the logs can tell beyond transactions: raw records, and how each file ended. For repair and
 * restore. Internal to persistence.
 */
#ifndef ZKC_SERVER_PERSISTENCE_TXN_ITERATOR_H
#define ZKC_SERVER_PERSISTENCE_TXN_ITERATOR_H

#include "server/persistence/file_names.h"
#include "server/persistence/file_txn_log.h"
#include "server/persistence/log_file.h"

/* Whether `next` may stand right behind `previous`: its successor, or the first of a later epoch. */
bool zxid_follows(int64_t previous, int64_t next);

/* As txn_iterator_next(), but without decoding; the bytes last until the next call. */
int txn_iterator_next_record(struct txn_iterator *iterator, struct log_record *ret_record, struct error *error);

/* A file that was read to its end. */
struct log_ending {
    const char *path;
    bool has_record;
    enum log_file_end end;
    int64_t whole_end;    /* where its whole records end */
    int64_t torn_end;
};
/* The files read so far, oldest first; all of them after ZK_EOF. */
const struct log_ending *txn_iterator_endings(const struct txn_iterator *iterator, size_t *ret_count);

#endif
