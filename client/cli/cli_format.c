/* cli_format.c - the lines that people and scripts know from zkCli.sh. */
#include "client/cli/cli_format.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

void format_date(int64_t wall_ms, struct buffer *out)
{
    struct tm local;
    char text[64];
    clock_local_time(wall_ms, &local);
    size_t size = strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &local);
    buffer_append(out, text, size);
}

void format_stat(const struct Stat *stat, struct buffer *out)
{
    buffer_printf(out, "cZxid = 0x%" PRIx64 "\nctime = ", (uint64_t)stat->czxid);
    format_date(stat->ctime, out);
    buffer_printf(out, "\nmZxid = 0x%" PRIx64 "\nmtime = ", (uint64_t)stat->mzxid);
    format_date(stat->mtime, out);
    buffer_printf(out, "\npZxid = 0x%" PRIx64 "\n", (uint64_t)stat->pzxid);
    buffer_printf(out, "cversion = %" PRId32 "\n", stat->cversion);
    buffer_printf(out, "dataVersion = %" PRId32 "\n", stat->version);
    buffer_printf(out, "aclVersion = %" PRId32 "\n", stat->aversion);
    buffer_printf(out, "ephemeralOwner = 0x%" PRIx64 "\n", (uint64_t)stat->ephemeralOwner);
    buffer_printf(out, "dataLength = %" PRId32 "\n", stat->dataLength);
    buffer_printf(out, "numChildren = %" PRId32 "\n", stat->numChildren);
}

static void hex_dump_row(const uint8_t *bytes, size_t size, size_t offset, struct buffer *out)
{
    buffer_printf(out, "\n|%08zx|", offset);
    for (size_t i = 0; i < 16; i++) {
        if (i < size)
            buffer_printf(out, " %02x", bytes[i]);
        else
            buffer_append_string(out, "   ");
    }
    buffer_append_string(out, " |");
    for (size_t i = 0; i < 16; i++)
        buffer_append_byte(out, i >= size ? ' ' : bytes[i] <= 0x1f || bytes[i] >= 0x7f ? '.' : bytes[i]);
    buffer_append_byte(out, '|');
}

void format_hex_dump(const uint8_t *bytes, size_t size, struct buffer *out)
{
    if (size == 0)
        return;
    buffer_append_string(out, "         +-------------------------------------------------+\n"
                              "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n"
                              "+--------+-------------------------------------------------+----------------+");
    for (size_t at = 0; at < size; at += 16)
        hex_dump_row(bytes + at, size - at < 16 ? size - at : 16, at, out);
    buffer_append_string(out, "\n+--------+-------------------------------------------------+----------------+");
}

void format_list(const char *const *items, size_t count, struct buffer *out)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s%s", i == 0 ? "" : ", ", items[i]);
    buffer_append_byte(out, ']');
}

void format_size(int64_t size, struct buffer *out)
{
    static const char units[] = "BKMGTPE";
    double shown = (double)size;
    size_t unit = 0;
    while (shown >= 1024 && unit + 1 < strlen(units)) {
        shown /= 1024;
        unit++;
    }
    buffer_printf(out, unit > 0 && shown < 100 ? "%.1f%c" : "%.0f%c", shown, units[unit]);
}

/* Length of the UTF-8 character at `bytes`, and its code; 0 when there is none. */
static size_t decode(const char *bytes, size_t left, uint32_t *ret_code)
{
    uint8_t first = (uint8_t)bytes[0];
    size_t size = first < 0x80 ? 1 : (first & 0xe0) == 0xc0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 4;
    if (size > left || !utf8_is_valid(bytes, size))
        return 0;
    *ret_code = size == 1 ? first : first & (0x7f >> size);
    for (size_t i = 1; i < size; i++)
        *ret_code = *ret_code << 6 | ((uint8_t)bytes[i] & 0x3f);
    return size;
}

/* Control characters of C0 and C1, line and paragraph separators, marks and overrides of direction. */
static bool is_obeyed(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static void append_escape(uint32_t code, struct buffer *out)
{
    switch (code) {
    case '\n': buffer_append_string(out, "\\n"); break;
    case '\r': buffer_append_string(out, "\\r"); break;
    case '\t': buffer_append_string(out, "\\t"); break;
    default: buffer_printf(out, code < 0x80 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, code);
    }
}

void format_escaped(const char *bytes, size_t size, enum format_kind kind, struct buffer *out)
{
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t length = decode(bytes + at, size - at, &code);
        if (length == 0)
            buffer_printf(out, "\\x%02x", (uint8_t)bytes[at++]);
        else if (is_obeyed(code) && !(kind == FORMAT_DATA && (code == '\n' || code == '\t')))
            append_escape(code, out);
        else
            buffer_append(out, bytes + at, length);
        at += length;
    }
}

const char *format_event_type(int type)
{
    switch (type) {
    case -1: return "None";
    case 1: return "NodeCreated";
    case 2: return "NodeDeleted";
    case 3: return "NodeDataChanged";
    case 4: return "NodeChildrenChanged";
    case 5: return "DataWatchRemoved";
    case 6: return "ChildWatchRemoved";
    case 7: return "PersistentWatchRemoved";
    default: return "Unknown";
    }
}

const char *format_event_state(int state)
{
    switch (state) {
    case 0:
    case 1:      /* the C binding: connecting */
    case 2:      /* and associating */
    case 999:    /* and not connected yet */
        return "Disconnected";
    case 3: return "SyncConnected";
    case 4:
    case -113:    /* the C binding */
        return "AuthFailed";
    case 5: return "ConnectedReadOnly";
    case 6: return "SaslAuthenticated";
    case 7: return "Closed";
    case -112: return "Expired";
    default: return "Unknown";
    }
}

void format_event(int type, int state, const char *path, struct buffer *out)
{
    buffer_printf(out, "WatchedEvent state:%s type:%s path:%s zxid: -1", format_event_state(state),
                  format_event_type(type), path == NULL || path[0] == '\0' ? "null" : path);
}
