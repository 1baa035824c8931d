/*
 * dump_command.c - sessions and connections by the time they expire, ephemeral nodes by their session. Mirrors
 * DumpCommand.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "server/command/command.h"

/* A connection, and the end of its bucket at the moment it was looked at. */
struct expiring {
    struct server_cnxn *cnxn;
    int64_t expiry_ms;
};

static int compare_expiring(const void *a, const void *b)
{
    const struct expiring *left = a, *right = b;
    return (left->expiry_ms > right->expiry_ms) - (left->expiry_ms < right->expiry_ms);
}

/* How many from here on end together. */
static size_t bucket_size(const struct expiring *expiring, size_t count)
{
    size_t size = 1;
    while (size < count && expiring[size].expiry_ms == expiring[0].expiry_ms)
        size++;
    return size;
}

/* NIOServerCnxn.toString() */
static void print_connection(const struct server_cnxn *cnxn, struct buffer *out)
{
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    buffer_printf(out, "\tip: %s sessionId: 0x%" PRIx64 "\n", peer, (uint64_t)atomic_load(&cnxn->session_id));
}

/* NIOServerCnxnFactory.dumpConnections, without the buckets that are empty by now. */
static void print_connections(struct server_cnxn_factory *factory, struct buffer *out)
{
    size_t listed, count = 0, buckets = 0;
    int64_t wall_offset_ms = clock_wall_ms() - clock_elapsed_ms();
    struct server_cnxn **cnxns = server_cnxn_factory_list(factory, &listed);
    struct expiring *expiring = MEMORY_NEW_ARRAY(listed, struct expiring);
    for (size_t i = 0; i < listed; i++) {
        int64_t expiry_ms = atomic_load(&cnxns[i]->expiry_link.expiry_ms);
        if (expiry_ms != 0)
            expiring[count++] = (struct expiring){cnxns[i], expiry_ms};
    }
    qsort(expiring, count, sizeof(expiring[0]), compare_expiring);
    for (size_t at = 0; at < count; at += bucket_size(expiring + at, count - at))
        buckets++;

    buffer_append_string(out, "Connections ");
    expiry_queue_print_head(buckets, count, out);
    for (size_t at = 0, size; at < count; at += size) {
        size = bucket_size(expiring + at, count - at);
        expiry_queue_print_bucket(size, expiring[at].expiry_ms, wall_offset_ms, out);
        for (size_t i = at; i < at + size; i++)
            print_connection(expiring[i].cnxn, out);
    }
    for (size_t i = 0; i < listed; i++)
        server_cnxn_unref(cnxns[i]);
    memory_free(expiring);
    memory_free(cnxns);
}

void dump_command(const struct command *command)
{
    struct buffer *out = command->out;
    if (!command_is_serving(command)) {
        buffer_append_string(out, COMMAND_NOT_SERVING "\n");
        return;
    }
    struct server_core *core = zookeeper_server_core(command->server);
    buffer_append_string(out, "SessionTracker dump:\n");
    core->session_tracker->ops->print_sessions(core->session_tracker, out);
    buffer_append_string(out, "ephemeral nodes dump:\n");
    data_tree_print_ephemerals(zk_database_tree(core->database), out);
    buffer_append_string(out, "Connections dump:\n");
    if (command->factory != NULL)
        print_connections(command->factory, out);
}
