/* May this peer do that to this node. Mirrors ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL and AuthUtil. */
#ifndef ZKC_SERVER_AUTH_ACL_CHECK_H
#define ZKC_SERVER_AUTH_ACL_CHECK_H

#include "common/base/arena.h"
#include "server/auth/auth_provider.h"
#include "server/tree/acl_cache.h"

/* ZK_OK or ZK_NO_AUTH. An empty or null list permits; so does an id of scheme "super"; skip_acl always. */
int acl_check(struct provider_registry *registry, bool skip_acl, const struct zk_acl_vector *acl, int32_t permission,
              const struct auth_info *auth_info);
/* The same for an interned list: quick for the open one, and an unknown one denies. NULL permits. */
int acl_check_list(struct provider_registry *registry, bool skip_acl, const struct acl_list *list, int32_t permission,
                   const struct auth_info *auth_info);
/*
 * fixupACL: without duplicates, "auth" expanded to the peer's ids, everything else valid. The result stands in the
 * arena and points into `acl` and `auth_info`. ZK_INVALID_ACL where Java says so, and for an expansion beyond
 * ACL_FIXUP_MOST; ZK_MARSHALLING_ERROR, which is what a client gets to see, where Java trips over a null: an id of
 * "world" or of a scheme that is there, or an entry with a null scheme or id that is compared with an earlier one of
 * the same perms (and scheme).
 */
#define ACL_FIXUP_MOST 0xfffff    /* bytes that "auth" may add, as they would stand on the wire */
int acl_fixup(struct provider_registry *registry, const struct auth_info *auth_info, const struct zk_acl_vector *acl,
              struct arena *arena, struct zk_acl_vector *ret_acl);
/* getACL's answer to a peer without ADMIN: digests become "user:x". In the arena. */
void acl_mask_digests(const struct zk_acl_vector *acl, struct arena *arena, struct zk_acl_vector *ret_acl);
/* AuthUtil.getClientInfos for whoAmI. In the arena. */
void auth_client_infos(struct provider_registry *registry, const struct auth_info *auth_info, struct arena *arena,
                       struct client_info_vector *ret_infos);

#endif
