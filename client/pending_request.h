/*
 * A request that waits for its answer: whom to tell and what to do with watchers. Mirrors ClientCnxn.Packet.
 */
#ifndef ZKC_CLIENT_PENDING_REQUEST_H
#define ZKC_CLIENT_PENDING_REQUEST_H

#include <stdbool.h>

#include "client/public.h"
#include "client/watch_registry.h"
#include "common/base/blob.h"

/* What stands in the answer, and so which of the completions it has. */
enum completion_type {
    COMPLETION_VOID,
    COMPLETION_STAT,
    COMPLETION_DATA,
    COMPLETION_STRINGS,
    COMPLETION_PATHS,           /* the same, but paths of the server */
    COMPLETION_STRINGS_STAT,
    COMPLETION_STRING,
    COMPLETION_STRING_STAT,
    COMPLETION_ACL,
    COMPLETION_MULTI,
    COMPLETION_MULTI_READ,
    COMPLETION_INT,
    COMPLETION_CLIENT_INFOS
};
union completion {
    void_completion_t void_result;
    stat_completion_t stat_result;
    data_completion_t data_result;
    strings_completion_t strings_result;
    strings_stat_completion_t strings_stat_result;
    string_completion_t string_result;
    string_stat_completion_t string_stat_result;
    acl_completion_t acl_result;
    read_results_completion_t read_results;
    int_completion_t int_result;
    client_infos_completion_t client_infos_result;
};

/* What becomes of a watcher once the answer is there. */
enum watch_change { WATCH_CHANGE_NONE, WATCH_CHANGE_ADD, WATCH_CHANGE_REMOVE };
struct watch_request {
    enum watch_change change;
    bool is_exists;             /* added: without the node it waits for its creation */
    enum watch_kind kind;       /* added */
    enum watcher_type type;     /* removed */
    watcher_fn watcher;
    void *context;
    char *path;                 /* the server's, owned */
};

/* Results of a multi: one for each operation, the user's. */
struct multi_result {
    int32_t type;
    char *value;                /* where the path of a create goes */
    int value_size;
    struct Stat *stat;
};

struct sync_call;

struct pending_request {
    struct pending_request *next;
    int32_t xid;
    enum completion_type type;
    union completion completion;
    const void *data;
    struct sync_call *sync;             /* who sleeps until it is done; NULL: the completion is called */
    int64_t deadline_ms;                /* elapsed; INT64_MAX: none */
    bool is_close;                      /* the request that closes the session */
    struct watch_request watch;
    int multi_count;
    struct multi_result *multi;         /* owned; NULL: no multi */
    zoo_op_result_t *multi_results;     /* the user's */
    /* The answer: */
    int rc;
    struct blob *reply;                 /* NULL: there is none */
    struct slice body;                  /* in it, behind the header */
};

/* In the order they were sent. */
struct pending_list {
    struct pending_request *first, *last;
    size_t count;
};

struct pending_request *pending_request_new(enum completion_type type, union completion completion, const void *data);
/* With all it owns. NULL is accepted. */
void pending_request_free(struct pending_request *request);
void pending_list_add(struct pending_list *list, struct pending_request *request);
void pending_list_add_first(struct pending_list *list, struct pending_request *request);
struct pending_request *pending_list_take(struct pending_list *list);    /* the first; NULL: empty */

#endif
