/* acl.c - the well-known ACLs, and comparing, copying and printing of any. Mirrors ZooDefs.Ids. */
#include "common/wire/acl.h"

#include <stddef.h>
#include <string.h>

#include "common/base/memory.h"

#define WORLD_ANYONE {.scheme = {"world", 5}, .id = {"anyone", 6}}

static struct zk_acl open_unsafe[] = {{.perms = PERM_ALL, .id = WORLD_ANYONE}};
static struct zk_acl read_unsafe[] = {{.perms = PERM_READ, .id = WORLD_ANYONE}};

const struct zk_acl_vector acl_open_unsafe = {open_unsafe, 1};
const struct zk_acl_vector acl_read_unsafe = {read_unsafe, 1};

static size_t text_size(struct ustring text)
{
    return text.size > 0 ? (size_t)text.size : 0;
}

/* The text, copied to *at, which moves on. */
static struct ustring copy_text(char **at, struct ustring from)
{
    if (from.size < 0)
        return USTRING_NULL;
    struct ustring copy = {*at, from.size};
    if (from.size > 0)
        memcpy(*at, from.bytes, (size_t)from.size);
    *at += from.size;
    return copy;
}

bool acl_equal(const struct zk_acl *a, const struct zk_acl *b)
{
    return a->perms == b->perms && ustring_equal(a->id.scheme, b->id.scheme) && ustring_equal(a->id.id, b->id.id);
}

bool acl_vector_equal(const struct zk_acl_vector *a, const struct zk_acl_vector *b)
{
    if (a->count != b->count)
        return false;
    for (int32_t i = 0; i < a->count; i++)
        if (!acl_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

struct zk_acl_vector *acl_vector_copy(const struct zk_acl_vector *from)
{
    size_t count = from->count > 0 ? (size_t)from->count : 0;
    size_t size = sizeof(*from) + count * sizeof(from->items[0]);
    for (size_t i = 0; i < count; i++)
        size += text_size(from->items[i].id.scheme) + text_size(from->items[i].id.id);
    struct zk_acl_vector *copy = memory_alloc(size);
    *copy = (struct zk_acl_vector){(struct zk_acl *)(copy + 1), from->count};
    char *text = (char *)(copy->items + count);
    for (size_t i = 0; i < count; i++) {
        copy->items[i].perms = from->items[i].perms;
        copy->items[i].id.scheme = copy_text(&text, from->items[i].id.scheme);
        copy->items[i].id.id = copy_text(&text, from->items[i].id.id);
    }
    return copy;
}

void acl_format_permissions(int32_t permissions, char text[8])
{
    static const char letters[] = "rwcda";
    size_t size = 0;
    for (size_t i = 0; letters[i] != '\0'; i++)
        if ((permissions & 1 << i) != 0)
            text[size++] = letters[i];
    text[size] = '\0';
}
