/* Names and addresses. Mirrors NetUtils and what InetSocketAddress prints. */
#ifndef ZKC_COMMON_NET_ADDRESS_H
#define ZKC_COMMON_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/error.h"

struct address {
    socklen_t size;
    union {
        struct sockaddr base;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
};

#define ADDRESS_TEXT_SIZE 80    /* "/[ipv6%scope]:65535" and a zero */

/* Number form only ("127.0.0.1", "::1", "[::1]"), no look-up. */
bool address_from_ip(const char *ip, uint16_t port, struct address *ret_address);
/* Every local address: :: where IPv6 is there (it takes IPv4 too), else 0.0.0.0. */
void address_any(uint16_t port, struct address *ret_address);
/* Looks the name up, blocking. *ret_count addresses, at most `most`, IPv4 first; ZK_NOT_FOUND names the host. */
int address_resolve(const char *host, uint16_t port, struct address *ret_addresses, size_t most, size_t *ret_count,
                    struct error *error);
uint16_t address_port(const struct address *address);
bool address_equal_ip(const struct address *a, const struct address *b);    /* IPv4 in IPv6 equals the IPv4 */
uint64_t address_hash_ip(const struct address *address);
bool address_is_loopback(const struct address *address);
bool address_is_any(const struct address *address);

/* The IP alone as Java's getHostAddress() has it: "127.0.0.1", "0:0:0:0:0:0:0:1" (an IPv4 in IPv6 as IPv4). */
void address_format_ip(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* As Java prints an unresolved-name socket address: "/127.0.0.1:2181", "/[0:0:0:0:0:0:0:1]:2181". */
void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* 4 or 16 raw bytes of the IP (an IPv4 in IPv6 gives 4); returns how many. */
size_t address_ip_bytes(const struct address *address, uint8_t bytes[16]);

#endif
