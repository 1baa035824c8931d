/*
 * cli_path.c - says what is wrong with a path, in Java's words.
 *
 * common/wire/path.h has the same rules with the sentences of the server's log; here people and scripts read those they
 * know from zkCli.sh. Positions count UTF-16 units, and a character beyond U+FFFF is two of them that are not allowed.
 */
#include "client/cli/cli_path.h"

#include <stdint.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

#define NOT_UTF8 0xfffd

/* The next UTF-16 unit of the text, of a surrogate pair the first; a byte that is not UTF-8 is U+FFFD. */
static uint32_t next_unit(const char **at)
{
    const uint8_t *bytes = (const uint8_t *)*at;
    size_t size = bytes[0] < 0x80 ? 1 : (bytes[0] & 0xe0) == 0xc0 ? 2 : (bytes[0] & 0xf0) == 0xe0 ? 3 : 4;
    if (strnlen(*at, size) < size || !utf8_is_valid(*at, size)) {
        *at += 1;
        return NOT_UTF8;
    }
    *at += size;
    switch (size) {
    case 1: return bytes[0];
    case 2: return (uint32_t)(bytes[0] & 0x1f) << 6 | (bytes[1] & 0x3f);
    case 3: return (uint32_t)(bytes[0] & 0x0f) << 12 | (uint32_t)(bytes[1] & 0x3f) << 6 | (bytes[2] & 0x3f);
    default: return 0xd800;
    }
}

static bool is_forbidden(uint32_t unit)
{
    return unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

/* What is wrong with the unit behind `name_size` bytes of a name; `next` is what follows it. NULL: nothing. */
static const char *judge(uint32_t unit, const char *name, size_t name_size, char next)
{
    bool is_last = next == '/' || next == '\0';
    if (unit == '/')
        return name_size == 0 ? "empty node name specified" : NULL;
    if (unit == '.')
        return is_last && (name_size == 0 || (name_size == 1 && name[0] == '.')) ? "relative paths not allowed" : NULL;
    return is_forbidden(unit) ? "invalid character" : NULL;
}

int cli_path_validate(const char *path, bool is_sequential, struct error *error)
{
    char *judged = string_format("%s%s", path, is_sequential ? "1" : "");
    int err = ZK_OK;
    size_t size = strlen(judged), unit = 1;
    if (size == 0)
        err = error_set(error, ZK_BAD_ARGUMENTS, "Path length must be > 0");
    else if (judged[0] != '/')
        err = error_set(error, ZK_BAD_ARGUMENTS, "Path must start with / character");
    else if (size > 1 && judged[size - 1] == '/')
        err = error_set(error, ZK_BAD_ARGUMENTS, "Path must not end with / character");
    const char *name = judged + 1;
    for (const char *at = name; err == ZK_OK && size > 1 && *at != '\0'; unit++) {
        const char *start = at;
        uint32_t found = next_unit(&at);
        const char *reason = judge(found, name, (size_t)(start - name), *at);
        if (reason != NULL)
            err = error_set(error, ZK_BAD_ARGUMENTS, "Invalid path string \"%s\" caused by %s @%zu", judged, reason,
                            unit);
        if (found == '/')
            name = at;
    }
    memory_free(judged);
    return err;
}

char *cli_path_join(const char *parent, const char *name)
{
    return string_format("%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
}
