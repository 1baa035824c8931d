/*
 * watch_command.c - how many watches (wchs), by path (wchp), by session (wchc). Mirrors WatchCommand, which looks at
 * the watches for data and not at those for children.
 */
#include "server/command/command.h"

static struct watch_manager *data_watches(const struct command *command)
{
    return data_tree_data_watches(zk_database_tree(zookeeper_server_core(command->server)->database));
}

static void print_watches(const struct command *command, bool by_path)
{
    if (command_is_serving(command))
        watch_manager_print(data_watches(command), by_path, command->out);
    else
        buffer_append_string(command->out, COMMAND_NOT_SERVING);
    buffer_append_string(command->out, "\n");
}

void wchc_command(const struct command *command)
{
    print_watches(command, false);
}

void wchp_command(const struct command *command)
{
    print_watches(command, true);
}

void wchs_command(const struct command *command)
{
    if (command_is_serving(command))
        watch_manager_print_summary(data_watches(command), command->out);
    else
        buffer_append_string(command->out, COMMAND_NOT_SERVING);
    buffer_append_string(command->out, "\n");
}
