/* The repair of a log's tail for who has read the log already. Internal to persistence. */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_TXN_LOG_REPAIR_H
#define ZKC_SERVER_PERSISTENCE_FILE_TXN_LOG_REPAIR_H

#include "server/persistence/txn_iterator.h"

/* What file_txn_log_repair_tail() does to the files, after the iterator has come to ZK_EOF. */
int file_txn_log_repair_after(const char *directory, const struct txn_iterator *iterator, struct error *error);

#endif
