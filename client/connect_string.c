/*
 * connect_string.c - servers and chroot out of one line of text.
 *
 * Mirrors ConnectStringParser: everything from the first '/' on is the chroot, commas separate the servers, the last
 * colon of one separates its port, and a server that is nothing but blanks counts for nothing ("a:1, ,b:2").
 * Departs from Java: what could never be connected to (port 0, an IPv6 address cut at the wrong colon, a blank within a
 * name) is refused here and not by the look-up. IPv6 without brackets is taken with a port behind it, as the C binding
 * has it ("::1:2181").
 */
#include "client/connect_string.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "common/wire/path.h"

#define SHOWN 100    /* bytes of the text in a message */

struct span {
    const char *bytes;
    size_t size;
};

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

static struct span trimmed(const char *bytes, size_t size)
{
    while (size > 0 && is_blank(bytes[0])) {
        bytes++;
        size--;
    }
    while (size > 0 && is_blank(bytes[size - 1]))
        size--;
    return (struct span){ bytes, size };
}

static int refuse(struct error *error, struct span server, const char *why)
{
    int shown = server.size < SHOWN ? (int)server.size : SHOWN;
    return error_set(error, ZK_BAD_ARGUMENTS, "server \"%.*s\" %s", shown, server.bytes, why);
}

static const char *last_of(struct span text, char c)
{
    return text.size > 0 ? memrchr(text.bytes, c, text.size) : NULL;
}

/* Decimal digits only, 1 to 65535. */
static bool parse_port(struct span text, uint16_t *ret_port)
{
    uint32_t port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        port = 10 * port + (uint32_t)(text.bytes[i] - '0');
        if (port > UINT16_MAX)
            return false;
    }
    *ret_port = (uint16_t)port;
    return port > 0;
}

/* A name, or an address; with colons in it only an address will do. */
static const char *judge_host(const char *host)
{
    struct address unused;
    if (host[0] == '\0')
        return "has no host before its port";
    for (const char *at = host; *at != '\0'; at++) {
        if (is_blank(*at) || *at == '\x7f')
            return "has a blank or a control character in it";
        if (*at == '[' || *at == ']')
            return "has a bracket where none belongs";
    }
    if (strchr(host, ':') != NULL && strchr(host, '%') == NULL && !address_from_ip(host, 1, &unused))
        return "has several colons but no IPv6 address before its port; write that as [address]:port";
    return NULL;
}

/* Text to host and port, both as they stand. */
static const char *divide(struct span server, struct span *ret_host, struct span *ret_port)
{
    *ret_port = (struct span){ "2181", 4 };
    if (server.bytes[0] != '[') {
        const char *colon = last_of(server, ':');
        *ret_host = server;
        if (colon == NULL)
            return NULL;
        ret_host->size = (size_t)(colon - server.bytes);
        if (ret_host->size + 1 < server.size)    /* "host:" is a host without a port */
            *ret_port = trimmed(colon + 1, server.size - ret_host->size - 1);
        return NULL;
    }
    const char *end = last_of(server, ']');
    if (end == NULL)
        return "starts with '[' but has no ']'";
    *ret_host = (struct span){ server.bytes + 1, (size_t)(end - server.bytes) - 1 };
    size_t left = server.size - ret_host->size - 2;
    if (left == 0)
        return NULL;
    if (end[1] != ':')
        return "has something other than ':' behind its ']'";
    *ret_port = trimmed(end + 2, left - 1);
    return ret_port->size > 0 ? NULL : "has no port behind its colon";
}

static int parse_server(struct span server, struct connect_host *ret_host, struct error *error)
{
    struct span host, port;
    const char *wrong = divide(server, &host, &port);
    if (wrong == NULL && !parse_port(port, &ret_host->port))
        wrong = "has a port that is no number from 1 to 65535";
    if (wrong != NULL)
        return refuse(error, server, wrong);
    ret_host->host = string_copy_n(host.bytes, host.size);
    wrong = judge_host(ret_host->host);
    return wrong != NULL ? refuse(error, server, wrong) : ZK_OK;
}

/* Most servers there can be: commas, and one. */
static size_t count_fields(struct span servers)
{
    size_t count = 1;
    for (size_t i = 0; i < servers.size; i++)
        count += servers.bytes[i] == ',';
    return count;
}

static int parse_servers(struct span servers, struct connect_string *parsed, struct error *error)
{
    parsed->hosts = MEMORY_NEW_ARRAY(count_fields(servers), struct connect_host);
    const char *at = servers.bytes, *end = servers.bytes + servers.size;
    for (;;) {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        struct span server = trimmed(at, (size_t)((comma != NULL ? comma : end) - at));
        if (server.size > 0) {
            int err = parse_server(server, &parsed->hosts[parsed->count++], error);
            if (err != ZK_OK)
                return err;
        }
        if (comma == NULL)
            break;
        at = comma + 1;
    }
    return parsed->count > 0 ? ZK_OK : error_set(error, ZK_BAD_ARGUMENTS, "no server to connect to is named");
}

int connect_string_parse(const char *text, struct connect_string *ret_parsed, struct error *error)
{
    struct connect_string parsed = { 0 };
    if (text == NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "no server to connect to is named");
    size_t servers_size = strcspn(text, "/");
    const char *chroot = text + servers_size;
    int err = ZK_OK;
    if (chroot[0] != '\0' && chroot[1] != '\0') {
        err = path_validate(ustring_of(chroot), false, error);
        if (err != ZK_OK) {
            error_prefix(error, "chroot");
            return err;
        }
        parsed.chroot = string_copy(chroot);
    }
    err = parse_servers((struct span){ text, servers_size }, &parsed, error);
    if (err != ZK_OK)
        connect_string_release(&parsed);
    else
        *ret_parsed = parsed;
    return err;
}

void connect_string_release(struct connect_string *parsed)
{
    for (size_t i = 0; i < parsed->count; i++)
        memory_free(parsed->hosts[i].host);
    memory_free(parsed->hosts);
    memory_free(parsed->chroot);
    *parsed = (struct connect_string){ 0 };
}
