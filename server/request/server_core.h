/*
 * What processors share: options, database, sessions, zxid, counters; and what they ask of the role they serve. Mirrors
 * the state of ZooKeeperServer. Owned by zookeeper_server; fields are set before the chain starts.
 */
#ifndef ZKC_SERVER_REQUEST_SERVER_CORE_H
#define ZKC_SERVER_REQUEST_SERVER_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/auth/acl_check.h"
#include "server/config/server_options.h"
#include "server/metric/server_metrics.h"
#include "server/metric/server_stats.h"
#include "server/persistence/zk_database.h"
#include "server/request/outstanding_changes.h"
#include "server/request/request_processor.h"
#include "server/session/session_tracker.h"

struct server_core;
struct request_throttler;
struct response_cache;

/* What processors and connections ask of the role they serve, in place of subclasses. NULL is what a server that stands
 * alone does. */
struct server_role;
struct role_ops {
    const char *state_name;    /* "standalone", "leader", ... as `srvr` prints */
    bool is_read_only;
    /* Runs, but not for clients of its own: a leader under leaderServes=no. NULL: takes them. */
    bool (*refuses_clients)(struct server_role *role);
    bool has_consensus;        /* a write, also one that cannot be read, is answered by the commit of its transaction */

    /* May a client come back to this session here: ZK_OK, or the connection is closed, its close_reason set. Selector
     * thread. Default: yes. */
    int (*validate_session)(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id,
                            struct error *error);
    /* A client came back to its session; answers at once or later through finish_session_init. Selector thread.
     * Default: touch the session. */
    void (*revalidate_session)(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id,
                               int32_t timeout_ms);
    /* setLocalSessionFlag: is this createSession or closeSession one of a local session. */
    void (*set_local_session_flag)(struct server_role *role, struct request *request);
    /* prep: the configuration a reconfig request asks for, of version `zxid`, as text; or the error for the client. The
     * part of pRequest2Txn for OpCode.reconfig before the ACL check. NULL: ZK_UNIMPLEMENTED. */
    int (*prepare_reconfig)(struct server_role *role, const struct reconfig_request *record, int64_t zxid,
                            struct buffer *ret_config);
    /* final: the present configuration as text, the answer to a committed reconfig; processReconfig is done
     * elsewhere. */
    void (*print_config)(struct server_role *role, struct buffer *out);
    /* getGlobalOutstandingLimit, from the configured one. */
    int64_t (*global_outstanding_limit)(struct server_role *role, int64_t configured);

    /* Words, on the selector that asks: what stands between version and gauges (dumpMonitorValues of mntr); gauges
     * beside a lone server's (mntr), in the order of registering; what stands behind its lines (conf, stat and srvr);
     * its own counters set back (srst). */
    void (*list_values)(struct server_role *role, void (*value)(void *context, const char *name, const char *text),
                        void *context);
    void (*list_gauges)(struct server_role *role, void (*gauge)(void *context, const char *name, int64_t value),
                        void *context);
    void (*print_conf)(struct server_role *role, struct buffer *out);
    void (*print_stats)(struct server_role *role, struct buffer *out);
    void (*reset_stats)(struct server_role *role);
};
/* The beginning of leader_zookeeper_server and the like. */
struct server_role {
    const struct role_ops *ops;
};
/* Upcalls to zookeeper_server. */
struct core_callbacks {
    /* createSession is done (or failed): the connect response. */
    void (*finish_session_init)(struct server_core *core, struct server_cnxn *cnxn, bool is_valid);
    /* The connection of a session, if it has one here, is closed; true if there was. */
    bool (*close_session)(struct server_core *core, int64_t session_id, enum disconnect_reason reason);
    /* Replies and events are queued: send them, or wake who does. No lock is held. */
    void (*flush_connections)(struct server_core *core);
    /* Nothing more can be acknowledged: the process has to end with this code. Returns. */
    void (*fail)(struct server_core *core, int exit_code, const struct error *error);
};

struct server_core {
    const struct server_options *options;
    struct server_role *role;              /* never NULL; that of a server that serves nobody between roles */
    const struct core_callbacks *callbacks;
    int64_t server_id;
    struct server_metrics *metrics;
    struct server_stats stats;
    struct zk_database *database;
    struct session_tracker *session_tracker;
    struct provider_registry *providers;
    struct outstanding_changes *outstanding_changes;
    struct response_cache *data_responses, *children_responses;    /* NULL while no role is served */
    _Atomic int64_t zxid;                  /* hzxid: the last one given out */
    _Atomic int64_t requests_in_process;
    _Atomic int64_t requests_waiting;      /* getInflight: in front of the chain */
    _Atomic int64_t large_request_bytes;   /* of large requests in process */
    struct request_throttler *throttler;   /* in front of the chain; NULL: none is wanted, or no role is served */
    _Atomic bool has_failed;
    int32_t jute_limit;                    /* longest string or buffer in a request: jute.maxbuffer + extra */
    struct ephemeral_rules ephemeral_rules;
    bool digest_enabled, close_session_txn_enabled, skip_acl, enforce_quota;
    struct log_limiter *quota_limiter;
};

/* ServerCnxn.me: the owner of requests that came from a connection of this server. */
extern const char server_core_me[];

/* Request.isFromLearner: its owner is the handler of a learner. */
static inline bool server_core_is_from_learner(const struct request *request)
{
    return request->owner != NULL && request->owner != server_core_me;
}
/* Request.isStale: its connection closed meanwhile, or it took longer than its session lives, as far as the options
 * call that stale; nothing of it is worth doing any more. The end of a session never is. */
bool server_core_is_stale(const struct server_core *core, const struct request *request);
static inline int64_t server_core_next_zxid(struct server_core *core)
{
    return atomic_fetch_add(&core->zxid, 1) + 1;
}
/* checkQuota: ZK_OK, ZK_QUOTA_EXCEEDED, or ZK_MARSHALLING_ERROR for a malformed quota; soft limits only log. The data
 * replaces `last_size` bytes; `is_create` counts a node. */
int server_core_check_quota(struct server_core *core, struct ustring path, size_t last_size, int32_t data_size,
                            bool is_create);
/* processTxn: tree, sessions, outstanding changes. Writer thread only. A request without a txn changes nothing. */
void server_core_process_txn(struct server_core *core, struct request *request, struct process_txn_result *ret_result);
/* Request.logLatency: the time since its transaction was made, wall clock of the leader; nothing for a read. */
void server_core_sample_since_txn(struct server_core *core, enum metric metric, const struct request *request);
void server_core_request_finished(struct server_core *core, struct request *request);

#endif
