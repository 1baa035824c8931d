/*
 * server_core.c - quotas, and applying a transaction to everything that has to know of it.
 *
 * Mirrors ZooKeeperServer.checkQuota, processTxn and processTxnForSessionEvents.
 */
#include "server/request/server_core.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "server/request/request_throttler.h"
#include "server/tree/quota.h"

const char server_core_me[] = "me";

/* ---- quota ---- */

/* ZK_NO_NODE when the node is not there, which is nobody's fault; ZK_MARSHALLING_ERROR for text that is no quota, on
 * which Java trips. */
static int read_track(struct data_tree *tree, struct buffer *path, struct stats_track *ret_track)
{
    struct ustring node = {(const char *)path->bytes, (int32_t)path->size};
    struct zk_stat stat;
    struct blob *data = NULL;
    if (data_tree_get_data(tree, node, NULL, NULL, &stat, &data) != ZK_OK) {
        log_error("Missing node for quota %s", buffer_string(path));
        return ZK_NO_NODE;
    }
    bool is_good = data != NULL && stats_track_parse(data->bytes, data->size, ret_track);
    blob_unref(data);
    return is_good ? ZK_OK : ZK_MARSHALLING_ERROR;
}

/* The part of a path up to the second '/', as PathUtils.getTopNamespace. */
static struct ustring top_namespace(struct ustring path)
{
    for (int32_t i = 1; i < path.size; i++)
        if (path.bytes[i] == '/')
            return (struct ustring){path.bytes + 1, i - 1};
    return path.size > 1 ? (struct ustring){path.bytes + 1, path.size - 1} : USTRING_NULL;
}

/* One of count and bytes. A hard limit that is passed refuses, a soft one is told of. */
static int check_limit(struct server_core *core, struct ustring prefix, const char *what, int64_t now, int64_t hard,
                       int64_t soft)
{
    int64_t limit = hard > -1 ? hard : soft;
    if (now <= limit)
        return ZK_OK;
    log_warn_limited(core->quota_limiter,
                     "Quota exceeded: %.*s [current %s=%" PRId64 ", %s limit=%" PRId64 "]", prefix.size, prefix.bytes,
                     what, now, hard > -1 ? "hard" : "soft", limit);
    if (hard <= -1)
        return ZK_OK;
    struct ustring space = top_namespace(prefix);
    if (space.size > 0)
        server_metrics_count_key(core->metrics, METRIC_QUOTA_EXCEEDED_ERROR_PER_NAMESPACE, space, 1);
    return ZK_QUOTA_EXCEEDED;
}

static int check_prefix_quota(struct server_core *core, struct ustring prefix, int64_t bytes_diff, int64_t count_diff)
{
    struct data_tree *tree = zk_database_tree(core->database);
    struct buffer path = {0};
    struct stats_track limits, current;
    quota_limit_path(prefix, &path);
    int err = read_track(tree, &path, &limits);
    if (err != ZK_OK)
        goto out;
    bool check_count = count_diff != 0 && (limits.count > -1 || limits.count_hard_limit > -1);
    bool check_bytes = bytes_diff != 0 && (limits.bytes > -1 || limits.byte_hard_limit > -1);
    if (!check_count && !check_bytes)
        goto out;
    buffer_clear(&path);
    quota_stat_path(prefix, &path);
    err = read_track(tree, &path, &current);
    if (err != ZK_OK)
        goto out;
    if (check_count)
        err = check_limit(core, prefix, "count", current.count + count_diff, limits.count_hard_limit, limits.count);
    if (err == ZK_OK && check_bytes)
        err = check_limit(core, prefix, "bytes", current.bytes + bytes_diff, limits.byte_hard_limit, limits.bytes);
out:
    buffer_release(&path);
    return err == ZK_NO_NODE ? ZK_OK : err;
}

int server_core_check_quota(struct server_core *core, struct ustring path, size_t last_size, int32_t data_size,
                            bool is_create)
{
    if (!core->enforce_quota)
        return ZK_OK;
    size_t prefix_size = data_tree_max_prefix_with_quota(zk_database_tree(core->database), path);
    if (prefix_size == 0)
        return ZK_OK;
    struct ustring prefix = {path.bytes, (int32_t)prefix_size};
    int64_t bytes_diff = (data_size > 0 ? data_size : 0) - (int64_t)last_size;
    return check_prefix_quota(core, prefix, bytes_diff, is_create ? 1 : 0);
}

/* ---- applying ---- */

static void process_session_event(struct server_core *core, struct request *request)
{
    struct session_tracker *tracker = core->session_tracker;
    if (request->type == OP_CREATE_SESSION) {
        if (request->txn != NULL && request->txn->header.type == OP_CREATE_SESSION)
            tracker->ops->commit_session(tracker, request->session_id,
                                         request->txn->body.record.create_session.time_out);
    } else if (request->type == OP_CLOSE_SESSION) {
        tracker->ops->remove_session(tracker, request->session_id);
    }
}

void server_core_process_txn(struct server_core *core, struct request *request, struct process_txn_result *ret_result)
{
    *ret_result = (struct process_txn_result){.path = USTRING_NULL};
    process_session_event(core, request);
    if (request->txn == NULL)
        return;
    zk_database_process_txn(core->database, request->txn, &request->arena, ret_result);
    outstanding_changes_remove_up_to(core->outstanding_changes, request->txn->header.zxid);
}

void server_core_sample_since_txn(struct server_core *core, enum metric metric, const struct request *request)
{
    if (request->txn == NULL)
        return;
    int64_t latency_ms = clock_wall_ms_since(request->txn->header.time);
    if (latency_ms >= 0)
        server_metrics_sample(core->metrics, metric, latency_ms);
}

bool server_core_is_stale(const struct server_core *core, const struct request *request)
{
    const struct server_cnxn *cnxn = request->cnxn;
    if (cnxn == NULL || request->type == OP_CLOSE_SESSION)
        return false;
    if (core->options->request_stale_connection_check &&
        (atomic_load(&cnxn->is_stale) || atomic_load(&cnxn->is_invalid)))
        return true;
    return core->options->request_stale_latency_check &&
           clock_elapsed_ms() - request->create_time_ms > atomic_load(&cnxn->session_timeout_ms);
}

void server_core_request_finished(struct server_core *core, struct request *request)
{
    if (request->cnxn != NULL)
        atomic_fetch_sub(&core->requests_in_process, 1);
    request_uncount_large(request);
    if (core->throttler != NULL)
        request_throttler_wake(core->throttler);
}
