/*
 * What the files that make up zookeeper_server share: zookeeper_server.c (life), standalone_server.c (the role
 * without others), client_packets.c (what connections bring), session_connect.c (the handshake). Nobody else includes
 * it.
 */
#ifndef ZKC_SERVER_ZOOKEEPER_SERVER_PARTS_H
#define ZKC_SERVER_ZOOKEEPER_SERVER_PARTS_H

#include "common/base/log.h"
#include "common/base/strings.h"
#include "common/thread/rw_lock.h"
#include "server/cnxn/server_tls.h"
#include "server/container_manager.h"
#include "server/datadir_cleanup_manager.h"
#include "server/request/request_throttler.h"
#include "server/session/blue_throttle.h"
#include "server/zookeeper_server.h"

/* The role of a server without others; standalone_server.c. */
struct standalone_role {
    struct server_role role;
    struct request_processor *prep, *sync, *final;
    bool snapshot_is_due;    /* the chain is to begin with one */
};

struct zookeeper_server {
    struct packet_sink sink;             /* for the connections */
    struct session_expirer expirer;      /* for the session tracker */
    struct server_core core;
    struct block_pool *requests;         /* memory of what connections bring */
    const struct server_options *options;
    struct four_letter_hook *four_letter;
    struct failure_hook *failure;
    _Atomic int state;                   /* enum server_state */
    _Atomic bool refuses_clients;        /* as the role says: leaderServes=no */
    _Atomic int32_t min_session_timeout_ms, max_session_timeout_ms;
    _Atomic int64_t global_outstanding_limit;
    char **enforced_schemes;             /* enforce.auth.schemes; NULL when enforcement is off */
    size_t enforced_scheme_count;

    struct blue_throttle connection_throttle;

    struct server_cnxn_factory *factory, *secure_factory;    /* NULL: there is no such port */
    struct server_tls *tls;              /* NULL: nobody speaks TLS */
    struct datadir_cleanup_manager *cleanup_manager;
    bool is_open;                        /* connections are accepted */

    /*
     * Connections read it while they ask something of the role; a role that is taken down is freed under it. Chain,
     * tracker and role (also core.role, core.session_tracker, core.outstanding_changes) change under it only.
     */
    struct rw_lock role_lock;
    struct standalone_role standalone;
    struct server_role idle;             /* whom the server serves between roles: nobody */
    const struct role_life *life;        /* NULL between roles */
    struct request_processor *first;     /* of the chain */
    struct request_processor *pings;     /* who answers pings beside it; NULL: they go through the chain */
    struct request_processor intake;     /* behind the throttler: submitRequestNow */
    struct container_sink *container_sink;
    struct container_manager *container_manager;

    struct log_limiter refused, dropped, quota;
};

/* client_packets.c */
extern const struct packet_sink_ops client_packets_ops;
void client_packets_init_intake(struct request_processor *intake);

/* session_connect.c: the connect request of a new or returning session, and its answer. */
int session_connect_process(struct zookeeper_server *server, struct server_cnxn *cnxn, struct slice frame,
                            struct error *error);
void session_connect_finish(struct zookeeper_server *server, struct server_cnxn *cnxn, bool is_valid);

#endif
