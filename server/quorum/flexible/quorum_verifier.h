/*
 * The members of an ensemble and what makes a quorum of them. Mirrors QuorumVerifier, QuorumMaj, QuorumHierarchical and
 * QuorumOracleMaj. Counted; immutable but for the oracle's need; any thread.
 */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_VERIFIER_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/config/properties.h"
#include "server/quorum/flexible/quorum_server.h"
#include "server/quorum/flexible/sid_set.h"

struct quorum_verifier;

/* What zoo.cfg says beside the list. */
struct quorum_parse_options {
    bool is_multi_address_enabled;
    bool is_standalone_enabled;    /* a list of one participant, or of none, is a server that stands alone */
    const char *oracle_path;       /* NULL: none */
};
/*
 * From server.N, group.N, weight.N and version lines (QuorumPeerConfig.parseDynamicConfig without its warnings): an
 * oracle path makes the quorum of an oracle, groups or weights a hierarchical one, all else a majority. ZK_BAD_CONFIG
 * with Java's sentence: those of quorum_server_parse(), "Unrecognised parameter: ...", a group or weight for no server,
 * observers without a participant, ...
 */
int quorum_verifier_parse(const struct properties *lines, const struct quorum_parse_options *options,
                          struct quorum_verifier **ret_verifier, struct error *error);
/* configFromString: the text of /zookeeper/config, of NEWLEADER and of notifications. */
int quorum_verifier_parse_text(const char *text, size_t size, const struct quorum_parse_options *options,
                               struct quorum_verifier **ret_verifier, struct error *error);
struct quorum_verifier *quorum_verifier_ref(struct quorum_verifier *verifier);
void quorum_verifier_unref(struct quorum_verifier *verifier);    /* NULL is accepted */
/* toString(): byte for byte Java's, without a newline at the end; "version=" in lower-case hexadecimal comes last. */
void quorum_verifier_print(const struct quorum_verifier *verifier, struct buffer *out);

/* ---- copies with a change ---- */
/* The same members with another version. */
struct quorum_verifier *quorum_verifier_with_version(const struct quorum_verifier *verifier, int64_t version);
/* Other members, copied: a majority of them, with the oracle of `verifier` if it has one. For incremental
 * reconfiguration, which a hierarchical one has not. */
struct quorum_verifier *quorum_verifier_with_members(const struct quorum_verifier *verifier,
                                                     const struct quorum_server *const *members, size_t count,
                                                     int64_t version);
/* The client address of zoo.cfg for a member that the list gives none (setupClientPort). */
struct quorum_verifier *quorum_verifier_with_static_client_address(const struct quorum_verifier *verifier, int64_t id,
                                                                   const struct quorum_address *address);

int64_t quorum_verifier_version(const struct quorum_verifier *verifier);
bool quorum_verifier_is_hierarchical(const struct quorum_verifier *verifier);
/* getWeight: 1 for everybody where a majority counts; 0 for one that a hierarchical quorum does not know. */
int64_t quorum_verifier_weight(const struct quorum_verifier *verifier, int64_t id);
/* containsQuorum. With an oracle it may be asked, which reads a file. */
bool quorum_verifier_contains_quorum(struct quorum_verifier *verifier, const struct sid_set *acks);
/* QuorumVerifier.equals: of one kind, and of one version or else with the same members, weights and groups. */
bool quorum_verifier_equal(const struct quorum_verifier *a, const struct quorum_verifier *b);

/* All members by rising id (observers among them). The pointers last as long as the verifier. */
size_t quorum_verifier_count(const struct quorum_verifier *verifier);
const struct quorum_server *quorum_verifier_at(const struct quorum_verifier *verifier, size_t index);
const struct quorum_server *quorum_verifier_find(const struct quorum_verifier *verifier, int64_t id);    /* or NULL */
size_t quorum_verifier_voter_count(const struct quorum_verifier *verifier);
bool quorum_verifier_is_voter(const struct quorum_verifier *verifier, int64_t id);

/* ---- the oracle of an ensemble of two (QuorumOracleMaj); false and nothing for the others ---- */
bool quorum_verifier_has_oracle(const struct quorum_verifier *verifier);
const char *quorum_verifier_oracle_path(const struct quorum_verifier *verifier);    /* NULL: none */
void quorum_verifier_set_need_oracle(struct quorum_verifier *verifier, bool need);
bool quorum_verifier_get_need_oracle(const struct quorum_verifier *verifier);
bool quorum_verifier_ask_oracle(struct quorum_verifier *verifier);
/* updateNeedOracle: nobody follows one of two; needs it from now on if so. `forwarding`: ids of synced followers. */
bool quorum_verifier_update_need_oracle(struct quorum_verifier *verifier, const struct sid_set *forwarding);
/* overrideQuorumDecision: a leader without its follower may go on; it then tries its outstanding proposals again, in
 * their order (revalidateOutstandingProp), which is the leader's to do. */
bool quorum_verifier_override_quorum_decision(struct quorum_verifier *verifier, const struct sid_set *forwarding);

#endif
