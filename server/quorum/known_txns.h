/*
 * What a DIFF brings although this server has it: the leader believed that it knows less. A decision without state of
 * its own but these two numbers.
 */
#ifndef ZKC_SERVER_QUORUM_KNOWN_TXNS_H
#define ZKC_SERVER_QUORUM_KNOWN_TXNS_H

#include <stdint.h>

struct known_txns {
    int64_t last_here;    /* zxid of the last transaction this server has */
    int64_t last_seen;    /* of the last one that came again; 0: none did */
};

enum known_txn {
    TXN_IS_NEW,
    TXN_IS_KNOWN,        /* it may be passed over */
    TXN_IS_OUT_OF_ORDER, /* it does not follow the one before */
    TXN_LEAVES_OUT_OURS  /* new, but the last one that is here did not come before it: the leader has another history */
};
enum known_txn known_txns_take(struct known_txns *known, int64_t zxid);

#endif
