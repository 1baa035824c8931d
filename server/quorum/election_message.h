/*
 * What travels between election ports: the first message of a connection, then notifications, each behind its length.
 * Mirrors QuorumCnxManager.InitialMessage, FastLeaderElection.buildMsg and the reading part of WorkerReceiver. Pure;
 * any thread. Numbers are big-endian:
 *
 *   first     protocol version, or the sid itself (older than 3.5, nothing follows); sid; length; "host:port|host:port"
 *   each      length; state 4, leader 8, zxid 8, round 8 | peer epoch 8 | version 4 | length of config 4, config
 *             (28 bytes end before peer epoch, 40 before version, of which only their senders know what it says)
 */
#ifndef ZKC_SERVER_QUORUM_ELECTION_MESSAGE_H
#define ZKC_SERVER_QUORUM_ELECTION_MESSAGE_H

#include "common/base/blob.h"
#include "server/quorum/flexible/quorum_server.h"
#include "server/quorum/vote.h"

#define ELECTION_PROTOCOL_V1 INT64_C(-65536)     /* one address */
#define ELECTION_PROTOCOL_V2 INT64_C(-65535)     /* several, with multiAddress.enabled */
#define ELECTION_OBSERVER_ID INT64_MAX           /* an observer of before 3.5 that has no id of its own */
#define ELECTION_MESSAGE_LIMIT (512 * 1024)      /* bytes of a notification */
#define NOTIFICATION_VERSION 2

/* ---- the first message ---- */
#define INITIAL_VERSION_SIZE 8         /* what is read first */
#define INITIAL_HEAD_SIZE 12           /* then, if that is a version: sid and length */
#define INITIAL_ADDRESSES_LIMIT 2048
struct initial_message {
    int64_t sid;
    struct quorum_address *addresses;    /* without wildcards; may be none */
    size_t address_count;
};
void initial_message_release(struct initial_message *message);
void initial_message_write(int64_t sid, const struct quorum_address *addresses, size_t count, bool is_multi_address,
                           struct buffer *out);
/* The first eight bytes. ZK_OK with the sid, nothing follows; ZK_AGAIN: a head follows; ZK_MARSHALLING_ERROR. */
int initial_message_read_version(const uint8_t bytes[INITIAL_VERSION_SIZE], int64_t *ret_sid, struct error *error);
/* ZK_OK with how many bytes of addresses follow; ZK_MARSHALLING_ERROR. */
int initial_message_read_head(const uint8_t bytes[INITIAL_HEAD_SIZE], int64_t *ret_sid, size_t *ret_size,
                              struct error *error);
/* ZK_OK, or ZK_MARSHALLING_ERROR: "Badly formed address: ...", "Bad port number: ...". */
int initial_message_read_addresses(int64_t sid, const char *text, size_t size, struct initial_message *ret_message,
                                   struct error *error);

/* ---- notifications ---- */
struct notification {
    int64_t sid;            /* who sent it */
    struct vote vote;       /* its id is the proposed leader */
    int64_t config_version; /* 0: it came without */
};
/* Without the length in front, which is the channel's; one reference. The config is the text of a verifier. */
struct blob *notification_write(const struct vote *vote, const void *config, size_t config_size);
/* Sid is left out. State is as it came, see notification_state_is_known(). *ret_config points into `bytes`, NULL
 * without. ZK_MARSHALLING_ERROR says what is wrong; of any message shorter or longer than it says, that. */
int notification_read(const uint8_t *bytes, size_t size, struct notification *ret_notification,
                      struct slice *ret_config, struct error *error);
static inline bool notification_state_is_known(const struct notification *notification)
{
    return (int)notification->vote.state >= PEER_LOOKING && (int)notification->vote.state <= PEER_OBSERVING;
}

#endif
