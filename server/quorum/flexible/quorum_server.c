/*
 * quorum_server.c - a server.N line: taken apart, put together again, compared.
 *
 * Departs from Java: addresses keep the order in which they were written, where Java's set has none; names are compared
 * as text (a name and the number it stands for are two things), where Java compares what they meant when they were
 * looked up; a host may not hold blanks, control characters or what separates the parts of a line.
 */
#include "server/quorum/flexible/quorum_server.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "server/quorum/flexible/host_and_port.h"

#define WRONG_FORMAT \
    " does not have the form server_config or server_config;client_config where server_config is the pipe separated " \
    "list of host:port:port or host:port:port:type and client_config is port or host:port"
#define MOST_ADDRESSES 64    /* looked up of one server */

static void append_address(struct quorum_address **addresses, size_t *count, const char *host, uint16_t port)
{
    *addresses = memory_realloc(*addresses, (*count + 1) * sizeof(**addresses));
    (*addresses)[*count] = (struct quorum_address){.host = string_copy(host), .port = port};
    (*count)++;
}

/* Nothing that could end a line, or mean something else, where configurations are written to files. */
static bool is_plain(const char *host)
{
    for (const char *at = host; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("\\=[]|;", *at) != NULL)
            return false;
    return true;
}

static int wrong_format(const char *text, struct error *error)
{
    return error_set(error, ZK_BAD_CONFIG, "%s" WRONG_FORMAT, text);
}

/* "2181" or "host:2181". */
static int parse_client(struct quorum_server *server, const char *whole, const char *text, struct error *error)
{
    struct text_pieces pieces = {0};
    int err = host_and_port_split(text, &pieces, error);
    if (err == ZK_OK && (pieces.count > 2 || pieces.count == 0 || (pieces.count == 2 && !is_plain(pieces.items[0]))))
        err = wrong_format(whole, error);
    if (err == ZK_OK)
        err = port_parse("null", pieces.items[pieces.count - 1], &server->client_address.port, error);
    if (err == ZK_OK)
        server->client_address.host = host_canonical(pieces.count == 2 ? pieces.items[0] : "0.0.0.0");
    text_pieces_release(&pieces);
    return err;
}

/* Java trims and lowers the role before it looks at it. */
static int parse_role(const char *text, enum learner_type *ret_type, struct error *error)
{
    char *memory = string_copy(text);
    const char *role = string_trim(memory);
    int err = ZK_OK;
    if (string_equals_ignore_case(role, "observer"))
        *ret_type = LEARNER_OBSERVER;
    else if (string_equals_ignore_case(role, "participant"))
        *ret_type = LEARNER_PARTICIPANT;
    else
        err = error_set(error, ZK_BAD_CONFIG, "Unrecognised peertype: %s", text);
    memory_free(memory);
    return err;
}

static bool has_pair(const struct quorum_server *server, const char *host, uint16_t port, uint16_t election_port)
{
    for (size_t i = 0; i < server->address_count; i++)
        if (strcmp(server->addresses[i].host, host) == 0 && server->addresses[i].port == port &&
            server->election_addresses[i].port == election_port)
            return true;
    return false;
}

/* host:port:port, taken apart already. */
static int add_address(struct quorum_server *server, const char *host_text, const char *port_text,
                       const char *election_port_text, struct error *error)
{
    uint16_t port, election_port;
    int err = port_parse(host_text, port_text, &port, error);
    if (err == ZK_OK)
        err = port_parse(host_text, election_port_text, &election_port, error);
    if (err != ZK_OK)
        return err;
    if (port == election_port)
        return error_set(error, ZK_BAD_CONFIG, "Client and election port must be different! Please update the "
                         "configuration file on server.%" PRId64, server->id);
    char *host = host_canonical(host_text);
    if (!has_pair(server, host, port, election_port)) {
        append_address(&server->addresses, &server->address_count, host, port);
        append_address(&server->election_addresses, &server->election_address_count, host, election_port);
    }
    memory_free(host);
    return ZK_OK;
}

static const char *type_name(enum learner_type type)
{
    return type == LEARNER_OBSERVER ? "OBSERVER" : "PARTICIPANT";
}

/* One of the addresses between '|'. */
static int parse_address(struct quorum_server *server, const char *whole, const char *text, bool *has_role,
                         struct error *error)
{
    struct text_pieces pieces = {0};
    int err = host_and_port_split(text, &pieces, error);
    if (err == ZK_OK && (pieces.count < 3 || pieces.count > 4 || !is_plain(pieces.items[0])))
        err = wrong_format(whole, error);
    if (err == ZK_OK)
        err = add_address(server, pieces.items[0], pieces.items[1], pieces.items[2], error);
    if (err == ZK_OK && pieces.count == 4) {
        enum learner_type type = LEARNER_PARTICIPANT;
        err = parse_role(pieces.items[3], &type, error);
        if (err == ZK_OK && *has_role && type != server->type)
            err = error_set(error, ZK_BAD_CONFIG, "Multiple addresses should have similar roles: %s vs %s",
                            type_name(server->type), type_name(type));
        if (err == ZK_OK) {
            server->type = type;
            *has_role = true;
        }
    }
    text_pieces_release(&pieces);
    return err;
}

static int parse_addresses(struct quorum_server *server, const char *whole, const char *text, bool is_multi_enabled,
                           struct error *error)
{
    struct text_pieces pieces;
    bool has_role = false;
    text_split(text, '|', &pieces);
    int err = pieces.count == 0 ? wrong_format(whole, error) : ZK_OK;
    if (err == ZK_OK && pieces.count > 1 && !is_multi_enabled)
        err = error_set(error, ZK_BAD_CONFIG, "Multiple address feature is disabled, but multiple addresses were "
                        "specified for sid %" PRId64, server->id);
    for (size_t i = 0; err == ZK_OK && i < pieces.count; i++)
        err = parse_address(server, whole, pieces.items[i], &has_role, error);
    text_pieces_release(&pieces);
    return err;
}

static bool is_ipv6(const char *host)
{
    return strchr(host, ':') != NULL;
}

static void print_host(const char *host, struct buffer *out)
{
    buffer_printf(out, is_ipv6(host) ? "[%s]" : "%s", host);
}

static void copy_addresses(const struct quorum_address *addresses, size_t count, struct quorum_address **ret_copy,
                           size_t *ret_count)
{
    *ret_copy = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < count; i++)
        append_address(ret_copy, ret_count, addresses[i].host, addresses[i].port);
}

static void free_addresses(struct quorum_address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memory_free(addresses[i].host);
    memory_free(addresses);
}

static bool contains_address(const struct quorum_address *addresses, size_t count, const struct quorum_address *one)
{
    for (size_t i = 0; i < count; i++)
        if (quorum_address_equal(&addresses[i], one))
            return true;
    return false;
}

/* Index of the address whose host comes next after `previous` in the order of hosts, of equal ones the first. */
static size_t next_by_host(const struct quorum_server *server, const bool *is_printed)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < server->address_count; i++)
        if (!is_printed[i] &&
            (least == SIZE_MAX || strcmp(server->addresses[i].host, server->addresses[least].host) < 0))
            least = i;
    return least;
}

static bool is_special(const struct address *address)
{
    uint8_t ip[16];
    static const uint8_t loopback[16] = {[15] = 1};
    size_t size = address_ip_bytes(address, ip);
    return address_is_any(address) || (size == 4 && ip[0] == 127) ||
           (size == 16 && memcmp(ip, loopback, sizeof(loopback)) == 0);
}

/* All addresses of a server that may not be used twice. */
static size_t resolve_all(const struct quorum_server *server, struct address *addresses)
{
    const struct {
        const struct quorum_address *addresses;
        size_t count;
    } lists[] = {{server->addresses, server->address_count},
                 {&server->client_address, server->client_address.host != NULL},
                 {server->election_addresses, server->election_address_count}};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(lists) && count < MOST_ADDRESSES; i++) {
        size_t found = 0;
        if (lists[i].count == 0 || quorum_addresses_resolve(lists[i].addresses, lists[i].count, addresses + count,
                                                            MOST_ADDRESSES - count, &found, NULL) != ZK_OK)
            continue;
        size_t kept = count;
        for (size_t j = count; j < count + found; j++)
            if (!is_special(&addresses[j]))
                addresses[kept++] = addresses[j];
        count = kept;
    }
    return count;
}

int quorum_server_parse(int64_t id, const char *text, bool is_multi_address_enabled, struct quorum_server *ret_server,
                        struct error *error)
{
    struct quorum_server server = {.id = id};
    struct text_pieces pieces;
    text_split(text, ';', &pieces);
    int err = pieces.count == 0 || pieces.count > 2 ? wrong_format(text, error) : ZK_OK;
    if (err == ZK_OK && pieces.count == 2)
        err = parse_client(&server, text, pieces.items[1], error);
    if (err == ZK_OK)
        err = parse_addresses(&server, text, pieces.items[0], is_multi_address_enabled, error);
    text_pieces_release(&pieces);
    if (err == ZK_OK)
        *ret_server = server;
    else
        quorum_server_release(&server);
    return err;
}

void quorum_server_release(struct quorum_server *server)
{
    free_addresses(server->addresses, server->address_count);
    free_addresses(server->election_addresses, server->election_address_count);
    memory_free(server->client_address.host);
    *server = (struct quorum_server){0};
}

void quorum_server_copy(const struct quorum_server *server, struct quorum_server *ret_copy)
{
    struct quorum_server copy = *server;
    copy_addresses(server->addresses, server->address_count, &copy.addresses, &copy.address_count);
    copy_addresses(server->election_addresses, server->election_address_count, &copy.election_addresses,
                   &copy.election_address_count);
    if (server->client_address.host != NULL)
        copy.client_address.host = string_copy(server->client_address.host);
    *ret_copy = copy;
}

void quorum_server_print(const struct quorum_server *server, struct buffer *out)
{
    bool *is_printed = MEMORY_NEW_ARRAY(server->address_count, bool);
    for (size_t n = 0; n < server->address_count; n++) {
        size_t i = next_by_host(server, is_printed);
        is_printed[i] = true;
        if (n > 0)
            buffer_append_byte(out, '|');
        print_host(server->addresses[i].host, out);
        buffer_printf(out, ":%u:%u", server->addresses[i].port, server->election_addresses[i].port);
    }
    memory_free(is_printed);
    buffer_append_string(out, server->type == LEARNER_OBSERVER ? ":observer" : ":participant");
    if (server->client_address.host != NULL && !server->is_client_address_from_static) {
        buffer_append_byte(out, ';');
        quorum_address_print(&server->client_address, out);
    }
}

bool quorum_server_equal(const struct quorum_server *a, const struct quorum_server *b)
{
    return a->id == b->id && a->type == b->type &&
           quorum_addresses_equal(a->addresses, a->address_count, b->addresses, b->address_count) &&
           quorum_addresses_equal(a->election_addresses, a->election_address_count, b->election_addresses,
                                  b->election_address_count) &&
           quorum_address_equal(&a->client_address, &b->client_address);
}

int quorum_server_check_duplicate(const struct quorum_server *a, const struct quorum_server *b, struct error *error)
{
    struct address mine[MOST_ADDRESSES], other[MOST_ADDRESSES];
    size_t mine_count = resolve_all(a, mine), other_count = resolve_all(b, other);
    for (size_t i = 0; i < mine_count; i++)
        for (size_t j = 0; j < other_count; j++)
            if (address_equal_ip(&mine[i], &other[j]) && address_port(&mine[i]) == address_port(&other[j])) {
                char text[ADDRESS_TEXT_SIZE];
                address_format(&mine[i], text);
                return error_set(error, ZK_BAD_ARGUMENTS, "%s of server.%" PRId64 " conflicts %s of server.%" PRId64,
                                 text, a->id, text, b->id);
            }
    return ZK_OK;
}

bool quorum_address_equal(const struct quorum_address *a, const struct quorum_address *b)
{
    if (a->host == NULL || b->host == NULL)
        return a->host == b->host;
    return a->port == b->port && string_equals_ignore_case(a->host, b->host);
}

bool quorum_addresses_equal(const struct quorum_address *a, size_t a_count, const struct quorum_address *b,
                            size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        if (!contains_address(b, b_count, &a[i]))
            return false;
    for (size_t i = 0; i < b_count; i++)
        if (!contains_address(a, a_count, &b[i]))
            return false;
    return true;
}

void quorum_address_print(const struct quorum_address *address, struct buffer *out)
{
    print_host(address->host, out);
    buffer_printf(out, ":%u", address->port);
}

int quorum_addresses_resolve(const struct quorum_address *addresses, size_t count, struct address *ret_addresses,
                             size_t most, size_t *ret_count, struct error *error)
{
    size_t found = 0;
    int err = error_set(error, ZK_NOT_FOUND, "no address is given");
    for (size_t i = 0; i < count && found < most; i++) {
        size_t more = 0;
        int failure = address_resolve(addresses[i].host, addresses[i].port, ret_addresses + found, most - found, &more,
                                      error);
        if (failure != ZK_OK)
            err = failure;
        found += more;
    }
    if (found == 0)
        return err;
    *ret_count = found;
    return ZK_OK;
}

void quorum_addresses_print(const struct quorum_address *addresses, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_byte(out, '|');
        quorum_address_print(&addresses[i], out);
    }
}
