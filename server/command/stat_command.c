/* stat_command.c - a server in ten lines (srvr), its connections too (stat), its counters set back (srst). Mirrors
 * StatCommand, StatResetCommand and ServerStats.toString. */
#include <inttypes.h>

#include "common/base/memory.h"
#include "server/command/command.h"
#include "server/command/environment.h"

static void print_clients(struct server_cnxn_factory *factory, struct buffer *out)
{
    size_t count = 0;
    struct server_cnxn **cnxns = factory == NULL ? NULL : server_cnxn_factory_list(factory, &count);
    buffer_append_string(out, "Clients:\n");
    for (size_t i = 0; i < count; i++) {
        server_cnxn_print(cnxns[i], true, out);
        buffer_append_string(out, "\n");
        server_cnxn_unref(cnxns[i]);
    }
    memory_free(cnxns);
    buffer_append_string(out, "\n");
}

static void print_stats(struct zookeeper_server *server, struct buffer *out)
{
    struct server_core *core = zookeeper_server_core(server);
    struct server_stats *stats = &core->stats;
    struct data_tree *tree = zk_database_tree(core->database);
    char average[32];
    format_java_double(latency_stats_avg(&stats->request_latency), average);
    buffer_printf(out, "Latency min/avg/max: %" PRId64 "/%s/%" PRId64 "\n", latency_stats_min(&stats->request_latency),
                  average, latency_stats_max(&stats->request_latency));
    buffer_printf(out, "Received: %" PRId64 "\n", atomic_load(&stats->packets_received));
    buffer_printf(out, "Sent: %" PRId64 "\n", atomic_load(&stats->packets_sent));
    buffer_printf(out, "Connections: %zu\n", zookeeper_server_connection_count(server));
    buffer_printf(out, "Outstanding: %" PRId64 "\n", atomic_load(&core->requests_in_process));
    buffer_printf(out, "Zxid: 0x%" PRIx64 "\n", (uint64_t)data_tree_last_processed_zxid(tree));
    buffer_printf(out, "Mode: %s\n", core->role->ops->state_name);
    buffer_printf(out, "Node count: %zu\n", data_tree_node_count(tree));
    if (core->role->ops->print_stats != NULL)
        core->role->ops->print_stats(core->role, out);
}

static void print_answer(const struct command *command, bool has_clients)
{
    struct buffer *out = command->out;
    if (!command_is_serving(command)) {
        buffer_append_string(out, COMMAND_NOT_SERVING "\n");
        return;
    }
    buffer_append_string(out, "Zookeeper version: " ZKC_ZOOKEEPER_VERSION "\n");
    if (zookeeper_server_core(command->server)->role->ops->is_read_only)
        buffer_append_string(out, "READ-ONLY mode; serving only read-only clients\n");
    if (has_clients)
        print_clients(command->factory, out);
    print_stats(command->server, out);
}

void srst_command(const struct command *command)
{
    if (!command_is_serving(command)) {
        buffer_append_string(command->out, COMMAND_NOT_SERVING "\n");
        return;
    }
    struct server_core *core = zookeeper_server_core(command->server);
    server_stats_reset(&core->stats);
    if (core->role->ops->reset_stats != NULL)
        core->role->ops->reset_stats(core->role);
    buffer_append_string(command->out, "Server stats reset.\n");
}

void srvr_command(const struct command *command)
{
    print_answer(command, false);
}

void stat_command(const struct command *command)
{
    print_answer(command, true);
}
