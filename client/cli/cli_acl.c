/*
 * cli_acl.c - reads scheme:id:permissions, and prints entries as Java's jute does.
 *
 * The id may hold colons: the scheme ends at the first and the permissions begin behind the last. Printed, a text has a
 * quote before it and none behind, and , } % and line ends in it are written %2C and so on.
 */
#include "client/cli/cli_acl.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/acl.h"

static const struct {
    char letter;
    int32_t permission;
} permissions_in_order[] = {
    { 'c', PERM_CREATE }, { 'd', PERM_DELETE }, { 'r', PERM_READ }, { 'w', PERM_WRITE }, { 'a', PERM_ADMIN },
};

/* The bytes of the character at `at`, so that a complaint shows it whole. */
static size_t character_size(const char *at)
{
    size_t size = 1;
    while (((uint8_t)at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

int32_t acl_parse_permissions(const char *letters, struct buffer *complaints)
{
    int32_t permissions = 0;
    for (const char *at = letters; *at != '\0'; at += character_size(at)) {
        int32_t found = 0;
        for (size_t i = 0; i < ARRAY_SIZE(permissions_in_order); i++)
            if (permissions_in_order[i].letter == *at)
                found = permissions_in_order[i].permission;
        permissions |= found;
        if (found == 0)
            buffer_printf(complaints, "Unknown perm type: %.*s\n", (int)character_size(at), at);
    }
    return permissions;
}

void acl_list_add(struct ACL_vector *acl, const char *scheme, const char *id, int32_t permissions)
{
    acl->data = memory_realloc(acl->data, (size_t)(acl->count + 1) * sizeof(*acl->data));
    struct ACL *entry = &acl->data[acl->count++];
    entry->perms = permissions;
    entry->id.scheme = string_copy(scheme);
    entry->id.id = string_copy(id);
}

static void parse_entry(const char *entry, size_t size, struct ACL_vector *acl, struct buffer *complaints)
{
    char *scheme = string_copy_n(entry, size);
    char *first = strchr(scheme, ':'), *last = strrchr(scheme, ':');
    if (first == last) {
        buffer_printf(complaints, "%s does not have the form scheme:id:perm\n", scheme);
    } else {
        *first = *last = '\0';
        acl_list_add(acl, scheme, first + 1, acl_parse_permissions(last + 1, complaints));
    }
    memory_free(scheme);
}

void acl_list_parse(const char *text, struct ACL_vector *ret_acl, struct buffer *complaints)
{
    *ret_acl = (struct ACL_vector){0};
    size_t size = strlen(text);
    bool is_empty = size == 0;
    while (size > 0 && text[size - 1] == ',')    /* as Java's split(): what is empty at the end is none */
        size--;
    const char *end = text + size;
    for (const char *at = text; at < end || is_empty; is_empty = false) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma == NULL ? end : comma;
        parse_entry(at, (size_t)(stop - at), ret_acl, complaints);
        at = comma == NULL ? end : comma + 1;
    }
}

void acl_list_release(struct ACL_vector *acl)
{
    for (int32_t i = 0; i < acl->count; i++) {
        memory_free(acl->data[i].id.scheme);
        memory_free(acl->data[i].id.id);
    }
    memory_free(acl->data);
    *acl = (struct ACL_vector){0};
}

void acl_print_permissions(int32_t permissions, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(permissions_in_order); i++)
        if ((permissions & permissions_in_order[i].permission) != 0)
            buffer_append_byte(out, (uint8_t)permissions_in_order[i].letter);
}

static void print_jute_string(const char *text, struct buffer *out)
{
    buffer_append_byte(out, '\'');
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr("\n\r,}%", *at) != NULL)
            buffer_printf(out, "%%%02X", (uint8_t)*at);
        else
            buffer_append_byte(out, (uint8_t)*at);
    }
}

void acl_list_print(const struct ACL_vector *acl, struct buffer *out)
{
    for (int32_t i = 0; i < acl->count; i++) {
        print_jute_string(acl->data[i].id.scheme, out);
        buffer_append_byte(out, ',');
        print_jute_string(acl->data[i].id.id, out);
        buffer_append_string(out, "\n: ");
        acl_print_permissions(acl->data[i].perms, out);
        buffer_append_byte(out, '\n');
    }
}
