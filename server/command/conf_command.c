/* conf_command.c - what a server runs with (conf), and what its files take (dirs). Mirrors ConfCommand, DirsCommand. */
#include <inttypes.h>

#include "server/command/command.h"

static int max_client_cnxns(struct zookeeper_server *server)
{
    struct server_cnxn_factory *factory = zookeeper_server_factory(server);
    if (factory == NULL)
        factory = zookeeper_server_secure_factory(server);
    return factory == NULL ? -1 : server_cnxn_factory_max_client_cnxns(factory);
}

void conf_command(const struct command *command)
{
    struct buffer *out = command->out;
    if (!command_is_serving(command)) {
        buffer_append_string(out, COMMAND_NOT_SERVING "\n");
        return;
    }
    struct zookeeper_server *server = command->server;
    struct server_core *core = zookeeper_server_core(server);
    struct file_txn_snap_log *files = zk_database_snap_log(core->database);
    buffer_printf(out, "clientPort=%d\n", zookeeper_server_client_port(server));
    buffer_printf(out, "secureClientPort=%d\n", zookeeper_server_secure_client_port(server));
    buffer_printf(out, "dataDir=%s\n", file_txn_snap_log_snap_dir(files));
    buffer_printf(out, "dataDirSize=%" PRId64 "\n", zookeeper_server_data_dir_size(server));
    buffer_printf(out, "dataLogDir=%s\n", file_txn_snap_log_data_log_dir(files));
    buffer_printf(out, "dataLogSize=%" PRId64 "\n", zookeeper_server_log_dir_size(server));
    buffer_printf(out, "tickTime=%" PRId64 "\n", core->options->tick_time);
    buffer_printf(out, "maxClientCnxns=%d\n", max_client_cnxns(server));
    buffer_printf(out, "minSessionTimeout=%d\n", zookeeper_server_min_session_timeout(server));
    buffer_printf(out, "maxSessionTimeout=%d\n", zookeeper_server_max_session_timeout(server));
    buffer_printf(out, "clientPortListenBacklog=%" PRId64 "\n", core->options->client_port_listen_backlog);
    buffer_printf(out, "serverId=%" PRId64 "\n", core->server_id);
    if (core->role->ops->print_conf != NULL)
        core->role->ops->print_conf(core->role, out);
}

void dirs_command(const struct command *command)
{
    if (!command_is_serving(command)) {
        buffer_append_string(command->out, COMMAND_NOT_SERVING "\n");
        return;
    }
    buffer_printf(command->out, "datadir_size: %" PRId64 "\n", zookeeper_server_data_dir_size(command->server));
    buffer_printf(command->out, "logdir_size: %" PRId64 "\n", zookeeper_server_log_dir_size(command->server));
}
