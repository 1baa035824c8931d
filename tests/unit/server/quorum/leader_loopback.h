/*
 * What tests of a whole leader share: server 1 of three voters and an observer leads over loopback, its server behind
 * it, and the test plays the learners.
 */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_LEADER_LOOPBACK_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_LEADER_LOOPBACK_H

#include "server/quorum/leader_parts.h"
#include "tests/unit/server/quorum/wire_learner.h"

#define SESSION INT64_C(0x200000000001)
#define E1(n) (0x100000000 + (n))    /* zxids of epoch 1 */

extern struct leader_loopback {
    const char *members;    /* of the ensemble, as loopback_start() will read them */
    struct zookeeper_server *server;
    struct quorum_verifier *verifier;
    struct quorum_self self;
    struct leader *leader;
    uint16_t port;          /* for learners */
    struct error ending;    /* why it leads no more */
} loopback;

void loopback_set_up(void);    /* a directory and settings; nobody leads yet */
void loopback_tear_down(void);
void loopback_set(const char *key, const char *value);    /* a line of zoo.cfg, for the next start */
/* Loads what is in the directory, as server 1 of the members, and begins to lead. */
void loopback_start(void);
/* Waits until it leads no more. */
void loopback_wait_end(void);
void loopback_stop(void);

/* ---- learners ---- */

extern struct wire_learner two, three, four;    /* by their ids; the last one observes */

/* Connects and registers, as one that lived in `epoch` up to that zxid; the leader's choice how to bring it up to date
 * is the next packet. */
void loopback_join(struct wire_learner *learner, int64_t sid, int32_t epoch, int64_t last_zxid);
/* Server 2, which has nothing yet, joins; with it the leader serves. */
void form_quorum(void);
/* The follower acks the next proposal and sees it committed; its zxid. */
int64_t ack_next(struct wire_learner *learner);
void request_session(struct wire_learner *learner);
void request_create_with(struct wire_learner *learner, const char *path, int32_t flags, struct jute_buffer data);
void request_create(struct wire_learner *learner, const char *path, int32_t flags);
void wait_applied(int64_t zxid);
/* A session, and nodes under E1(2) to E1(last), which the leader has applied too. */
void write_history(int64_t last);

#endif
