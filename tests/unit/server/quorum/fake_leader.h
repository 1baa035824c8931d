/* The leader in the tests of its chain: alone in the ensemble, so that its own ack commits. */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_FAKE_LEADER_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_FAKE_LEADER_H

#include "common/thread/mutex.h"
#include "server/quorum/leader_zookeeper_server.h"
#include "server/quorum/request_fifo.h"

struct leader {
    struct leader_zookeeper_server *zks;
    struct mutex lock;
    struct request_fifo proposals GUARDED_BY(lock);    /* not committed yet */
    bool holds_commits GUARDED_BY(lock);               /* acks come, commits do not */
    int64_t acked GUARDED_BY(lock);
    bool is_over;                                      /* propose() refuses */
    bool has_quorum_synced;                            /* of any new configuration */
    _Atomic size_t proposed, applied, synced, flushed;
    _Atomic int64_t last_zxid, last_applied;
    _Atomic int32_t last_type;                         /* of a proposal */
};
extern struct leader fake_leader;

void fake_leader_set_up(void);
void fake_leader_tear_down(void);
void fake_leader_hold_commits(bool hold);

#endif
