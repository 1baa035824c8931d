/*
 * path.c - which text is the path of a node, and its parts.
 *
 * Mirrors common.PathUtils. Java looks at UTF-16 units, so a character beyond U+FFFF is two surrogates, which are not
 * allowed; positions in messages count such units too. A sequential path is judged with the first digit of its number.
 */
#include "common/wire/path.h"

#include <inttypes.h>

/* Code point at `at`, and how many bytes it takes; a byte that starts none is U+FFFF, which no path may contain. */
static uint32_t decode(const uint8_t *at, const uint8_t *end, size_t *ret_size)
{
    size_t left = (size_t)(end - at);
    *ret_size = 1;
    if (at[0] < 0x80)
        return at[0];
    if ((at[0] & 0xe0) == 0xc0 && left >= 2) {
        *ret_size = 2;
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    }
    if ((at[0] & 0xf0) == 0xe0 && left >= 3) {
        *ret_size = 3;
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    }
    return 0xffff;
}

static bool is_forbidden(uint32_t code)
{
    return code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0;
}

static bool is_plain(uint8_t byte)
{
    return byte > 0x1f && byte < 0x7f && byte != '/';
}

/* The name between two slashes: neither empty nor a relative one. */
static const char *judge_name(const uint8_t *name, size_t size)
{
    if (size == 0)
        return "has an empty node name";
    if ((size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.'))
        return "is relative, a node name may not be . or ..";
    return NULL;
}

/* The first thing wrong behind the first slash; *ret_at is where, in UTF-16 units. */
static const char *judge(const uint8_t *start, const uint8_t *end, bool is_sequential, size_t *ret_at)
{
    const uint8_t *name = start + 1;
    size_t unit = 1;
    for (const uint8_t *at = start + 1; at < end;) {
        if (is_plain(at[0])) {    /* nearly all are */
            at++;
            unit++;
            continue;
        }
        size_t size;
        uint32_t code = decode(at, end, &size);
        const char *reason = NULL;
        if (code == '/')
            reason = judge_name(name, (size_t)(at - name));
        else if (is_forbidden(code))
            reason = code == 0 ? "contains a null character" : "contains a character that is not allowed";
        if (reason != NULL) {
            bool is_relative = code == '/' && at > name;
            *ret_at = unit - (is_relative ? 1 : 0);
            return reason;
        }
        at += size;
        unit++;
        if (code == '/')
            name = at;
    }
    *ret_at = unit - 1;
    return is_sequential ? NULL : judge_name(name, (size_t)(end - name));
}

int path_validate(struct ustring path, bool is_sequential, struct error *error)
{
    if (path.size < 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "path cannot be null");
    if (path.size == 0 && !is_sequential)
        return error_set(error, ZK_BAD_ARGUMENTS, "path cannot be empty");
    int shown = path.size < 256 ? (int)path.size : 256;
    if (path.size == 0 || path.bytes[0] != '/')
        return error_set(error, ZK_BAD_ARGUMENTS, "path must start with / character: \"%.*s\"", shown, path.bytes);
    if (path.size == 1)
        return ZK_OK;
    if (path.bytes[path.size - 1] == '/' && !is_sequential)
        return error_set(error, ZK_BAD_ARGUMENTS, "path must not end with / character: \"%.*s\"", shown, path.bytes);
    const uint8_t *start = (const uint8_t *)path.bytes;
    size_t at = 0;
    const char *reason = judge(start, start + path.size, is_sequential, &at);
    if (reason != NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "path \"%.*s\" %s @%zu", shown, path.bytes, reason, at);
    return ZK_OK;
}

/* Where the last slash is, -1 if nowhere. */
static int32_t last_slash(struct ustring path)
{
    int32_t at = path.size - 1;
    while (at >= 0 && path.bytes[at] != '/')
        at--;
    return at < 0 ? -1 : at;
}

bool path_split(struct ustring path, struct ustring *ret_parent, struct ustring *ret_name)
{
    int32_t slash = last_slash(path);
    if (slash < 0)
        return false;
    *ret_parent = (struct ustring){path.bytes, slash};
    *ret_name = (struct ustring){path.bytes + slash + 1, path.size - slash - 1};
    return true;
}

bool path_starts_with(struct ustring path, const char *prefix)
{
    size_t size = strlen(prefix);
    return path.size >= 0 && (size_t)path.size >= size && memcmp(path.bytes, prefix, size) == 0;
}

bool path_parent(struct ustring path, struct ustring *ret_parent)
{
    int32_t slash = last_slash(path);
    if (slash < 0 || path.size == 1)
        return false;
    *ret_parent = (struct ustring){path.bytes, slash == 0 ? 1 : slash};
    return true;
}
