/* What an ephemeralOwner says. Mirrors EphemeralType, with the emulation of 3.5.3's TTL owners. No state. */
#ifndef ZKC_SERVER_TREE_EPHEMERAL_TYPE_H
#define ZKC_SERVER_TREE_EPHEMERAL_TYPE_H

#include <stdbool.h>
#include <stdint.h>

enum ephemeral_type { EPHEMERAL_VOID, EPHEMERAL_NORMAL, EPHEMERAL_CONTAINER, EPHEMERAL_TTL };
struct ephemeral_rules {    /* zookeeper.extendedTypesEnabled, zookeeper.emulate353TTLNodes */
    bool extended_types_enabled;
    bool emulate_353_ttl_nodes;
};

#define EPHEMERAL_CONTAINER_OWNER INT64_MIN
#define EPHEMERAL_MAX_TTL_MS 0x000000ffffffffffLL
#define EPHEMERAL_MAX_EXTENDED_SERVER_ID 0xfe

/* An owner that names an unknown extension is EPHEMERAL_VOID here with *ret_valid false, where Java throws. */
enum ephemeral_type ephemeral_type_get(const struct ephemeral_rules *rules, int64_t owner, bool *ret_valid);
/* EphemeralType.TTL.toEphemeralOwner; ttl_ms in [1, EPHEMERAL_MAX_TTL_MS]. */
int64_t ephemeral_ttl_to_owner(int64_t ttl_ms);
int64_t ephemeral_owner_to_ttl_ms(const struct ephemeral_rules *rules, int64_t owner);
/* EphemeralType.validateTTL for a create of these flags. */
bool ephemeral_ttl_is_valid(int32_t create_flags, int64_t ttl_ms);

#endif
