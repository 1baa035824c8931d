/*
 * ip_authentication_provider.c - the scheme "ip": a peer is its address, an ACL an address or a network. Mirrors
 * org.apache.zookeeper.server.auth.IPAuthenticationProvider.
 *
 * What passes for an address is what release 3.9.5 takes, which is no other library's grammar: numbers may carry a sign
 * and zeros ahead, and "::-1" is "::ffff". A scope ("%eth0") and a dotted tail within IPv6 do not pass.
 * Departs from Java: digits are those of ASCII.
 */
#include "server/auth/auth_provider.h"

#include <stdint.h>
#include <string.h>

#include "common/base/memory.h"

#define IPV4_SIZE 4
#define IPV6_SIZE 16
#define IPV6_SEGMENTS 8
#define IPV6_SEGMENT_DIGITS 4

struct ip_bytes {
    uint8_t bytes[IPV6_SIZE];
    int size;    /* 4 or 16 */
};

static int digit_value(char digit, int base)
{
    int value = digit >= '0' && digit <= '9'   ? digit - '0'
                : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                               : 16;
    return value < base ? value : -1;
}

/* Integer.parseInt: a sign, any number of zeros, no space. */
static bool parse_int(struct ustring text, int base, int32_t *ret_value)
{
    int32_t at = 0;
    bool is_negative = text.size > 0 && text.bytes[0] == '-';
    if (text.size > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+'))
        at++;
    if (at == text.size)
        return false;
    int64_t value = 0;
    for (; at < text.size; at++) {
        int digit = digit_value(text.bytes[at], base);
        if (digit < 0)
            return false;
        value = value * base + digit;
        if (value > (int64_t)INT32_MAX + is_negative)
            return false;
    }
    *ret_value = (int32_t)(is_negative ? -value : value);
    return true;
}

/* Where `what` begins in the text, its size when it does not. */
static int32_t index_of(struct ustring text, const char *what)
{
    if (text.size <= 0)
        return 0;
    const char *at = memmem(text.bytes, (size_t)text.size, what, strlen(what));
    return at == NULL ? text.size : (int32_t)(at - text.bytes);
}

static struct ustring part_of(struct ustring text, int32_t from, int32_t to)
{
    return (struct ustring){text.bytes + from, to - from};
}

/* Takes the part up to the separator, and the separator, off the front of *rest; false when nothing is left. The last
 * part leaves *rest null, so that "a:" is "a" and "". */
static bool next_part(struct ustring *rest, const char *separator, struct ustring *ret_part)
{
    if (rest->size < 0)
        return false;
    int32_t end = index_of(*rest, separator);
    *ret_part = part_of(*rest, 0, end);
    *rest = end == rest->size ? USTRING_NULL : part_of(*rest, end + (int32_t)strlen(separator), rest->size);
    return true;
}

static bool parse_v4(struct ustring text, struct ip_bytes *ret_ip)
{
    struct ustring part;
    int32_t value;
    ret_ip->size = 0;
    while (next_part(&text, ".", &part)) {
        if (ret_ip->size == IPV4_SIZE || !parse_int(part, 10, &value) || value < 0 || value > 255)
            return false;
        ret_ip->bytes[ret_ip->size++] = (uint8_t)value;
    }
    return ret_ip->size == IPV4_SIZE;
}

/* The segments of one side of "::", at most eight; -1 when one is no number. */
static int parse_v6_segments(struct ustring text, uint8_t bytes[IPV6_SIZE])
{
    struct ustring segment;
    int32_t value;
    int count = 0;
    while (next_part(&text, ":", &segment)) {
        if (count == IPV6_SEGMENTS || segment.size == 0 || segment.size > IPV6_SEGMENT_DIGITS
            || !parse_int(segment, 16, &value))
            return -1;
        bytes[2 * count] = (uint8_t)(value >> 8);
        bytes[2 * count + 1] = (uint8_t)value;
        count++;
    }
    return count;
}

static bool parse_v6(struct ustring text, struct ip_bytes *ret_ip)
{
    uint8_t head[IPV6_SIZE], tail[IPV6_SIZE];
    int32_t gap = index_of(text, "::");
    struct ustring left = part_of(text, 0, gap), right = USTRING_NULL;
    if (gap < text.size) {
        right = part_of(text, gap + 2, text.size);
        if (index_of(right, "::") < right.size)
            return false;
        if (left.size == 0)
            left = USTRING_NULL;
        if (right.size == 0)
            right = USTRING_NULL;
    }
    int head_count = parse_v6_segments(left, head), tail_count = parse_v6_segments(right, tail);
    if (head_count < 0 || tail_count < 0)
        return false;
    if (gap == text.size ? head_count != IPV6_SEGMENTS : head_count + tail_count >= IPV6_SEGMENTS)
        return false;
    memset(ret_ip->bytes, 0, IPV6_SIZE);
    memcpy(ret_ip->bytes, head, 2 * (size_t)head_count);
    memcpy(ret_ip->bytes + IPV6_SIZE - 2 * tail_count, tail, 2 * (size_t)tail_count);
    ret_ip->size = IPV6_SIZE;
    return true;
}

static bool parse_ip(struct ustring text, struct ip_bytes *ret_ip)
{
    if (index_of(text, ":") < text.size)
        return parse_v6(text, ret_ip);
    return index_of(text, ".") < text.size && parse_v4(text, ret_ip);
}

/* "address" or "address/bits". */
static bool parse_network(struct ustring text, struct ip_bytes *ret_ip, int32_t *ret_bits)
{
    if (text.size < 0)
        return false;
    int32_t slash = index_of(text, "/");
    if (!parse_ip(part_of(text, 0, slash), ret_ip))
        return false;
    *ret_bits = ret_ip->size * 8;
    return slash == text.size
           || (parse_int(part_of(text, slash + 1, text.size), 10, ret_bits) && *ret_bits >= 0
               && *ret_bits <= ret_ip->size * 8);
}

static void mask(struct ip_bytes *ip, int32_t bits)
{
    for (int i = bits / 8; i < ip->size; i++)
        ip->bytes[i] &= i == bits / 8 ? (uint8_t)(0xff00 >> bits % 8) : 0;
}

static int ip_handle_authentication(struct auth_provider *self, const struct auth_peer *peer, struct slice auth_data,
                                    struct auth_info **info)
{
    (void)auth_data;    /* whatever it says, the address is what the socket has */
    char text[ADDRESS_TEXT_SIZE];
    address_format_ip(peer->address, text);
    struct zk_id id = {ustring_of(self->scheme), ustring_of(text)};
    if (!auth_info_has_room(*info, 1, (size_t)id.scheme.size + (size_t)id.id.size))
        return ZK_AUTH_FAILED;
    *info = auth_info_add(*info, &id);
    return ZK_OK;
}

static bool ip_matches(struct auth_provider *self, struct ustring id, struct ustring acl_expression)
{
    (void)self;
    struct ip_bytes remote, network;
    int32_t bits;
    if (!parse_network(acl_expression, &network, &bits) || id.size < 0 || !parse_ip(id, &remote)
        || remote.size != network.size)
        return false;
    mask(&network, bits);
    mask(&remote, bits);
    return memcmp(remote.bytes, network.bytes, (size_t)network.size) == 0;
}

static bool ip_is_valid(struct auth_provider *self, struct ustring id)
{
    (void)self;
    struct ip_bytes ip;
    int32_t bits;
    return parse_network(id, &ip, &bits);
}

static struct ustring ip_user_name(struct auth_provider *self, struct ustring id)
{
    (void)self;
    return id;
}

static void ip_free(struct auth_provider *self)
{
    memory_free(self);
}

struct auth_provider *ip_authentication_provider_new(void)
{
    struct auth_provider *provider = MEMORY_NEW(struct auth_provider);
    *provider = (struct auth_provider){
        .scheme = "ip",
        .is_authenticated = false,
        .handle_authentication = ip_handle_authentication,
        .matches = ip_matches,
        .is_valid = ip_is_valid,
        .user_name = ip_user_name,
        .free = ip_free,
    };
    return provider;
}
