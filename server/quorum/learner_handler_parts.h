/* What learner_handler.c (its life), learner_registration.c, learner_handler_sync.c and learner_list.c share. */
#ifndef ZKC_SERVER_QUORUM_LEARNER_HANDLER_PARTS_H
#define ZKC_SERVER_QUORUM_LEARNER_HANDLER_PARTS_H

#include "common/thread/thread.h"
#include "server/quorum/learner_handler.h"
#include "server/quorum/packet_sender.h"

/* From this protocol version on learners speak of epochs: LEADERINFO and ACKEPOCH, a configuration in NEWLEADER. */
#define EPOCH_PROTOCOL_VERSION 0x10000

struct learner_handler {
    struct learner_master *master;
    struct list link;                      /* the list's lock */
    int64_t id;
    struct thread *thread;
    struct quorum_channel *channel;
    struct packet_sender *sender;
    struct sync_limit_check sync_check;
    char address[ADDRESS_TEXT_SIZE];
    int64_t established_wall_ms;

    _Atomic bool has_sid;                  /* set once, after sid and type */
    _Atomic int64_t sid;
    _Atomic int type;                      /* enum learner_type */
    _Atomic int64_t tick_of_next_ack_deadline;
    _Atomic int64_t packets_received, requests_received;
    bool is_forwarding, is_observing;      /* the list's lock */

    /* Its thread's. */
    int32_t version;
    struct received_packet packet;         /* the one in hand */
    struct learner_sync_throttler *throttler;    /* that counts it; NULL when none does */
};

void learner_handler_free(struct learner_handler *handler);    /* after its thread was joined */
/* The next packet, into handler->packet. */
int learner_handler_read(struct learner_handler *handler, struct error *error);

/* learner_registration.c: FOLLOWERINFO to ACKEPOCH. The epoch's first zxid, and the learner's last. */
int learner_handler_register(struct learner_handler *handler, int64_t *ret_new_leader_zxid, int64_t *ret_peer_zxid,
                             struct error *error);

/* learner_handler_sync.c: DIFF, TRUNC or SNAP, NEWLEADER; what comes after it is queued, and its sender runs. */
int learner_handler_sync(struct learner_handler *handler, int64_t peer_zxid, int64_t new_leader_zxid,
                         struct error *error);
void learner_handler_end_sync(struct learner_handler *handler);    /* no throttler counts it any more */

#endif
