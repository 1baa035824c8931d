/*
 * monitor_command.c - every number a server has, a line each, for agents (mntr). Mirrors MonitorCommand, the gauges of
 * ZooKeeperServer.registerMetrics and DefaultMetricsProvider.dump.
 *
 * Agents find lines by name, people by place: both are Java's, so gauges stand in the order of its ConcurrentHashMap.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/strings.h"
#include "server/command/command.h"
#include "server/command/environment.h"
#include "server/command/quota_metrics.h"
#include "server/metric/java_map_order.h"

#define MOST_GAUGES 48

struct gauges {    /* in the order they are registered in */
    struct {
        const char *name;
        char text[32];
    } items[MOST_GAUGES];
    size_t count;
};

static void print_row(void *context, const char *name, const char *text)
{
    buffer_printf(context, "zk_%s\t%s\n", name, text);
}

static void print_integer(void *context, const char *name, int64_t value)
{
    buffer_printf(context, "zk_%s\t%" PRId64 "\n", name, value);
}

static char *add_gauge(struct gauges *gauges, const char *name)
{
    assert(gauges->count < MOST_GAUGES);
    gauges->items[gauges->count].name = name;
    return gauges->items[gauges->count++].text;
}

static void add_integer(struct gauges *gauges, const char *name, int64_t value)
{
    char *text = add_gauge(gauges, name);
    snprintf(text, sizeof(gauges->items[0].text), "%" PRId64, value);
}

static void add_double(struct gauges *gauges, const char *name, double value)
{
    format_java_double(value, add_gauge(gauges, name));
}

/* -1 where the system does not tell, as in Java. */
static int64_t open_file_count(void)
{
    struct name_list names;
    if (directory_list("/proc/self/fd", &names, NULL) != ZK_OK)
        return -1;
    int64_t count = (int64_t)names.count - 1;    /* less the one it was listed through */
    name_list_release(&names);
    return count;
}

static int64_t max_file_count(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : -1;
}

static void add_role_gauge(void *context, const char *name, int64_t value)
{
    add_integer(context, name, value);
}

static void read_gauges(struct zookeeper_server *server, struct gauges *gauges)
{
    struct server_core *core = zookeeper_server_core(server);
    struct server_stats *stats = &core->stats;
    struct data_tree *tree = zk_database_tree(core->database);
    struct session_tracker *tracker = core->session_tracker;
    add_double(gauges, "avg_latency", latency_stats_avg(&stats->request_latency));
    add_integer(gauges, "max_latency", latency_stats_max(&stats->request_latency));
    add_integer(gauges, "min_latency", latency_stats_min(&stats->request_latency));
    add_integer(gauges, "packets_received", atomic_load(&stats->packets_received));
    add_integer(gauges, "packets_sent", atomic_load(&stats->packets_sent));
    add_integer(gauges, "num_alive_connections", (int64_t)zookeeper_server_connection_count(server));
    add_integer(gauges, "outstanding_requests", atomic_load(&core->requests_in_process));
    add_integer(gauges, "uptime", clock_elapsed_ms() - atomic_load(&stats->start_time_ms));
    add_integer(gauges, "znode_count", (int64_t)data_tree_node_count(tree));
    add_integer(gauges, "watch_count", (int64_t)data_tree_watch_count(tree));
    add_integer(gauges, "ephemerals_count", (int64_t)data_tree_ephemerals_count(tree));
    add_integer(gauges, "approximate_data_size", data_tree_approximate_data_size(tree));
    add_integer(gauges, "global_sessions", (int64_t)session_table_count(zk_database_sessions(core->database)));
    add_integer(gauges, "local_sessions", (int64_t)tracker->ops->local_session_count(tracker));
    add_integer(gauges, "open_file_descriptor_count", open_file_count());
    add_integer(gauges, "max_file_descriptor_count", max_file_count());
    add_double(gauges, "connection_drop_probability", zookeeper_server_connection_drop_chance(server));
    add_integer(gauges, "last_client_response_size", atomic_load(&stats->client_response_last));
    add_integer(gauges, "max_client_response_size", atomic_load(&stats->client_response_max));
    add_integer(gauges, "min_client_response_size", atomic_load(&stats->client_response_min));
    add_integer(gauges, "outstanding_tls_handshake", zookeeper_server_outstanding_handshakes(server));
    add_integer(gauges, "auth_failed_count", atomic_load(&stats->auth_failed_count));
    add_integer(gauges, "non_mtls_remote_conn_count", atomic_load(&stats->non_mtls_remote_conn_count));
    add_integer(gauges, "non_mtls_local_conn_count", atomic_load(&stats->non_mtls_local_conn_count));
    if (core->role->ops->list_gauges != NULL)
        core->role->ops->list_gauges(core->role, add_role_gauge, gauges);
}

static void print_gauges(const struct gauges *gauges, struct buffer *out)
{
    int32_t hashes[MOST_GAUGES];
    size_t order[MOST_GAUGES];
    for (size_t i = 0; i < gauges->count; i++)
        hashes[i] = string_java_hash(gauges->items[i].name, strlen(gauges->items[i].name));
    java_map_order(hashes, gauges->count, order);
    for (size_t i = 0; i < gauges->count; i++)
        print_row(out, gauges->items[order[i]].name, gauges->items[order[i]].text);
}

void mntr_command(const struct command *command)
{
    struct buffer *out = command->out;
    if (!command_is_serving(command)) {
        buffer_append_string(out, COMMAND_NOT_SERVING "\n");
        return;
    }
    struct server_core *core = zookeeper_server_core(command->server);
    struct gauges gauges = {.count = 0};
    print_row(out, "version", ZKC_ZOOKEEPER_VERSION);
    print_row(out, "server_state", core->role->ops->state_name);
    if (core->role->ops->list_values != NULL)
        core->role->ops->list_values(core->role, print_row, out);
    read_gauges(command->server, &gauges);
    print_gauges(&gauges, out);
    quota_metrics_list(zk_database_tree(core->database), print_integer, out);
    server_metrics_dump(core->metrics, print_row, out);
}
