/*
 * quorum_zookeeper_server.c - local sessions, the limit of requests in process, the configuration: alike in all roles.
 *
 * Mirrors org.apache.zookeeper.server.quorum.QuorumZooKeeperServer.
 */
#include "server/quorum/quorum_zookeeper_server.h"

#include <inttypes.h>

#include "server/quorum/session_upgrade.h"

static struct quorum_zookeeper_server *zks_of(struct server_role *role)
{
    return container_of(role, struct quorum_zookeeper_server, role);
}

void quorum_zookeeper_server_init(struct quorum_zookeeper_server *zks, const struct role_ops *ops,
                                  struct quorum_self *self, struct zookeeper_server *server)
{
    *zks = (struct quorum_zookeeper_server){{ops}, self, server, zookeeper_server_core(server)};
}

struct quorum_tracker_options quorum_zookeeper_server_tracker_options(const struct quorum_zookeeper_server *zks)
{
    const struct server_options *options = zks->core->options;
    return (struct quorum_tracker_options){
        .expirer = zookeeper_server_expirer(zks->server),
        .sessions = zk_database_sessions(zks->core->database),
        .tick_time_ms = (int32_t)options->tick_time,
        .server_id = zks->core->server_id,
        .local_sessions_enabled = options->local_sessions_enabled,
        .metrics = zks->core->metrics,
    };
}

int64_t quorum_zookeeper_server_outstanding_limit(struct server_role *role, int64_t configured)
{
    struct quorum_verifier *verifier = quorum_self_verifier(zks_of(role)->self);
    size_t voters = quorum_verifier_voter_count(verifier);
    quorum_verifier_unref(verifier);
    return voters > 2 ? configured / (int64_t)(voters - 1) : configured;
}

void quorum_zookeeper_server_set_local_session_flag(struct server_role *role, struct request *request)
{
    session_upgrade_set_local_flag(zks_of(role)->core, request);
}

void quorum_zookeeper_server_print_config(struct server_role *role, struct buffer *out)
{
    struct quorum_verifier *verifier = quorum_self_verifier(zks_of(role)->self);
    quorum_verifier_print(verifier, out);
    quorum_verifier_unref(verifier);
}

/* The ports of several addresses with | between them. */
static void print_ports(const char *key, const struct quorum_address *addresses, size_t count, struct buffer *out)
{
    buffer_printf(out, "%s=", key);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s%u", i == 0 ? "" : "|", addresses[i].port);
    buffer_append_string(out, "\n");
}

void quorum_zookeeper_server_print_conf(struct server_role *role, struct buffer *out)
{
    struct quorum_self *self = zks_of(role)->self;
    const struct server_options *options = self->options;
    buffer_printf(out, "initLimit=%" PRId64 "\nsyncLimit=%" PRId64 "\nelectionAlg=%" PRId64 "\n", options->init_limit,
                  options->sync_limit, options->election_alg);
    struct quorum_verifier *holder;
    const struct quorum_server *me;
    if (quorum_self_find_server(self, self->id, &holder, &me)) {
        print_ports("electionPort", me->election_addresses, me->election_address_count, out);
        print_ports("quorumPort", me->addresses, me->address_count, out);
        quorum_verifier_unref(holder);
    }
    buffer_printf(out, "peerType=%d\nmembership: \n", (int)quorum_self_learner_type(self));
    quorum_zookeeper_server_print_config(role, out);
}

void quorum_zookeeper_server_list_values(struct server_role *role,
                                         void (*value)(void *context, const char *name, const char *text),
                                         void *context)
{
    struct buffer text = {0};
    quorum_self_print_state(zks_of(role)->self, &text);
    value(context, "peer_state", buffer_string(&text));
    buffer_release(&text);
}

void quorum_zookeeper_server_list_gauges(struct server_role *role,
                                         void (*gauge)(void *context, const char *name, int64_t value), void *context)
{
    struct quorum_verifier *verifier = quorum_self_verifier(zks_of(role)->self);
    gauge(context, "quorum_size", (int64_t)quorum_verifier_voter_count(verifier));
    quorum_verifier_unref(verifier);
}
