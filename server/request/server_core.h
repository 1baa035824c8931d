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

/* What differs by role, in place of subclasses. */
struct role_ops {
    const char *state_name;    /* "standalone", "leader", ... as `srvr` prints */
    bool is_read_only;
    bool has_reconfig;         /* false: reconfig answers ZK_UNIMPLEMENTED, as a standalone Java server */
};
/* Upcalls to zookeeper_server. */
struct core_callbacks {
    /* createSession is done (or failed): the connect response. */
    void (*finish_session_init)(struct server_core *core, struct server_cnxn *cnxn, bool is_valid);
    /* The connection of a session, if it has one here, is closed; true if there was. */
    bool (*close_session)(struct server_core *core, int64_t session_id, enum disconnect_reason reason);
    /* Replies and events are out: wake who writes them. */
    void (*flush_connections)(struct server_core *core);
    /* Nothing more can be acknowledged: the process has to end with this code. Returns. */
    void (*fail)(struct server_core *core, int exit_code, const struct error *error);
};

struct server_core {
    const struct server_options *options;
    const struct role_ops *role;
    const struct core_callbacks *callbacks;
    int64_t server_id;
    struct server_metrics *metrics;
    struct server_stats stats;
    struct zk_database *database;
    struct session_tracker *session_tracker;
    struct provider_registry *providers;
    struct outstanding_changes *outstanding_changes;
    _Atomic int64_t zxid;                  /* hzxid: the last one given out */
    _Atomic int64_t requests_in_process;
    _Atomic bool has_failed;
    int32_t jute_limit;                    /* longest string or buffer in a request: jute.maxbuffer + extra */
    struct ephemeral_rules ephemeral_rules;
    bool digest_enabled, close_session_txn_enabled, skip_acl, enforce_quota;
    struct log_limiter *quota_limiter;
};

/* ServerCnxn.me: the owner of requests that came from a connection of this server. */
extern const char server_core_me[];

static inline int64_t server_core_next_zxid(struct server_core *core)
{
    return atomic_fetch_add(&core->zxid, 1) + 1;
}
/* checkQuota: ZK_OK, ZK_QUOTA_EXCEEDED, or ZK_MARSHALLING_ERROR for a malformed quota; soft limits only log. `is_create` counts a node. */
int server_core_check_quota(struct server_core *core, struct ustring path, const struct blob *last_data,
                            int32_t data_size, bool is_create);
/* processTxn: tree, sessions, outstanding changes. Writer thread only. A request without a txn changes nothing. */
void server_core_process_txn(struct server_core *core, struct request *request, struct process_txn_result *ret_result);
void server_core_request_finished(struct server_core *core, struct request *request);

#endif
