/* known_txns.c - which transactions of a DIFF are here already. */
#include "server/quorum/known_txns.h"

enum known_txn known_txns_take(struct known_txns *known, int64_t zxid)
{
    if (zxid > known->last_here)
        return known->last_seen == 0 || known->last_seen == known->last_here ? TXN_IS_NEW : TXN_LEAVES_OUT_OURS;
    if (known->last_seen != 0 && zxid <= known->last_seen)
        return TXN_IS_OUT_OF_ORDER;
    known->last_seen = zxid;
    return TXN_IS_KNOWN;
}
