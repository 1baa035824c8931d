/* quorum_peer_main.c - runs a server alone or as one of an ensemble. Mirrors QuorumPeerMain. */
#include "server/quorum/quorum_peer_main.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

int quorum_peer_main_start(struct quorum_peer_main *self, struct server_options *options,
                           struct four_letter_hook *four_letter, struct failure_hook *failure, int *ret_exit_code,
                           struct error *error)
{
    *ret_exit_code = EXIT_CODE_INVALID_INVOCATION;
    int err = quorum_peer_config_load(&self->config, options, error);
    if (err != ZK_OK)
        return err;
    if (!self->config.is_distributed) {
        err = zookeeper_server_new(options, 0, four_letter, failure, &self->server, ret_exit_code, error);
        return err == ZK_OK ? zookeeper_server_start(self->server, ret_exit_code, error) : err;
    }
    char *myid = string_format("%" PRId64, self->config.myid);
    log_set_myid(myid);
    memory_free(myid);
    err = quorum_peer_new(options, &self->config, four_letter, failure, &self->peer, ret_exit_code, error);
    if (err != ZK_OK)
        return err;
    self->server = quorum_peer_server(self->peer);
    return quorum_peer_start(self->peer, ret_exit_code, error);
}

void quorum_peer_main_shutdown(struct quorum_peer_main *self)
{
    if (self->peer != NULL)
        quorum_peer_shutdown(self->peer);
    else
        zookeeper_server_shutdown(self->server);
}

void quorum_peer_main_release(struct quorum_peer_main *self)
{
    if (self->peer != NULL)
        quorum_peer_free(self->peer);
    else
        zookeeper_server_free(self->server);
    quorum_peer_config_release(&self->config);
}
