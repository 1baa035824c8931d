/* host_and_port.c - the pieces of an address as it is written in a configuration or sent by a peer. */
#include "server/quorum/flexible/host_and_port.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"

static void append(struct text_pieces *pieces, char *piece)
{
    pieces->items = memory_realloc(pieces->items, (pieces->count + 1) * sizeof(*pieces->items));
    pieces->items[pieces->count++] = piece;
}

static char *without_brackets(const char *text)
{
    char *bare = string_copy(text), *to = bare;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != '[' && *from != ']')
            *to++ = *from;
    *to = '\0';
    return bare;
}

void text_pieces_release(struct text_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        memory_free(pieces->items[i]);
    memory_free(pieces->items);
    *pieces = (struct text_pieces){0};
}

void text_split(const char *text, char separator, struct text_pieces *ret_pieces)
{
    struct text_pieces pieces = {0};
    const char *start = text;
    for (const char *end; (end = strchr(start, separator)) != NULL; start = end + 1)
        append(&pieces, string_copy_n(start, (size_t)(end - start)));
    bool has_separator = start != text;
    append(&pieces, string_copy(start));
    while (has_separator && pieces.count > 0 && pieces.items[pieces.count - 1][0] == '\0')
        memory_free(pieces.items[--pieces.count]);
    *ret_pieces = pieces;
}

int host_and_port_split(const char *text, struct text_pieces *ret_pieces, struct error *error)
{
    if (text[0] != '[') {
        text_split(text, ':', ret_pieces);
        return ZK_OK;
    }
    const char *bracket = strchr(text, ']');
    if (bracket == NULL)
        return error_set(error, ZK_BAD_CONFIG, "%s starts with '[' but has no matching ']:'", text);
    if (bracket[1] != '\0' && bracket[2] == '\0')
        return error_set(error, ZK_BAD_CONFIG, "%s doesn't have a port after colon", text);
    struct text_pieces pieces = {0};
    if (bracket[1] == '\0') {
        append(&pieces, without_brackets(text));
    } else {
        struct text_pieces rest;
        append(&pieces, string_copy_n(text + 1, (size_t)(bracket - text - 1)));
        text_split(bracket + 2, ':', &rest);
        for (size_t i = 0; i < rest.count; i++)
            append(&pieces, string_copy(rest.items[i]));
        text_pieces_release(&rest);
    }
    *ret_pieces = pieces;
    return ZK_OK;
}

char *host_canonical(const char *host)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    if (host[0] == '\0')
        return string_copy("localhost");
    if (!address_from_ip(host, 0, &address))
        return string_copy(host);
    address_format_ip(&address, text);
    return string_copy(text);
}

int port_parse(const char *host, const char *text, uint16_t *ret_port, struct error *error)
{
    int64_t port;
    if (!string_to_int64(text, 10, &port) || port < INT32_MIN || port > INT32_MAX)
        return error_set(error, ZK_BAD_CONFIG, "Address unresolved: %s:%s", host, text);
    if (port < 0 || port > UINT16_MAX)
        return error_set(error, ZK_BAD_CONFIG, "port out of range:%" PRId64, port);
    *ret_port = (uint16_t)port;
    return ZK_OK;
}
