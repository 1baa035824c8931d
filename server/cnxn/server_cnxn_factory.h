/*
 * Listening and sharing out: the connections of one port. Mirrors ServerCnxnFactory and NIOServerCnxnFactory, with
 * AcceptThread, SelectorThread, WorkerService and ConnectionExpirerThread. Any thread, except where said.
 */
#ifndef ZKC_SERVER_CNXN_SERVER_CNXN_FACTORY_H
#define ZKC_SERVER_CNXN_SERVER_CNXN_FACTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"
#include "common/net/address.h"
#include "common/thread/worker_service.h"
#include "server/cnxn/server_cnxn.h"
#include "server/config/server_options.h"
#include "server/metric/server_metrics.h"
#include "server/metric/server_stats.h"

struct server_cnxn_factory;
struct certificate_checker;
struct server_tls;

/* Binds and listens, starts no thread. ZK_IO names the address. */
int server_cnxn_factory_new(const struct server_options *options, const struct address *address,
                            struct packet_sink *sink, struct server_metrics *metrics, struct server_stats *stats,
                            struct server_cnxn_factory **ret_factory, struct error *error);
/* Before start: every connection speaks TLS; or (`is_unified`) those whose first byte says so. `tls` is borrowed. */
void server_cnxn_factory_use_tls(struct server_cnxn_factory *factory, struct server_tls *tls, bool is_unified);
/* AcceptThread, SelectorThreads, workers, ConnectionExpirer. */
void server_cnxn_factory_start(struct server_cnxn_factory *factory);
/* Closes the listening socket and ends AcceptThread and ConnectionExpirer; connections go on. */
void server_cnxn_factory_stop_accepting(struct server_cnxn_factory *factory);
/* Ends selectors and workers, closing every connection after a last flush. */
void server_cnxn_factory_shutdown(struct server_cnxn_factory *factory);
/* reconfigure(): accepts at another address from now on; connections stay. On failure at the old one, if it can still
 * be had. ZK_CLOSED when nothing is accepted. */
int server_cnxn_factory_rebind(struct server_cnxn_factory *factory, const struct address *address, struct error *error);
/* Takes over from the options what may change while it runs (maxClientCnxns, maxCnxns). Main thread. */
void server_cnxn_factory_reload(struct server_cnxn_factory *factory);
void server_cnxn_factory_free(struct server_cnxn_factory *factory);

/* Writes what waits to be written, if that is for a few connections, as far as sockets take it, and wakes each selector
 * for the rest, once. End of whoever's batch. */
void server_cnxn_factory_flush(struct server_cnxn_factory *factory);
/* Closes the connection of a session; false if there is none. */
bool server_cnxn_factory_close_session(struct server_cnxn_factory *factory, int64_t session_id,
                                       enum disconnect_reason reason);
void server_cnxn_factory_close_all(struct server_cnxn_factory *factory, enum disconnect_reason reason);
/* After close_all(), while nobody can make a session: until each connection that had one is gone, its watches too. */
void server_cnxn_factory_wait_for_sessions(struct server_cnxn_factory *factory);

int server_cnxn_factory_local_port(struct server_cnxn_factory *factory);
struct address server_cnxn_factory_address(struct server_cnxn_factory *factory);
size_t server_cnxn_factory_connection_count(struct server_cnxn_factory *factory);
/* Connections that have not finished their TLS handshake, or did not show yet whether they speak TLS. */
int64_t server_cnxn_factory_outstanding_handshakes(struct server_cnxn_factory *factory);
int server_cnxn_factory_max_client_cnxns(struct server_cnxn_factory *factory);
/* References to all connections; memory_free the array, unref each. */
struct server_cnxn **server_cnxn_factory_list(struct server_cnxn_factory *factory, size_t *ret_count);

/* ---- for the other files of this room ---- */
struct factory_parts {
    const struct server_options *options;
    struct packet_sink *sink;
    struct server_metrics *metrics;
    struct server_stats *stats;
    struct worker_service *workers;    /* NULL: selectors do their I/O */
    int32_t sessionless_timeout_ms;
    struct server_tls *tls;            /* NULL: nobody speaks TLS */
    bool is_unified;                   /* with tls: some do */
    struct certificate_checker *checker;    /* NULL: no responder is asked */
    struct log_limiter failed_handshakes;
};
struct factory_parts *server_cnxn_factory_parts(struct server_cnxn_factory *factory);
/* One more connection; takes no reference of its own beyond the list's (the one given). */
void server_cnxn_factory_add(struct server_cnxn_factory *factory, struct server_cnxn *cnxn);
/* Takes it out of list, sessions and expiry; false if it was out already. The list's reference goes to the caller. */
bool server_cnxn_factory_remove(struct server_cnxn_factory *factory, struct server_cnxn *cnxn);
void server_cnxn_factory_set_session(struct server_cnxn_factory *factory, struct server_cnxn *cnxn, int64_t session_id);
/* Restarts the time after which a silent connection is closed. */
void server_cnxn_factory_touch(struct server_cnxn_factory *factory, struct server_cnxn *cnxn);
/* May one more come from this address (maxClientCnxns, maxCnxns); the sentence says which limit. */
int server_cnxn_factory_admit(struct server_cnxn_factory *factory, const struct address *peer, struct error *error);
/* It was admitted but not added after all, or was removed. */
void server_cnxn_factory_dismiss(struct server_cnxn_factory *factory, const struct address *peer);
/* With TLS, one more handshake, before a connection that was admitted is handed on; its limit, or a server that is not
 * ready for it, refuses. ZK_OK without TLS. */
int server_cnxn_factory_begin_handshake(struct server_cnxn_factory *factory, struct error *error);
/* It is over, or its connection is. Does nothing without TLS. */
void server_cnxn_factory_end_handshake(struct server_cnxn_factory *factory);
/* The selector that gets the next connection. */
struct selector_thread *server_cnxn_factory_next_selector(struct server_cnxn_factory *factory);

#endif
