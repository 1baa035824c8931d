/*
 * Who belongs to the ensemble, and who in it this server is: the list of zoo.cfg or of its dynamicConfigFile, with myid
 * and the options that go with them. Mirrors the distributed half of QuorumPeerConfig. Main thread.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_PEER_CONFIG_H
#define ZKC_SERVER_QUORUM_QUORUM_PEER_CONFIG_H

#include "common/net/address.h"
#include "server/config/server_options.h"
#include "server/quorum/flexible/quorum_verifier.h"

/* {0} is an empty one. */
struct quorum_peer_config {
    bool is_distributed;                           /* false: this server stands alone */
    int64_t myid;                                  /* -1: none */
    enum learner_type learner_type;                /* as the list has it */
    struct quorum_verifier *verifier;              /* without members where there is no list */
    struct quorum_verifier *last_seen_verifier;    /* of zoo.cfg.dynamic.next; NULL: none */
    struct address client_address;                 /* set in an ensemble, where clientPort is */
};
/*
 * From options that server_options_validate() found good. Where one server of the list stands alone, its client port is
 * put into `options`. An ensemble that may be reconfigured and has its list in zoo.cfg gets a zoo.cfg.bak.
 * ZK_OK; ZK_NOT_FOUND, ZK_IO for files; ZK_BAD_CONFIG with Java's sentence: those of quorum_verifier_parse(), "dynamic
 * file shouldn't have version inside", "client address for this server ... is different from ...", "initLimit is not
 * set", ... The config is to be released in any case.
 */
int quorum_peer_config_load(struct quorum_peer_config *config, struct server_options *options, struct error *error);
void quorum_peer_config_release(struct quorum_peer_config *config);

#endif
