/*
 * Whom to connect to next. Mirrors StaticHostProvider and, for what only the C binding has, its addrvec: shuffled
 * addresses, one after the other; rebalancing when the list changes; names looked up again.
 *
 * A host_provider is not locked: the caller holds one lock around all calls. A host_list never changes; what looks
 * names up makes a new one and may block, so that it is called without that lock.
 */
#ifndef ZKC_CLIENT_HOST_PROVIDER_H
#define ZKC_CLIENT_HOST_PROVIDER_H

#include <stdbool.h>

#include "client/connect_string.h"
#include "common/net/address.h"

/* The names of a list of servers and the addresses they have now. */
struct host_list;
/*
 * Looks all names up, blocking. A name that cannot be found is left out, error->text says which one, also with ZK_OK;
 * an address that comes again is there once; ZK_NOT_FOUND when none can be found.
 */
int host_list_new(const struct connect_string *servers, struct host_list **ret_list, struct error *error);
void host_list_free(struct host_list *list);
/* The same names, looked up anew. */
int host_list_resolve(const struct host_list *list, struct host_list **ret_list, struct error *error);
/* The name that gave this address, for who verifies it: the first one in the list; NULL when none did. Borrowed. */
const char *host_list_name(const struct host_list *list, const struct address *address);

struct host_provider;
/* Takes the list over. `is_deterministic` (zoo_deterministic_conn_order): the order of the list, not shuffled. */
struct host_provider *host_provider_new(struct host_list *list, bool is_deterministic);
void host_provider_free(struct host_provider *provider);
size_t host_provider_size(const struct host_provider *provider);    /* addresses */
const struct host_list *host_provider_list(const struct host_provider *provider);

/*
 * The next address. *ret_is_round_over: every address was tried since the last host_provider_connected() or since this
 * was last said, so the caller should pause before this one. While a change of the list is under way addresses come
 * from the new servers or from the old ones that stay, by the odds that spread all clients evenly (the paper of
 * ZOOKEEPER-1355), and after all of them were tried without success simply one after the other.
 */
void host_provider_next(struct host_provider *provider, struct address *ret_address, bool *ret_is_round_over);
/* The address last given answered and has a session. */
void host_provider_connected(struct host_provider *provider);

/*
 * zoo_set_servers(): the list is replaced (taken over). `current` is who we are connected to, NULL when to nobody; then
 * whom we tried last stands in for the odds. True when the connection should be given up for another one: its server
 * left the list, or the odds say so; never without a `current`. Addresses that were there before, all of them and no
 * others, change nothing.
 */
bool host_provider_update(struct host_provider *provider, struct host_list *list, const struct address *current);
/*
 * Looked up anew, the same names: no rebalancing, and one that was under way ends when addresses changed; whoever is
 * connected stays so even if his address is gone. Takes the list over.
 */
void host_provider_refresh(struct host_provider *provider, struct host_list *list);

#endif
