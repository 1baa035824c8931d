/*
 * What the tests of this room share: a server_core over a database in a directory of its own, without any thread, whose
 * callbacks write down what they are told.
 */
#ifndef ZKC_TESTS_UNIT_SERVER_REQUEST_CORE_TEST_H
#define ZKC_TESTS_UNIT_SERVER_REQUEST_CORE_TEST_H

#include "common/wire/acl.h"
#include "common/wire/op_code.h"
#include "server/request/prep_ops.h"
#include "server/request/server_core.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

#define CORE_SESSION INT64_C(0x1000)    /* known, owned by server_core_me */
#define CORE_OTHER INT64_C(0x2000)      /* known, nobody's yet */
#define CORE_NOBODY INT64_C(0x3000)     /* unknown */
#define CORE_TIME INT64_C(1700000000000)

struct core_events {
    _Atomic int failures, last_exit_code, finished_sessions, flushes;
    _Atomic int64_t closed_session;    /* the last one, 0: none */
};
extern struct server_core core;
extern struct server_options core_options;
extern struct core_events core_events;
extern char core_directory[TEST_DIRECTORY_SIZE];

void core_set_up(void);
void core_tear_down(void);

/* A request of CORE_SESSION, owned by server_core_me, from 127.0.0.1 and with `record` (may be NULL) as its payload,
 * which is emptied. */
struct request *core_request(int32_t type, struct buffer *record);
/* The same from a connection. */
struct request *core_request_from(struct server_cnxn *cnxn, int32_t xid, int32_t type, struct buffer *record);

/* Makes a node right in the tree, under the next zxid. acl NULL is the open one; owner 0 makes it persistent. */
void core_make(const char *path, const char *data, const struct zk_acl_vector *acl, int64_t owner);
struct zk_stat core_stat(const char *path);
bool core_exists(const char *path);
/* A context to prepare a request in, its zxid taken. */
struct prep_context core_context(struct request *request);
/* Gives the request the transaction of its context and body; the digest is the context's. */
void core_finish(struct prep_context *context, const struct txn_body *body);
/* Applies the request's transaction. */
void core_apply(struct request *request);

/* world:anyone with these permissions; static. */
const struct zk_acl_vector *core_acl(int32_t permissions);
struct jute_buffer core_bytes(const char *text);    /* NULL is null */

#endif
