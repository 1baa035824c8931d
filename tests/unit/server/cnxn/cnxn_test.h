/*
 * What the tests of this room share: a factory on a free loopback port, before a sink that writes down what it is
 * handed and does with it what the test says.
 */
#ifndef ZKC_TESTS_UNIT_SERVER_CNXN_TEST_H
#define ZKC_TESTS_UNIT_SERVER_CNXN_TEST_H

#include "common/base/buffer.h"
#include "common/thread/mutex.h"
#include "server/cnxn/server_cnxn_factory.h"
#include "tests/lib/check_main.h"
#include "tests/lib/raw_client.h"

enum { SESSION_TIMEOUT_MS = 30000, RECEIVED_MOST = 4096 };

struct received {
    struct server_cnxn *cnxn;    /* reference */
    int32_t xid, type;
    struct buffer payload;
};
struct recorder {
    struct packet_sink sink;

    /* Set by the test before the connection that they are for comes. */
    _Atomic bool is_running, echoes;    /* echoes: each packet is answered with its payload */
    _Atomic int64_t throttle_above;     /* requests outstanding on one connection; INT64_MAX: none is too many */
    _Atomic int32_t frame_limit;
    _Atomic bool hides_events;
    _Atomic int certificate_verdict;    /* what becomes of a peer with one */

    struct mutex lock;
    struct condition changed;
    bool holds GUARDED_BY(lock);    /* a packet keeps whoever brought it until cnxn_hold(false) */
    struct received packets[RECEIVED_MOST] GUARDED_BY(lock);
    char certificate_name[128] GUARDED_BY(lock);    /* that the sink was told of last */
    size_t packet_count GUARDED_BY(lock), connect_count GUARDED_BY(lock), removed_count GUARDED_BY(lock);
};
extern struct recorder recorder;
extern struct server_options cnxn_options;
extern struct server_metrics *cnxn_metrics;
extern struct server_cnxn_factory *cnxn_factory;
extern struct server_tls *cnxn_tls;    /* for the factory, set before cnxn_start(); NULL: none */
extern bool cnxn_is_unified;

/* The factory is made and started by cnxn_start(), with this many workers. */
void cnxn_set_up(void);
void cnxn_start(int workers);
void cnxn_tear_down(void);

/* Dials and sends a connect frame, which the recorder accepts. */
void cnxn_join(struct raw_client *client);
/* Packets received once there are at least so many, or the first `least` of them never come and the test fails. */
size_t cnxn_wait_packets(size_t least);
size_t cnxn_wait_removed(size_t least);
size_t cnxn_packet_count(void);
void cnxn_hold(bool holds);
const struct received *cnxn_packet(size_t index);
/* Answers packet `index` with `body` (may be NULL) and flushes. */
void cnxn_answer(size_t index, const char *body);
/* The only connection there is; a reference. */
struct server_cnxn *cnxn_only(void);
/* A request of this size (8 or more with its header), filled with what depends on its xid, appended to the buffer. */
void cnxn_append_request(struct buffer *out, int32_t xid, size_t size);
bool cnxn_is_request(const struct received *packet, int32_t xid, size_t size);

#endif
