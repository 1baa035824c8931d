/*
 * The ports learners come to. Mirrors Leader.LearnerCnxAcceptor and its handlers, one thread
 * "LearnerCnxAcceptorHandler-<addr>" each address; each learner gets a handler (learner_handler.h).
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_CNX_ACCEPTOR_H
#define ZKC_SERVER_QUORUM_LEARNER_CNX_ACCEPTOR_H

#include "common/net/address.h"
#include "server/quorum/learner_master.h"

struct learner_cnx_acceptor;
struct learner_cnx_acceptor_hook {
    /* Called once, by a thread that can accept no more: without it nobody would come in (4203). */
    void (*failed)(struct learner_cnx_acceptor_hook *self, const char *reason);
};
/* Binds what can be bound of these; ZK_IO, naming them, when none can. The master and the hook are borrowed. */
int learner_cnx_acceptor_new(const struct address *addresses, size_t count, struct learner_master *master,
                             struct learner_cnx_acceptor_hook *hook, struct learner_cnx_acceptor **ret_acceptor,
                             struct error *error);
/* Where a leader listens: the addresses of this server in its configuration, or all with quorumListenOnAllIPs; `port`
 * in place of theirs if it is not 0. ZK_NOT_FOUND when this server is in no configuration or has no address. */
int learner_cnx_acceptor_addresses(struct quorum_self *self, uint16_t port, struct address *ret_addresses, size_t most,
                                   size_t *ret_count, struct error *error);
void learner_cnx_acceptor_start(struct learner_cnx_acceptor *acceptor);
void learner_cnx_acceptor_shutdown(struct learner_cnx_acceptor *acceptor);    /* any thread; does not wait */
/* Joined and closed, after _shutdown() if it was started. NULL is accepted. */
void learner_cnx_acceptor_free(struct learner_cnx_acceptor *acceptor);
uint16_t learner_cnx_acceptor_port(const struct learner_cnx_acceptor *acceptor);    /* of the first; for tests */

#endif
