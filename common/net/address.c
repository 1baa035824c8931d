/*
 * address.c - names and addresses. Mirrors NetUtils and what InetSocketAddress prints.
 *
 * An IPv4 address that arrives inside IPv6 (::ffff:a.b.c.d), as it does on a listener of both, is that IPv4 address in
 * every comparison and in every text, as in Java.
 */
#include "common/net/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define IP_TEXT_SIZE 128

static bool is_mapped_v4(const struct address *address)
{
    return address->socket.base.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->socket.v6.sin6_addr);
}

static void set_v4(struct address *address, struct in_addr ip, uint16_t port)
{
    memset(address, 0, sizeof(*address));
    address->size = sizeof(address->socket.v4);
    address->socket.v4.sin_family = AF_INET;
    address->socket.v4.sin_addr = ip;
    address->socket.v4.sin_port = htons(port);
}

static void set_v6(struct address *address, const struct in6_addr *ip, uint32_t scope, uint16_t port)
{
    memset(address, 0, sizeof(*address));
    address->size = sizeof(address->socket.v6);
    address->socket.v6.sin6_family = AF_INET6;
    address->socket.v6.sin6_addr = *ip;
    address->socket.v6.sin6_scope_id = scope;
    address->socket.v6.sin6_port = htons(port);
}

/* Copies without the brackets around it, if there are any. False: one bracket only, or too long. */
static bool strip_brackets(const char *ip, char text[IP_TEXT_SIZE])
{
    size_t size = strlen(ip);
    if (size > 0 && ip[0] == '[') {
        if (ip[size - 1] != ']')
            return false;
        ip++;
        size -= 2;
    }
    if (size >= IP_TEXT_SIZE)
        return false;
    memcpy(text, ip, size);
    text[size] = '\0';
    return true;
}

/* "eth0" or "2". */
static bool parse_scope(const char *text, uint32_t *ret_scope)
{
    int64_t number;
    *ret_scope = if_nametoindex(text);
    if (*ret_scope != 0)
        return true;
    if (!string_to_int64(text, 10, &number) || number < 0 || number > UINT32_MAX)
        return false;
    *ret_scope = (uint32_t)number;
    return true;
}

/* True if a socket can be bound to ::, which it cannot where IPv6 is not built in or switched off. */
static bool has_v6(void)
{
    struct address any;
    set_v6(&any, &in6addr_any, 0, 0);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool bound = bind(fd, &any.socket.base, any.size) == 0;
    close(fd);
    return bound;
}

/* Appends the addresses of one family that are not in there yet. */
static size_t append_family(const struct addrinfo *found, int family, uint16_t port, struct address *addresses,
                            size_t most, size_t count)
{
    for (; found != NULL && count < most; found = found->ai_next) {
        if (found->ai_family != family)
            continue;
        if (family == AF_INET) {
            const struct sockaddr_in *v4 = (const void *)found->ai_addr;
            set_v4(&addresses[count], v4->sin_addr, port);
        } else {
            const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;
            set_v6(&addresses[count], &v6->sin6_addr, v6->sin6_scope_id, port);
        }
        bool is_new = true;
        for (size_t i = 0; i < count; i++)
            is_new = is_new && !address_equal_ip(&addresses[i], &addresses[count]);
        count += is_new;
    }
    return count;
}

bool address_from_ip(const char *ip, uint16_t port, struct address *ret_address)
{
    char text[IP_TEXT_SIZE];
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, ip, &v4) == 1) {
        set_v4(ret_address, v4, port);
        return true;
    }
    if (!strip_brackets(ip, text))
        return false;
    uint32_t scope = 0;
    char *percent = strchr(text, '%');
    if (percent != NULL) {
        *percent = '\0';
        if (!parse_scope(percent + 1, &scope))
            return false;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    set_v6(ret_address, &v6, scope, port);
    return true;
}

void address_any(uint16_t port, struct address *ret_address)
{
    if (has_v6())
        set_v6(ret_address, &in6addr_any, 0, port);
    else
        set_v4(ret_address, (struct in_addr){ .s_addr = htonl(INADDR_ANY) }, port);
}

int address_resolve(const char *host, uint16_t port, struct address *ret_addresses, size_t most, size_t *ret_count,
                    struct error *error)
{
    assert(most > 0);
    if (address_from_ip(host, port, &ret_addresses[0])) {
        *ret_count = 1;
        return ZK_OK;
    }
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    int failure = getaddrinfo(host, NULL, &hints, &found);
    if (failure != 0) {
        const char *reason = failure == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(failure);
        return error_set(error, ZK_NOT_FOUND, "cannot look up host %s: %s", host, reason != NULL ? reason : "?");
    }
    size_t count = append_family(found, AF_INET, port, ret_addresses, most, 0);
    count = append_family(found, AF_INET6, port, ret_addresses, most, count);
    freeaddrinfo(found);
    if (count == 0)
        return error_set(error, ZK_NOT_FOUND, "host %s has no address", host);
    *ret_count = count;
    return ZK_OK;
}

uint16_t address_port(const struct address *address)
{
    bool is_v6 = address->socket.base.sa_family == AF_INET6;
    return ntohs(is_v6 ? address->socket.v6.sin6_port : address->socket.v4.sin_port);
}

bool address_equal_ip(const struct address *a, const struct address *b)
{
    uint8_t a_bytes[16], b_bytes[16];
    size_t a_size = address_ip_bytes(a, a_bytes), b_size = address_ip_bytes(b, b_bytes);
    return a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
}

uint64_t address_hash_ip(const struct address *address)
{
    uint8_t bytes[16];
    size_t size = address_ip_bytes(address, bytes);
    return hash_bytes(bytes, size);
}

bool address_is_any(const struct address *address)
{
    static const uint8_t zeros[16];
    uint8_t bytes[16];
    return memcmp(bytes, zeros, address_ip_bytes(address, bytes)) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t v6[16] = { [15] = 1 };
    uint8_t bytes[16];
    return address_ip_bytes(address, bytes) == 4 ? bytes[0] == 127 : memcmp(bytes, v6, sizeof(v6)) == 0;
}

void address_format_ip(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    uint8_t ip[16];
    if (address_ip_bytes(address, ip) == 4) {
        snprintf(text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
        return;
    }
    int size = 0;
    for (int i = 0; i < 16; i += 2)
        size += snprintf(text + size, ADDRESS_TEXT_SIZE - (size_t)size, "%s%x", i > 0 ? ":" : "",
                         (unsigned)ip[i] << 8 | ip[i + 1]);
    if (address->socket.v6.sin6_scope_id != 0)
        snprintf(text + size, ADDRESS_TEXT_SIZE - (size_t)size, "%%%u", (unsigned)address->socket.v6.sin6_scope_id);
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    char ip[ADDRESS_TEXT_SIZE];
    address_format_ip(address, ip);
    bool is_v6 = strchr(ip, ':') != NULL;
    snprintf(text, ADDRESS_TEXT_SIZE, "/%s%.60s%s:%u", is_v6 ? "[" : "", ip, is_v6 ? "]" : "",
             (unsigned)address_port(address));
}

size_t address_ip_bytes(const struct address *address, uint8_t bytes[16])
{
    if (address->socket.base.sa_family != AF_INET6) {
        memcpy(bytes, &address->socket.v4.sin_addr, 4);
        return 4;
    }
    if (is_mapped_v4(address)) {
        memcpy(bytes, &address->socket.v6.sin6_addr.s6_addr[12], 4);
        return 4;
    }
    memcpy(bytes, &address->socket.v6.sin6_addr, 16);
    return 16;
}
