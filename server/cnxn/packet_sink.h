/*
 * Where a connection hands what it received. Declared here, filled in by zookeeper_server above. Called by the selector
 * (or worker) of the connection.
 */
#ifndef ZKC_SERVER_CNXN_PACKET_SINK_H
#define ZKC_SERVER_CNXN_PACKET_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/error.h"
#include "common/wire/records.h"
#include "server/watch/watcher.h"

struct server_cnxn;
struct packet_sink;

struct packet_sink_ops {
    /* Does it serve: a connection that sends anything but a word is closed while it does not. */
    bool (*is_running)(struct packet_sink *sink);
    /* The peer showed a certificate that TLS trusts (cnxn->certificate_name): it gets the ids it has by that. An error
     * closes the connection. */
    int (*process_certificate)(struct packet_sink *sink, struct server_cnxn *cnxn);
    /* The first frame of a connection. An error closes the connection; its sentence is logged. */
    int (*process_connect)(struct packet_sink *sink, struct server_cnxn *cnxn, struct slice frame,
                           struct error *error);
    /* Every other frame: header, and the rest of the frame within `chunk`, which the receiver references if it keeps
     * it. An error closes the connection. */
    int (*process_packet)(struct packet_sink *sink, struct server_cnxn *cnxn, const struct request_header *header,
                          struct blob *chunk, struct slice payload, struct error *error);
    /* Is this first word (the length field of a connection without a session) a four-letter word; if so it is answered
     * and the connection closes when the answer is out; server_cnxn_word_received() comes first. `rest` is what
     * followed it. */
    bool (*four_letter_word)(struct packet_sink *sink, struct server_cnxn *cnxn, uint32_t word, struct slice rest);
    /* The length a frame announces; an error closes the connection. */
    int (*check_frame_size)(struct packet_sink *sink, int32_t length, struct error *error);
    /* shouldThrottle: too much in process, and this connection has `outstanding` requests. */
    bool (*should_throttle)(struct packet_sink *sink, int64_t outstanding);
    /* May an event of a node with this list go to this connection. */
    bool (*may_see_event)(struct packet_sink *sink, struct server_cnxn *cnxn, const struct watch_event *event);
    /* The connection is closed: its watches go. */
    void (*remove_cnxn)(struct packet_sink *sink, struct server_cnxn *cnxn);
    /* End of a batch of packets: whoever was handed them is woken. */
    void (*flush)(struct packet_sink *sink);
};
struct packet_sink {
    const struct packet_sink_ops *ops;
};

#endif
