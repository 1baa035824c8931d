/* One member of an ensemble, as a server.N line has it. Mirrors QuorumPeer.QuorumServer and MultipleAddresses. Values
 * that do not change once they belong to a verifier. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_SERVER_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

enum learner_type { LEARNER_PARTICIPANT, LEARNER_OBSERVER };

/* A name or number and a port, as it was written; looked up anew each time it is used (F23). */
struct quorum_address {
    char *host;    /* without brackets; NULL: there is none */
    uint16_t port;
};
struct quorum_server {
    int64_t id;
    struct quorum_address *addresses;             /* for learners; at least one; several with multiAddress.enabled */
    size_t address_count;
    struct quorum_address *election_addresses;    /* host of addresses[i], election port */
    size_t election_address_count;
    struct quorum_address client_address;         /* behind ';'; host NULL when none was written */
    bool is_client_address_from_static;           /* it stands in zoo.cfg and not in the list; not printed */
    enum learner_type type;
};

/*
 * "host:2888:3888[:role][|host:...][;[host:]2181]" into *ret_server, which the caller releases. ZK_BAD_CONFIG with
 * Java's sentence: "... does not have the form server_config or server_config;client_config ...", "Address
 * unresolved: ...", "Unrecognised peertype: ...", "Multiple address feature is disabled, ...", "Client and election
 * port must be different!".
 */
int quorum_server_parse(int64_t id, const char *text, bool is_multi_address_enabled, struct quorum_server *ret_server,
                        struct error *error);
void quorum_server_release(struct quorum_server *server);
void quorum_server_copy(const struct quorum_server *server, struct quorum_server *ret_copy);
/* "host:2888:3888:participant;0.0.0.0:2181" as QuorumServer.toString() */
void quorum_server_print(const struct quorum_server *server, struct buffer *out);
/* QuorumServer.equals. Names are compared as they are written: what they mean today does not matter. */
bool quorum_server_equal(const struct quorum_server *a, const struct quorum_server *b);
/* checkAddressDuplicate: ZK_BAD_ARGUMENTS if the two share an address and port that is neither a wildcard nor of the
 * loopback. Looks names up, blocks; one without an address is no duplicate. */
int quorum_server_check_duplicate(const struct quorum_server *a, const struct quorum_server *b, struct error *error);

/* ---- addresses ---- */
/* Two without a host are equal. */
bool quorum_address_equal(const struct quorum_address *a, const struct quorum_address *b);
bool quorum_addresses_equal(const struct quorum_address *a, size_t a_count, const struct quorum_address *b,
                            size_t b_count);    /* as sets */
/* "host:port", IPv6 in brackets. Mirrors NetUtils.formatInetAddr. */
void quorum_address_print(const struct quorum_address *address, struct buffer *out);
/* Looks all of them up, in order; at most `most`. ZK_NOT_FOUND when none has an address (yet). Blocks. */
struct address;
int quorum_addresses_resolve(const struct quorum_address *addresses, size_t count, struct address *ret_addresses,
                             size_t most, size_t *ret_count, struct error *error);
/* "host:port|host:port" for log lines and for the first message of an election connection. */
void quorum_addresses_print(const struct quorum_address *addresses, size_t count, struct buffer *out);

#endif
