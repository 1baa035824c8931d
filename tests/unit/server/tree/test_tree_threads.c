/*
 * test_tree_threads.c - one writer, readers, and snapshots all the while; worth most under TSan.
 *
 * Every snapshot taken is loaded, and the transactions from its beginning on are applied to it again: the result must
 * be the tree that the writer left.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/random.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "server/tree/data_tree.h"
#include "tests/lib/check_main.h"
#include "tests/unit/server/tree/golden.h"
#include "tests/unit/server/tree/tree_driver.h"

#define WRITES 12000
#define SNAPSHOTS 6
#define PARENTS 40
#define CHILDREN 30
#define LARGE_FAMILY 4000    /* names below the first parent, more than a walk copies at a time */
#define FIRST_SESSION 77

/* A transaction that succeeded: what the log would hold. */
struct logged {
    int32_t type;    /* 0: none of that zxid */
    int32_t parent_cversion;
    int64_t session;
    struct path_list ephemerals;    /* that a closeSession deletes: without them it could not be repeated */
};

struct shared {
    struct data_tree *tree;
    struct logged log[WRITES + 1];
    _Atomic bool is_over;
    _Atomic uint64_t reads, events;
};

/* A watcher that only counts, for any thread. */
struct counting_watcher {
    struct watcher base;
    struct shared *shared;
    _Atomic int references;
};

static struct counting_watcher *counting_of(struct watcher *watcher)
{
    return container_of(watcher, struct counting_watcher, base);
}

static void counting_process(struct watcher *watcher, const struct watch_event *event)
{
    ck_assert(event->path.size > 0);
    atomic_fetch_add(&counting_of(watcher)->shared->events, 1);
}

static bool counting_is_stale(struct watcher *watcher)
{
    (void)watcher;
    return false;
}

static int64_t counting_session_id(struct watcher *watcher)
{
    (void)watcher;
    return 1;
}

static void counting_ref(struct watcher *watcher)
{
    atomic_fetch_add(&counting_of(watcher)->references, 1);
}

static void counting_unref(struct watcher *watcher)
{
    atomic_fetch_sub(&counting_of(watcher)->references, 1);
}

static const struct watcher_ops counting_ops = {counting_process, counting_is_stale, counting_session_id, counting_ref,
                                                counting_unref};

/* A repeatable choice that belongs to a zxid, so that the same transaction can be made again. */
static uint32_t choice(int64_t zxid, uint32_t what, uint32_t below)
{
    struct java_random random;
    java_random_init(&random, zxid * 31 + what);
    return ((uint32_t)java_random_next_int(&random) >> 8) % below;
}

static void path_for(int64_t zxid, char path[64])
{
    bool is_large = choice(zxid, 7, 3) == 0;
    uint32_t parent = is_large ? 0 : choice(zxid, 1, PARENTS);
    if (choice(zxid, 2, 6) == 0)
        snprintf(path, 64, "/p%u", parent);
    else
        snprintf(path, 64, "/p%u/c%u", parent, choice(zxid, 3, is_large ? LARGE_FAMILY : CHILDREN));
}

static int apply_close(struct data_tree *tree, int64_t zxid, const struct logged *logged)
{
    struct ustring paths[WRITES];
    size_t count = logged->ephemerals.count;
    for (size_t i = 0; i < count; i++)
        paths[i] = ustring_of(logged->ephemerals.paths[i]);
    return close_session(tree, zxid, logged->session, paths, (int32_t)count);
}

static int apply_logged(struct data_tree *tree, int64_t zxid, const struct logged *logged)
{
    char path[64];
    path_for(zxid, path);
    bool is_ephemeral = logged->session != 0;
    struct txn_body body = {.record.create = {ustring_of(path), bytes_of("data"), acl_open_unsafe, is_ephemeral,
                                              logged->parent_cversion}};
    switch (logged->type) {
    case OP_DELETE:
        return delete_path(tree, zxid, path);
    case OP_SET_DATA:
        return set_data_of(tree, zxid, path, "other", (int32_t)zxid);
    case OP_SET_ACL:
        return set_acl_of(tree, zxid, path, zxid % 2 == 0 ? &acl_read_unsafe : &acl_open_unsafe, (int32_t)zxid);
    case OP_CLOSE_SESSION:
        return apply_close(tree, zxid, logged);
    case OP_CREATE:
    case OP_CREATE2:
        return apply_txn(tree, logged->type, zxid, logged->session, body, NULL);
    default:
        return apply_txn(tree, OP_ERROR, zxid, 0, (struct txn_body){0}, NULL);
    }
}

static bool view_stat(struct data_tree *tree, struct ustring path, int32_t *ret_children, int32_t *ret_cversion)
{
    struct node_view view;
    if (!data_tree_view(tree, path, &view))
        return false;
    *ret_children = view.child_count;
    *ret_cversion = view.stat.cversion;
    node_view_release(&view);
    return true;
}

/* What a server would make of the request that belongs to this zxid: nothing, if it is to be refused. */
static struct logged prepare(struct data_tree *tree, int64_t zxid, int64_t *session)
{
    static const int32_t types[] = {OP_DELETE, OP_SET_DATA, OP_SET_ACL, OP_CREATE, OP_CREATE, OP_CREATE2, OP_CREATE};
    struct logged logged = {.type = types[choice(zxid, 4, ARRAY_SIZE(types))]};
    char path[64];
    path_for(zxid, path);
    int32_t slash = (int32_t)(strrchr(path, '/') - path);
    int32_t children = 0;
    int32_t cversion = 0;
    bool is_there = view_stat(tree, ustring_of(path), &children, &cversion);
    bool is_create = logged.type == OP_CREATE || logged.type == OP_CREATE2;
    if (choice(zxid, 5, 500) == 0) {
        logged = (struct logged){.type = OP_CLOSE_SESSION, .session = (*session)++};
        data_tree_get_ephemerals(tree, logged.session, &logged.ephemerals);
        return logged;
    }
    if (is_there == is_create || (logged.type == OP_DELETE && children > 0))
        return (struct logged){0};
    if (is_create) {
        int32_t parent_cversion = 0;
        if (!view_stat(tree, (struct ustring){path, slash}, &children, &parent_cversion))
            return (struct logged){0};
        logged.parent_cversion = parent_cversion + 1;
        logged.session = slash > 0 && choice(zxid, 6, 3) == 0 ? *session : 0;
    }
    return logged;
}

static void write_all(void *arg)
{
    struct shared *shared = arg;
    int64_t session = FIRST_SESSION;
    for (int64_t zxid = 1; zxid <= WRITES; zxid++) {
        shared->log[zxid] = prepare(shared->tree, zxid, &session);
        int err = apply_logged(shared->tree, zxid, &shared->log[zxid]);
        ck_assert_int_eq(err, ZK_OK);
    }
    atomic_store(&shared->is_over, true);
}

static void read_one(struct data_tree *tree, int64_t round, struct watcher *watcher)
{
    char path[64];
    struct zk_stat stat;
    struct blob *bytes = NULL;
    struct acl_list *acl = NULL;
    struct path_list paths;
    path_for(round, path);
    struct ustring at = ustring_of(path);
    if (data_tree_get_data(tree, at, NULL, watcher, &stat, &bytes) == ZK_OK)
        ck_assert_int_eq(bytes == NULL ? 0 : bytes->size, stat.data_length);
    blob_unref(bytes);
    bytes = NULL;
    if (data_tree_get_children(tree, at, NULL, watcher, &stat, &bytes) == ZK_OK)
        ck_assert_int_eq(load_be32(bytes->bytes), stat.num_children);
    blob_unref(bytes);
    if (data_tree_get_acl(tree, at, NULL, &stat, &acl) == ZK_OK)
        ck_assert_int_eq(acl->acl.count, 1);
    acl_list_unref(acl);
    data_tree_stat_node(tree, at, NULL, watcher, &stat);
    if (round % 50 == 0) {
        data_tree_get_ephemerals(tree, FIRST_SESSION + 1, &paths);
        path_list_release(&paths);
        data_tree_all_children_number(tree, ustring_of("/p1"));
        data_tree_remove_watcher(tree, watcher);
    }
}

static void read_all(void *arg)
{
    struct shared *shared = arg;
    struct counting_watcher watcher = {.base.ops = &counting_ops, .shared = shared};
    for (int64_t round = 1; !atomic_load(&shared->is_over); round++) {
        read_one(shared->tree, round, &watcher.base);
        atomic_fetch_add(&shared->reads, 1);
    }
    data_tree_remove_watcher(shared->tree, &watcher.base);
    while (atomic_load(&watcher.references) > 0)    /* an event that is being delivered holds one */
        continue;
}

static void assert_replayed_equal(struct shared *shared, const struct buffer *snapshot, int64_t from)
{
    struct data_tree *tree = shared->tree;
    struct data_tree *loaded = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(loaded, snapshot->bytes, snapshot->size, GOLDEN_LIMIT), ZK_OK);
    for (int64_t zxid = from + 1; zxid <= WRITES; zxid++)
        apply_logged(loaded, zxid, &shared->log[zxid]);
    ck_assert(data_tree_digest_is_consistent(loaded));
    ck_assert_uint_eq(data_tree_digest(loaded), data_tree_digest(tree));
    ck_assert_uint_eq(data_tree_node_count(loaded), data_tree_node_count(tree));
    ck_assert_int_eq(data_tree_approximate_data_size(loaded), data_tree_approximate_data_size(tree));
    ck_assert_uint_eq(data_tree_ephemerals_count(loaded), data_tree_ephemerals_count(tree));
    ck_assert_uint_eq(data_tree_acl_cache_size(loaded), data_tree_acl_cache_size(tree));
    ck_assert(!data_tree_digest_mismatch(loaded));
    data_tree_free(loaded);
}

START_TEST(readers_and_snapshots_beside_a_writer)
{
    static struct shared shared;
    shared.tree = data_tree_new(&golden_options, NULL);
    struct buffer snapshots[SNAPSHOTS] = {{0}};
    int64_t starts[SNAPSHOTS];
    struct thread *reader = thread_start("reader", read_all, &shared);
    struct thread *writer = thread_start("writer", write_all, &shared);
    for (int i = 0; i < SNAPSHOTS; i++) {
        while (data_tree_last_processed_zxid(shared.tree) < WRITES * i / SNAPSHOTS)
            thread_processors();
        starts[i] = data_tree_last_processed_zxid(shared.tree);
        golden_write(shared.tree, &snapshots[i]);
    }
    thread_join(writer);
    thread_join(reader);
    ck_assert_uint_gt(shared.reads, 0);
    ck_assert_uint_gt(shared.events, 0);
    ck_assert(data_tree_digest_is_consistent(shared.tree));
    for (int i = 0; i < SNAPSHOTS; i++) {
        assert_replayed_equal(&shared, &snapshots[i], starts[i]);
        buffer_release(&snapshots[i]);
    }
    for (int64_t zxid = 1; zxid <= WRITES; zxid++)
        path_list_release(&shared.log[zxid].ephemerals);
    data_tree_free(shared.tree);
}
END_TEST

static Suite *tree_threads_suite(void)
{
    Suite *suite = suite_create("tree_threads");
    TCase *tcase = tcase_create("tree_threads");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, readers_and_snapshots_beside_a_writer);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tree_threads_suite)
