/* A learner played by a test: what it sends is what the test says, what it gets is written down. */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_WIRE_LEARNER_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_WIRE_LEARNER_H

#include "server/quorum/quorum_packet.h"

struct wire_learner {
    int64_t sid;
    struct quorum_channel *channel;
    struct received_packet packet;    /* the last one read */
    int64_t epoch_zxid;               /* of LEADERINFO */
};
/* Connects to 127.0.0.1; every wait of it fails the test after 20 s. */
void wire_learner_connect(struct wire_learner *learner, uint16_t port, int64_t sid);
void wire_learner_close(struct wire_learner *learner);
void wire_learner_send(struct wire_learner *learner, int32_t type, int64_t zxid, const void *data, size_t size);
/* The next packet but PINGs, which are answered without sessions. */
void wire_learner_read(struct wire_learner *learner);
/* The next one must be of this type; its zxid. */
int64_t wire_learner_expect(struct wire_learner *learner, int32_t type);
/* The connection ends before another packet comes. */
void wire_learner_expect_end(struct wire_learner *learner);
/* FOLLOWERINFO or OBSERVERINFO, LEADERINFO, ACKEPOCH. */
void wire_learner_info(struct wire_learner *learner, int32_t type, int64_t accepted_epoch);
void wire_learner_register(struct wire_learner *learner, int32_t type, int64_t accepted_epoch, int32_t current_epoch,
                           int64_t last_zxid);
/* NEWLEADER to UPTODATE, acked both. */
void wire_learner_finish(struct wire_learner *learner);
/* REQUEST; the payload is emptied. */
void wire_learner_request(struct wire_learner *learner, int64_t session_id, int32_t cxid, int32_t type,
                          struct buffer *payload);

#endif
