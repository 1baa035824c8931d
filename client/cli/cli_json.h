/* What commands answer under --json. The values are the caller's. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_JSON_H
#define ZKC_CLIENT_CLI_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "client/public.h"
#include "common/base/buffer.h"

/* Zxids and owners as "0x1f", since many readers hold numbers in doubles; times in ms since 1970. */
json_t *json_of_stat(const struct Stat *stat);
/* [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}] */
json_t *json_of_acl(const struct ACL_vector *acl);
/* Bytes that are no UTF-8 are repaired as Java does, with U+FFFD. */
json_t *json_of_text(const char *bytes, size_t size);
json_t *json_of_strings(const char *const *items, size_t count);
json_t *json_of_hex(int64_t value);
/* Sets "data" to the text, or to null where there is no data, or "data64" to base64 of what is no UTF-8. */
void json_set_data(json_t *object, const char *bytes, int32_t size);
/* {"error": {"code": -101, "name": "NONODE", "message": "...", "path": "/a"}}; `path` may be NULL. */
json_t *json_of_failure(int code, const char *message, const char *path);

/* One line, without the line end. */
void json_print(const json_t *value, struct buffer *out);
/* Makes jansson take its memory where we take ours. Once, before anything else here. */
void json_use_our_memory(void);

#endif
