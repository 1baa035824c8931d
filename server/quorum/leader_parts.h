/*
 * What leader.c (life), leader_establish.c (from election to quorum) and leader_broadcast.c (proposals, acks, commits)
 * share.
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_PARTS_H
#define ZKC_SERVER_QUORUM_LEADER_PARTS_H

#include "server/quorum/epoch_agreement.h"
#include "server/quorum/leader.h"
#include "server/quorum/leader_proposals.h"
#include "server/quorum/leader_zookeeper_server.h"
#include "server/quorum/learner_cnx_acceptor.h"
#include "server/quorum/learner_handler.h"

#define MOST_ADDRESSES 64

struct leader {
    struct learner_master master;
    struct learner_cnx_acceptor_hook acceptor_hook;
    struct quorum_self *self;
    struct zookeeper_server *server;
    struct server_core *core;
    struct leader_zookeeper_server *zks;
    struct learner_cnx_acceptor *acceptor;
    struct epoch_agreement *agreement;
    _Atomic int64_t tick;
    _Atomic int64_t start_ms;    /* leaderStartTime, elapsed; 0 before */
    _Atomic bool is_to_be_flushed;
    _Atomic int32_t last_size, min_size, max_size;    /* of proposals, bytes */
    struct log_limiter limiter;

    struct mutex lock;
    struct condition changed;
    struct leader_proposals proposals GUARDED_BY(lock);
    bool is_serving GUARDED_BY(lock);         /* startZkServer is done */
    bool is_activating GUARDED_BY(lock);      /* a reconfiguration, in process without the lock */
    bool is_shut_down GUARDED_BY(lock);
    bool has_let_go GUARDED_BY(lock);         /* who shut it down first is through with it */
    struct error reason GUARDED_BY(lock);     /* why */
};

/* leader_establish.c */
/* Epoch, configuration, NEWLEADER: ZK_OK when a quorum follows and the server serves. */
int leader_establish(struct leader *leader, struct error *error);
/* The configuration that was proposed after the present one; NULL when there is none. A reference. */
struct quorum_verifier *leader_next_verifier(struct leader *leader, const struct quorum_verifier *present);
/* A voter of `verifier` under the address it has now. */
bool leader_is_fit_for(struct leader *leader, struct quorum_verifier *verifier);

/* leader_broadcast.c */
int64_t leader_start_forwarding(struct leader *leader, struct learner_handler *handler, int64_t last_seen_zxid);
/* ids of learners that are forwarded to, for the oracle; the caller releases. */
void leader_forwarding_sids(struct leader *leader, struct sid_set *ret_sids);
/* revalidateOutstandingProp: what has its quorums by now, with the oracle's help, is committed. */
void leader_commit_ready(struct leader *leader);

#endif
