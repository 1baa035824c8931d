/* cons_command.c - connections one by one (cons), their counters set back (crst). Mirrors ConsCommand,
 * CnxnStatResetCommand. */
#include "common/base/memory.h"
#include "server/command/command.h"

void cons_command(const struct command *command)
{
    if (!command_is_serving(command)) {
        buffer_append_string(command->out, COMMAND_NOT_SERVING "\n");
        return;
    }
    size_t count = 0;
    struct server_cnxn **cnxns = command->factory == NULL ? NULL : server_cnxn_factory_list(command->factory, &count);
    for (size_t i = 0; i < count; i++) {
        server_cnxn_print(cnxns[i], false, command->out);
        buffer_append_string(command->out, "\n");
        server_cnxn_unref(cnxns[i]);
    }
    memory_free(cnxns);
    buffer_append_string(command->out, "\n");
}

void crst_command(const struct command *command)
{
    if (!command_is_serving(command)) {
        buffer_append_string(command->out, COMMAND_NOT_SERVING "\n");
        return;
    }
    size_t count = 0;
    struct server_cnxn **cnxns = command->factory == NULL ? NULL : server_cnxn_factory_list(command->factory, &count);
    for (size_t i = 0; i < count; i++) {
        server_cnxn_reset_stats(cnxns[i]);
        server_cnxn_unref(cnxns[i]);
    }
    memory_free(cnxns);
    buffer_append_string(command->out, "Connection stats reset.\n");
}
