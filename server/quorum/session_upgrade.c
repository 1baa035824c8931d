/*
 * session_upgrade.c - the ephemeral node that makes a local session a global one.
 *
 * Mirrors org.apache.zookeeper.server.quorum.QuorumZooKeeperServer.
 */
#include "server/quorum/session_upgrade.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "server/quorum/upgradeable_session_tracker.h"

/* ---- does it ask for an ephemeral node ---- */

static int read_flags(int32_t flags, bool *ret_is_ephemeral)
{
    if (!create_mode_is_valid(flags))
        return ZK_BAD_ARGUMENTS;
    *ret_is_ephemeral = create_mode_is_ephemeral(flags);
    return ZK_OK;
}

static int multi_wants_ephemeral(struct jute_reader *reader, bool *ret_wants)
{
    struct multi_ops ops;
    multi_read_ops(reader, &ops);
    if (jute_error(reader) != ZK_OK)
        return ZK_OK;
    for (int32_t i = 0; i < ops.count && !*ret_wants; i++) {
        const struct multi_op *op = &ops.items[i];
        if (op->type != OP_CREATE && op->type != OP_CREATE2)
            continue;
        int err = read_flags(op->request.create.flags, ret_wants);
        if (err != ZK_OK)
            return err;
    }
    return ZK_OK;
}

/* A record that cannot be read asks for nothing; whoever makes its transaction will say so. */
static int wants_ephemeral(struct server_core *core, struct request *request, bool *ret_wants)
{
    struct jute_reader reader;
    request_reader(request, core->jute_limit, &reader);
    if (request->type == OP_MULTI)
        return multi_wants_ephemeral(&reader, ret_wants);
    struct create_request record;
    jute_read_create_request(&reader, &record);
    return jute_error(&reader) != ZK_OK ? ZK_OK : read_flags(record.flags, ret_wants);
}

static bool may_create_ephemeral(int32_t type)
{
    return type == OP_CREATE || type == OP_CREATE2 || type == OP_MULTI;
}

/* ---- public ---- */

void session_upgrade_check(struct server_core *core, struct request *request, struct request **ret_upgrade)
{
    struct session_tracker *tracker = core->session_tracker;
    *ret_upgrade = NULL;
    if (request->is_throttled || !may_create_ephemeral(request->type) ||
        !tracker->ops->is_local_session(tracker, request->session_id))
        return;
    bool wants = false;
    int err = wants_ephemeral(core, request, &wants);
    if (err == ZK_OK && wants && !core->options->local_sessions_upgrading_enabled)
        err = ZK_EPHEMERAL_ON_LOCAL_SESSION;
    if (err != ZK_OK) {
        request->error = err;
        log_debug("Local session 0x%" PRIx64 " cannot be upgraded: %s", (uint64_t)request->session_id, error_name(err));
        return;
    }
    if (wants)
        *ret_upgrade = session_upgrade_make_request(tracker, request->session_id);
}

struct request *session_upgrade_make_request(struct session_tracker *tracker, int64_t session_id)
{
    int32_t timeout_ms = upgradeable_session_tracker_upgrade(tracker, session_id);
    if (timeout_ms < 0)
        return NULL;
    uint8_t record[4];
    store_be32(record, (uint32_t)timeout_ms);
    return request_new_internal(session_id, OP_CREATE_SESSION, (struct slice){record, sizeof record});
}

void session_upgrade_set_local_flag(struct server_core *core, struct request *request)
{
    struct session_tracker *tracker = core->session_tracker;
    if (request->type == OP_CREATE_SESSION) {
        request->is_local_session = tracker->ops->is_local_sessions_enabled(tracker);    /* all new ones are */
    } else if (request->type == OP_CLOSE_SESSION) {
        request->is_local_session = tracker->ops->is_local_session(tracker, request->session_id);
        log_info("Submitting %s closeSession request for session 0x%" PRIx64,
                 request->is_local_session ? "local" : "global", (uint64_t)request->session_id);
    }
}
