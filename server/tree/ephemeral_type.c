/*
 * ephemeral_type.c - the bits of an ephemeralOwner.
 *
 *   0                       no ephemeral
 *   0x8000000000000000      container
 *   0xff 0000 <40 bits>     TTL in ms, when extended types are enabled; the middle 16 bits name the extension
 *   any other               session id
 * Written by 3.5.3, any negative owner but a container's is a TTL (0x80 in the upper byte, the TTL below it).
 */
#include "server/tree/ephemeral_type.h"

#include <assert.h>
#include <stddef.h>

#include "common/wire/op_code.h"

#define EXTENDED_MASK UINT64_C(0xff00000000000000)
#define EXTENSION_MASK UINT64_C(0x00ffff0000000000)

static bool is_353_ttl(const struct ephemeral_rules *rules, int64_t owner)
{
    return rules->extended_types_enabled && rules->emulate_353_ttl_nodes && owner < 0 &&
           owner != EPHEMERAL_CONTAINER_OWNER;
}

enum ephemeral_type ephemeral_type_get(const struct ephemeral_rules *rules, int64_t owner, bool *ret_valid)
{
    if (ret_valid != NULL)
        *ret_valid = true;
    if (is_353_ttl(rules, owner))
        return EPHEMERAL_TTL;
    uint64_t bits = (uint64_t)owner;
    if (rules->extended_types_enabled && (bits & EXTENDED_MASK) == EXTENDED_MASK) {
        if ((bits & EXTENSION_MASK) == 0)
            return EPHEMERAL_TTL;
        if (ret_valid != NULL)
            *ret_valid = false;
        return EPHEMERAL_VOID;
    }
    if (owner == EPHEMERAL_CONTAINER_OWNER)
        return EPHEMERAL_CONTAINER;
    return owner == 0 ? EPHEMERAL_VOID : EPHEMERAL_NORMAL;
}

int64_t ephemeral_ttl_to_owner(int64_t ttl_ms)
{
    assert(ttl_ms > 0 && ttl_ms <= EPHEMERAL_MAX_TTL_MS);
    return (int64_t)(EXTENDED_MASK | (uint64_t)ttl_ms);
}

int64_t ephemeral_owner_to_ttl_ms(const struct ephemeral_rules *rules, int64_t owner)
{
    (void)rules;
    return owner & EPHEMERAL_MAX_TTL_MS;
}

bool ephemeral_ttl_is_valid(int32_t create_flags, int64_t ttl_ms)
{
    if (create_mode_is_ttl(create_flags))
        return ttl_ms > 0 && ttl_ms <= EPHEMERAL_MAX_TTL_MS;
    return ttl_ms < 0;
}
