/*
 * The configuration that a reconfig request asks for. Mirrors the case reconfig of PrepRequestProcessor. A function of
 * what is handed in; names of joining servers are looked up, which blocks.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_RECONFIG_H
#define ZKC_SERVER_QUORUM_QUORUM_RECONFIG_H

#include "common/wire/records.h"
#include "server/quorum/flexible/quorum_verifier.h"

/* What the next configuration is held against. */
struct reconfig_state {
    const struct quorum_verifier *current, *last_seen;    /* committed, proposed */
    bool is_standalone_enabled, is_multi_address_enabled;
    /* Has it a quorum that is connected and in sync (Leader.isQuorumSynced). */
    bool (*is_quorum_synced)(void *owner, struct quorum_verifier *next);
    void *owner;
};
/*
 * In Java's order: ZK_RECONFIG_IN_PROGRESS, ZK_BAD_VERSION, ZK_BAD_ARGUMENTS, ZK_NEW_CONFIG_NO_QUORUM; or
 * ZK_MARSHALLING_ERROR for an id that is no number, as Java's clients get it. ZK_OK: *ret_next, of version `zxid`, is
 * the caller's.
 */
int quorum_reconfig_prepare(const struct reconfig_state *state, const struct reconfig_request *request, int64_t zxid,
                            struct quorum_verifier **ret_next, struct error *error);

#endif
