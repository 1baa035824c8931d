/*
 * The learner in the tests of its chain, and behind it a leader: a thread named QuorumPeer makes a transaction of each
 * REQUEST and brings it back as the packets would.
 */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_FAKE_LEARNER_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_FAKE_LEARNER_H

#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "server/quorum/follower_zookeeper_server.h"
#include "server/quorum/observer_zookeeper_server.h"
#include "server/quorum/request_fifo.h"

struct learner {
    struct follower_zookeeper_server *follower;    /* one of them */
    struct observer_zookeeper_server *observer;
    struct thread *quorum_peer;
    struct mutex lock;
    struct condition changed;
    struct request_fifo requests GUARDED_BY(lock);
    bool is_over GUARDED_BY(lock);
    bool holds GUARDED_BY(lock);                   /* answers nothing for the time being */
    int64_t zxid;                                  /* QuorumPeer's: the last one */
    _Atomic size_t requested, flushed, validated, acked;
    _Atomic int32_t last_type;                     /* of a REQUEST */
    _Atomic int64_t last_ack;
    _Atomic bool is_session_valid;                 /* what REVALIDATE is answered */
};
extern struct learner fake_learner;

void fake_learner_set_up(void);
/* Starts its thread; a role must run. */
void fake_learner_start(void);
void fake_learner_stop(void);    /* its thread */
void fake_learner_tear_down(void);
void fake_learner_hold(bool hold);
/* The next transaction, numbered. */
struct txn *fake_learner_make_txn(int64_t session_id, int32_t cxid, int32_t type, const struct txn_body *body);

#endif
