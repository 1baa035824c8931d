/* One node of an exported subtree as a line of JSON, and back. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_RECORD_H
#define ZKC_CLIENT_CLI_RECORD_H

#include <stdint.h>

#include "client/cli/cli_kind.h"
#include "client/public.h"
#include "common/base/buffer.h"
#include "common/base/error.h"

#define RECORD_FORMAT 1

struct record {
    char *path;             /* below the exported node: "/" for that itself, "/a/b" */
    struct buffer data;
    int32_t data_size;      /* -1: none */
    struct ACL_vector acl;
    enum node_kind kind;
    int64_t ttl_ms;         /* of NODE_TTL */
    int64_t owner;          /* of NODE_EPHEMERAL, a session that will be gone */
    int64_t sequence;       /* number of the next sequential child */
};
void record_release(struct record *record);

/* The first line: what this is and where it comes from. */
void record_print_head(const char *root, int64_t wall_ms, struct buffer *out);
/* Appends the line without its end. `stat` is written for readers; record_parse() passes it over. */
void record_print(const struct record *record, const struct Stat *stat, struct buffer *out);

enum record_line { RECORD_HEAD, RECORD_NODE };
/*
 * What a line holds: a head (then *ret_root is its root, the caller's), or a node (then *ret_record is filled).
 * ZK_BAD_ARGUMENTS says what is wrong with it: no JSON, no path, data that is no base64, a format of another time.
 */
int record_parse(const char *line, size_t size, enum record_line *ret_what, char **ret_root, struct record *ret_record,
                 struct error *error);

#endif
