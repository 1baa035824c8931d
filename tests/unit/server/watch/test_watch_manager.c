/* test_watch_manager.c - who hears what, once or for ever, of a node or of all below it. */
#include "server/watch/watch_manager.h"

#include <stdio.h>

#include "tests/lib/check_main.h"
#include "tests/unit/server/watch/fake_watcher.h"

static struct watch_manager *manager;
static struct fake_watcher a, b;

static void set_up(void)
{
    manager = watch_manager_new(NULL);
    fake_watcher_init(&a, 0x1a);
    fake_watcher_init(&b, 0x2b);
}

/* Nobody keeps a reference. */
static void tear_down(void)
{
    watch_manager_free(manager);
    ck_assert_int_eq(a.references, 0);
    ck_assert_int_eq(b.references, 0);
    fake_watcher_forget(&a);
    fake_watcher_forget(&b);
}

static bool add(const char *path, struct fake_watcher *watcher, enum watcher_mode mode)
{
    return watch_manager_add(manager, ustring_of(path), &watcher->base, mode);
}

static bool drop(const char *path, struct fake_watcher *watcher, enum watcher_mode mode)
{
    return watch_manager_remove(manager, ustring_of(path), &watcher->base, mode);
}

static bool contains(const char *path, struct fake_watcher *watcher, enum watcher_mode mode)
{
    return watch_manager_contains(manager, ustring_of(path), &watcher->base, mode);
}

static void fire(const char *path, int32_t type)
{
    watch_manager_trigger(manager, ustring_of(path), type, 7, NULL, NULL, NULL);
}

static void assert_summary(const char *expected)
{
    struct buffer out = {0};
    watch_manager_print_summary(manager, &out);
    ck_assert_str_eq(buffer_string(&out), expected);
    buffer_release(&out);
}

START_TEST(a_standard_watch_fires_once)
{
    ck_assert(add("/x", &a, WATCHER_STANDARD));
    ck_assert(!add("/x", &a, WATCHER_STANDARD));
    ck_assert(add("/x", &b, WATCHER_STANDARD));
    ck_assert_uint_eq(watch_manager_size(manager), 2);
    fire("/y", EVENT_NODE_CREATED);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_int_eq(a.events[0].type, EVENT_NODE_DATA_CHANGED);
    ck_assert_int_eq(a.events[0].zxid, 7);
    ck_assert_str_eq(a.events[0].path, "/x");
    ck_assert_uint_eq(watch_manager_size(manager), 0);
}
END_TEST

struct light_watcher {    /* of whom there may be very many */
    struct watcher base;
    uint32_t told, references;
};

static struct light_watcher *light_of(struct watcher *watcher)
{
    return container_of(watcher, struct light_watcher, base);
}

static void light_process(struct watcher *watcher, const struct watch_event *event)
{
    (void)event;
    light_of(watcher)->told++;
}

static bool light_is_stale(struct watcher *watcher)
{
    (void)watcher;
    return false;
}

static int64_t light_session_id(struct watcher *watcher)
{
    return (int64_t)(uintptr_t)watcher;
}

static void light_ref(struct watcher *watcher)
{
    light_of(watcher)->references++;
}

static void light_unref(struct watcher *watcher)
{
    light_of(watcher)->references--;
}

START_TEST(a_million_may_watch_one_node)
{
    enum { COUNT = 1000000 };
    static const struct watcher_ops ops = {light_process, light_is_stale, light_session_id, light_ref, light_unref};
    struct light_watcher *crowd = MEMORY_NEW_ARRAY(COUNT, struct light_watcher);
    size_t added = 0, told_once = 0, held = 0;
    for (size_t i = 0; i < COUNT; i++) {
        crowd[i].base.ops = &ops;
        added += watch_manager_add(manager, ustring_of("/x"), &crowd[i].base, WATCHER_STANDARD);
    }
    ck_assert_uint_eq(added, COUNT);
    ck_assert_uint_eq(watch_manager_size(manager), COUNT);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    ck_assert_uint_eq(watch_manager_size(manager), 0);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    for (size_t i = 0; i < COUNT; i++) {
        if (i % 2 == 0)
            watch_manager_remove_watcher(manager, &crowd[i].base);    /* its connection closed */
        told_once += crowd[i].told == 1 && crowd[i].references == i % 2;
    }
    ck_assert_uint_eq(told_once, COUNT);
    watch_manager_free(manager);
    for (size_t i = 0; i < COUNT; i++)
        held += crowd[i].references;
    ck_assert_uint_eq(held, 0);
    manager = watch_manager_new(NULL);
    memory_free(crowd);
}
END_TEST

START_TEST(a_persistent_watch_stays)
{
    add("/x", &a, WATCHER_PERSISTENT);
    add("/x", &a, WATCHER_STANDARD);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    ck_assert_uint_eq(a.count, 1);    /* once a connection */
    ck_assert(!contains("/x", &a, WATCHER_STANDARD));
    ck_assert(contains("/x", &a, WATCHER_PERSISTENT));
    fire("/x", EVENT_NODE_DELETED);
    ck_assert_uint_eq(a.count, 2);
    fire("/x/y", EVENT_NODE_CREATED);
    ck_assert_uint_eq(a.count, 2);
}
END_TEST

START_TEST(a_recursive_watch_hears_of_all_below)
{
    add("/x", &a, WATCHER_PERSISTENT_RECURSIVE);
    add("/", &b, WATCHER_PERSISTENT_RECURSIVE);
    add("/x/y/z", &a, WATCHER_STANDARD);
    fire("/x/y/z", EVENT_NODE_CREATED);
    fire("/x", EVENT_NODE_DATA_CHANGED);
    fire("/xy", EVENT_NODE_CREATED);
    fire("/", EVENT_NODE_DATA_CHANGED);
    ck_assert_uint_eq(a.count, 2);
    ck_assert_uint_eq(b.count, 4);
    ck_assert_str_eq(a.events[0].path, "/x/y/z");
    ck_assert(drop("/", &b, WATCHER_PERSISTENT_RECURSIVE));
    ck_assert(drop("/x", &a, WATCHER_ANY));
    fire("/x/y", EVENT_NODE_CREATED);
    ck_assert_uint_eq(a.count, 2);
    ck_assert_uint_eq(b.count, 4);
}
END_TEST

START_TEST(modes_are_removed_one_by_one)
{
    add("/x", &a, WATCHER_STANDARD);
    add("/x", &a, WATCHER_PERSISTENT);
    add("/x", &a, WATCHER_PERSISTENT_RECURSIVE);
    ck_assert_uint_eq(watch_manager_size(manager), 1);
    ck_assert(drop("/x", &a, WATCHER_PERSISTENT));
    ck_assert(!drop("/x", &a, WATCHER_PERSISTENT));
    ck_assert(contains("/x", &a, WATCHER_STANDARD));
    ck_assert(contains("/x", &a, WATCHER_PERSISTENT_RECURSIVE));
    ck_assert(contains("/x", &a, WATCHER_ANY));
    ck_assert(drop("/x", &a, WATCHER_ANY));
    ck_assert(!contains("/x", &a, WATCHER_ANY));
    ck_assert(!drop("/x", &a, WATCHER_ANY));
    ck_assert(!drop("/x", &b, WATCHER_ANY));
    ck_assert_int_eq(a.references, 0);
}
END_TEST

START_TEST(a_closing_connection_gets_no_watch)
{
    a.is_stale = true;
    ck_assert(!add("/x", &a, WATCHER_STANDARD));
    ck_assert_uint_eq(watch_manager_size(manager), 0);
    ck_assert_int_eq(a.references, 0);
}
END_TEST

START_TEST(who_leaves_takes_his_watches_along)
{
    for (int i = 0; i < 100; i++) {
        char path[16];
        snprintf(path, sizeof(path), "/n%d", i);
        add(path, &a, WATCHER_STANDARD);
        add(path, &b, i % 2 == 0 ? WATCHER_PERSISTENT_RECURSIVE : WATCHER_STANDARD);
    }
    ck_assert_uint_eq(watch_manager_size(manager), 200);
    watch_manager_remove_watcher(manager, &b.base);
    watch_manager_remove_watcher(manager, &b.base);
    ck_assert_uint_eq(watch_manager_size(manager), 100);
    ck_assert_int_eq(b.references, 0);
    fire("/n0", EVENT_NODE_DELETED);
    fire("/n2/x", EVENT_NODE_CREATED);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_uint_eq(b.count, 0);
}
END_TEST

START_TEST(who_was_told_is_left_out)
{
    struct watch_manager *children = watch_manager_new(NULL);
    struct watcher_set told;
    add("/x", &a, WATCHER_STANDARD);
    watch_manager_add(children, ustring_of("/x"), &a.base, WATCHER_STANDARD);
    watch_manager_add(children, ustring_of("/x"), &b.base, WATCHER_STANDARD);
    watch_manager_trigger(manager, ustring_of("/x"), EVENT_NODE_DELETED, 9, NULL, NULL, &told);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_ptr_eq(told.items[0], &a.base);
    watch_manager_trigger(children, ustring_of("/x"), EVENT_NODE_DELETED, 9, NULL, &told, NULL);
    watcher_set_release(&told);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_uint_eq(b.count, 1);
    watch_manager_trigger(manager, ustring_of("/none"), EVENT_NODE_DELETED, 9, NULL, NULL, &told);
    ck_assert_uint_eq(told.count, 0);
    watcher_set_release(&told);
    ck_assert_uint_eq(watch_manager_size(children), 0);
    watch_manager_free(children);
}
END_TEST

/* As in Java: a connection whose watches have all fired counts until it closes. */
START_TEST(summary_as_java_counts)
{
    assert_summary("0 connections watching 0 paths\nTotal watches:0");
    add("/x", &a, WATCHER_STANDARD);
    add("/x", &b, WATCHER_STANDARD);
    add("/y", &b, WATCHER_PERSISTENT);
    assert_summary("2 connections watching 2 paths\nTotal watches:3");
    fire("/x", EVENT_NODE_DELETED);
    assert_summary("2 connections watching 1 paths\nTotal watches:1");
    drop("/y", &b, WATCHER_ANY);
    assert_summary("1 connections watching 0 paths\nTotal watches:0");
    watch_manager_remove_watcher(manager, &a.base);
    assert_summary("0 connections watching 0 paths\nTotal watches:0");
}
END_TEST

START_TEST(dumps_by_path_and_by_session)
{
    struct buffer out = {0};
    add("/b", &a, WATCHER_STANDARD);
    add("/a", &a, WATCHER_STANDARD);
    add("/a", &b, WATCHER_STANDARD);
    watch_manager_print(manager, true, &out);
    ck_assert_str_eq(buffer_string(&out), "/a\n\t0x1a\n\t0x2b\n/b\n\t0x1a\n");
    watch_manager_remove_watcher(manager, &b.base);
    buffer_clear(&out);
    watch_manager_print(manager, false, &out);
    ck_assert_str_eq(buffer_string(&out), "0x1a\n\t/a\n\t/b\n");
    buffer_release(&out);
}
END_TEST

START_TEST(any_text_is_a_path)
{
    struct ustring null = USTRING_NULL;
    ck_assert(watch_manager_add(manager, null, &a.base, WATCHER_STANDARD));
    ck_assert(add("", &a, WATCHER_STANDARD));
    ck_assert(add("no slash", &a, WATCHER_PERSISTENT_RECURSIVE));
    ck_assert(watch_manager_contains(manager, null, &a.base, WATCHER_ANY));
    fire("", EVENT_NODE_CREATED);
    fire("no slash", EVENT_NODE_CREATED);
    ck_assert_uint_eq(a.count, 1);    /* as in Java, nothing fires for the empty path */
}
END_TEST

static Suite *watch_manager_suite(void)
{
    Suite *suite = suite_create("watch_manager");
    TCase *tcase = tcase_create("watch_manager");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_standard_watch_fires_once);
    tcase_add_test(tcase, a_million_may_watch_one_node);
    tcase_add_test(tcase, a_persistent_watch_stays);
    tcase_add_test(tcase, a_recursive_watch_hears_of_all_below);
    tcase_add_test(tcase, modes_are_removed_one_by_one);
    tcase_add_test(tcase, a_closing_connection_gets_no_watch);
    tcase_add_test(tcase, who_leaves_takes_his_watches_along);
    tcase_add_test(tcase, who_was_told_is_left_out);
    tcase_add_test(tcase, summary_as_java_counts);
    tcase_add_test(tcase, dumps_by_path_and_by_session);
    tcase_add_test(tcase, any_text_is_a_path);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(watch_manager_suite)
