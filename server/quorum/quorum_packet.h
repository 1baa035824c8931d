/*
 * Packets between leader and learner, and the connection they go over. Mirrors QuorumPacket, Leader's packet types,
 * LearnerHandler.packetToString and the buffered archives over a socket.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_PACKET_H
#define ZKC_SERVER_QUORUM_QUORUM_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/net/address.h"
#include "common/net/stream.h"
#include "common/wire/records.h"
#include "server/metric/server_metrics.h"
#include "server/tree/tree_snapshot.h"

enum quorum_packet_type {
    QP_REQUEST = 1, QP_PROPOSAL = 2, QP_ACK = 3, QP_COMMIT = 4, QP_PING = 5, QP_REVALIDATE = 6, QP_SYNC = 7,
    QP_INFORM = 8, QP_COMMITANDACTIVATE = 9, QP_NEWLEADER = 10, QP_FOLLOWERINFO = 11, QP_UPTODATE = 12, QP_DIFF = 13,
    QP_TRUNC = 14, QP_SNAP = 15, QP_OBSERVERINFO = 16, QP_LEADERINFO = 17, QP_ACKEPOCH = 18, QP_INFORMANDACTIVATE = 19
};
const char *quorum_packet_name(int32_t type);    /* "PROPOSAL"; NULL for none of them */

/*
 * A packet received. {0} is an empty one. `bytes` holds exactly the data, so that a transaction may be made over it;
 * data and ids are valid until the next read into this packet, or its release.
 */
struct received_packet {
    int32_t type;
    int64_t zxid;
    struct slice data;    /* bytes NULL when null */
    bool has_authinfo;
    struct zk_id_vector authinfo;
    struct blob *bytes;   /* NULL when data is null */
    struct arena arena;
};
void received_packet_release(struct received_packet *packet);
/* packetToString: "REVALIDATE 0  sessionid = 12" and the like. */
void received_packet_print(const struct received_packet *packet, struct buffer *out);

/* What stands in front of the data: type, zxid, length of data (or -1 for null); behind it a null authinfo. */
#define QUORUM_PACKET_HEAD_SIZE 16
#define QUORUM_PACKET_TAIL_SIZE 4

/*
 * One connection. One thread reads, one writes (or several under a lock of theirs). Every wait ends at the timeout,
 * which each byte that moves starts anew, as SO_TIMEOUT does, and for good at quorum_channel_shutdown().
 */
struct quorum_channel;
/* Takes the stream over. A timeout of 0 is none. Writes wait as long for a peer that does not read. */
struct quorum_channel *quorum_channel_new(struct stream *stream, int64_t timeout_ms);
void quorum_channel_free(struct quorum_channel *channel);    /* closes; NULL is accepted */
/* The same, and samples socket_closing_time. */
void quorum_channel_free_sampled(struct quorum_channel *channel, struct server_metrics *metrics);
void quorum_channel_set_timeout(struct quorum_channel *channel,
                                int64_t timeout_ms); /* any thread; from the next wait */
/* Any thread: whoever reads or writes returns with ZK_CLOSED, now and from then on. */
void quorum_channel_shutdown(struct quorum_channel *channel);
bool quorum_channel_is_shut_down(const struct quorum_channel *channel);
/* Keeps the last `size` packets each way, to be told by the log when the channel is freed; before the first packet. */
void quorum_channel_track(struct quorum_channel *channel, size_t size, const char *peer);
/* False when the peer is gone already. */
bool quorum_channel_peer(const struct quorum_channel *channel, struct address *ret_address);

/*
 * ZK_OK; ZK_EOF (closed by the peer), ZK_TIMED_OUT, ZK_CLOSED, ZK_IO; ZK_MARSHALLING_ERROR for what is no packet: a
 * negative length other than -1, data beyond the limit, or ids beyond 2 MiB. What the packet held before is released;
 * it is empty after a failure, and the channel is of no more use.
 */
int quorum_channel_read_packet(struct quorum_channel *channel, struct received_packet *ret_packet, struct error *error);
/* A whole packet is here already: the next read does not wait. (It may be so where this says no.) Reader. */
bool quorum_channel_has_packet(const struct quorum_channel *channel);
/* Largest data accepted, INT32_MAX at first. Memory is taken as bytes come, whatever length was announced. */
void quorum_channel_set_limit(struct quorum_channel *channel, int32_t limit);
/* Raw bytes beside packets (those of a snapshot), through the same buffers and in their order. */
struct byte_source *quorum_channel_source(struct quorum_channel *channel);    /* reader */
struct byte_sink *quorum_channel_sink(struct quorum_channel *channel);        /* writer */

/*
 * Written by the flush, or once 64 KiB are there. ZK_OK; ZK_TIMED_OUT, ZK_CLOSED, ZK_IO. Data NULL, authinfo NULL are
 * null; both are copied.
 */
int quorum_channel_write_packet(struct quorum_channel *channel, int32_t type, int64_t zxid, const struct slice *data,
                                const struct zk_id_vector *authinfo, struct error *error);
/* Data by reference: prefix (copied, may be empty) and then the whole blob; authinfo is null. */
int quorum_channel_write_packet_blob(struct quorum_channel *channel, int32_t type, int64_t zxid, struct slice prefix,
                                     struct blob *data, struct error *error);
int quorum_channel_flush(struct quorum_channel *channel, struct error *error);
int64_t quorum_channel_buffered(const struct quorum_channel *channel);    /* bytes written but not flushed; writer */

#endif
