/* What commands print in Java's layout, and what of it is safe on a terminal. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_FORMAT_H
#define ZKC_CLIENT_CLI_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "client/public.h"
#include "common/base/buffer.h"

/* The eleven lines of StatPrinter. */
void format_stat(const struct Stat *stat, struct buffer *out);
/* "Thu Jan 01 00:00:00 UTC 1970", local. Mirrors java.util.Date.toString. */
void format_date(int64_t wall_ms, struct buffer *out);
/* The table of Netty's ByteBufUtil.prettyHexDump without a line end behind it; nothing for no bytes. */
void format_hex_dump(const uint8_t *bytes, size_t size, struct buffer *out);
/* "[a, b]". */
void format_list(const char *const *items, size_t count, struct buffer *out);
/* "12.5M": a size in three or four characters and a unit of 1024. */
void format_size(int64_t size, struct buffer *out);

/*
 * The same text without anything a terminal obeys: control characters, the invisible ones that turn the direction of
 * writing, and bytes that are no UTF-8 become \n, \x1b, \u202e and the like; a backslash stays as it is. FORMAT_DATA
 * keeps line ends and tabs.
 */
enum format_kind { FORMAT_NAME, FORMAT_DATA };
void format_escaped(const char *bytes, size_t size, enum format_kind kind, struct buffer *out);

/* Names of events and states as Java's enums have them; "Unknown" for any other number. */
const char *format_event_type(int type);
const char *format_event_state(int state);
/* "WatchedEvent state:SyncConnected type:NodeCreated path:/a zxid: -1"; `path` NULL or empty is null. */
void format_event(int type, int state, const char *path, struct buffer *out);

#endif
