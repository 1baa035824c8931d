/* Which requests make a local session a global one, and what becomes of those that may not. */
#include "server/quorum/session_upgrade.h"

#include "common/base/memory.h"
#include "server/quorum/leader_session_tracker.h"
#include "tests/unit/server/request/core_test.h"

#define TIMEOUT_MS 10000

static struct session_tracker *plain;
static int64_t local_id;
static struct session_expirer expirer;

static void set_up(void)
{
    core_set_up();
    plain = core.session_tracker;
    struct quorum_tracker_options options = {&expirer, zk_database_sessions(core.database), 2000, 1, true, NULL};
    core.session_tracker = leader_session_tracker_new(&options);
    local_id = core.session_tracker->ops->create_session(core.session_tracker, TIMEOUT_MS);
    core_options.local_sessions_upgrading_enabled = true;
}

static void tear_down(void)
{
    core.session_tracker->ops->free(core.session_tracker);
    core.session_tracker = plain;
    core_tear_down();
}

static void write_create(struct buffer *out, int32_t flags)
{
    struct create_request record = {ustring_of("/a"), core_bytes("x"), acl_open_unsafe, flags};
    jute_write_create_request(out, &record);
}

static struct request *create_request(int64_t session_id, int32_t type, int32_t flags)
{
    struct buffer record = {0};
    write_create(&record, flags);
    struct request *request = core_request(type, &record);
    request->session_id = session_id;
    return request;
}

static struct request *multi_request(int32_t flags)
{
    struct buffer record = {0};
    struct multi_op items[2] = {{.type = OP_CHECK}, {.type = OP_CREATE}};
    items[0].request.check = (struct check_version_request){ustring_of("/"), -1};
    items[1].request.create = (struct create_request){ustring_of("/a"), core_bytes("x"), acl_open_unsafe, flags};
    struct multi_ops ops = {items, 2, false};
    multi_write_ops(&record, &ops);
    struct request *request = core_request(OP_MULTI, &record);
    request->session_id = local_id;
    return request;
}

/* Checks it; the upgrade it made, or NULL, and the error it has now. */
static struct request *check(struct request *request, int32_t error)
{
    struct request *upgrade;
    session_upgrade_check(&core, request, &upgrade);
    ck_assert_int_eq(request->error, error);
    request_unref(request);
    return upgrade;
}

static void assert_upgrade(struct request *upgrade)
{
    ck_assert_ptr_nonnull(upgrade);
    ck_assert_int_eq(upgrade->type, OP_CREATE_SESSION);
    ck_assert_int_eq(upgrade->session_id, local_id);
    ck_assert_int_eq(upgrade->cxid, 0);
    ck_assert(!upgrade->is_local_session);
    ck_assert_ptr_null(upgrade->owner);
    ck_assert_uint_eq(upgrade->payload.size, 4);
    ck_assert_uint_eq(load_be32(upgrade->payload.bytes), TIMEOUT_MS);
    request_unref(upgrade);
}

static const struct {
    int32_t type, flags;
    bool upgrades;
} creations[] = {
    {OP_CREATE, CREATE_EPHEMERAL, true},
    {OP_CREATE2, CREATE_EPHEMERAL_SEQUENTIAL, true},
    {OP_CREATE, CREATE_PERSISTENT, false},
    {OP_CREATE2, CREATE_PERSISTENT_SEQUENTIAL, false},
    {OP_CREATE_CONTAINER, CREATE_CONTAINER, false},
    {OP_SET_DATA, CREATE_EPHEMERAL, false},    /* not even read */
};

START_TEST(an_ephemeral_node_upgrades_a_local_session)
{
    struct request *upgrade = check(create_request(local_id, creations[_i].type, creations[_i].flags), ZK_OK);
    if (creations[_i].upgrades)
        assert_upgrade(upgrade);
    else
        ck_assert_ptr_null(upgrade);
    ck_assert(core.session_tracker->ops->is_local_session(core.session_tracker, local_id) != creations[_i].upgrades);
}
END_TEST

START_TEST(so_does_one_in_a_multi)
{
    ck_assert_ptr_null(check(multi_request(CREATE_PERSISTENT), ZK_OK));
    assert_upgrade(check(multi_request(CREATE_EPHEMERAL), ZK_OK));
}
END_TEST

START_TEST(the_second_request_finds_it_upgraded)
{
    assert_upgrade(check(create_request(local_id, OP_CREATE, CREATE_EPHEMERAL), ZK_OK));
    ck_assert_ptr_null(check(create_request(local_id, OP_CREATE, CREATE_EPHEMERAL), ZK_OK));
}
END_TEST

START_TEST(a_global_session_stays_what_it_is)
{
    ck_assert_ptr_null(check(create_request(CORE_SESSION, OP_CREATE, CREATE_EPHEMERAL), ZK_OK));
}
END_TEST

START_TEST(where_upgrades_are_not_enabled_the_client_is_told)
{
    core_options.local_sessions_upgrading_enabled = false;
    ck_assert_ptr_null(check(create_request(local_id, OP_CREATE, CREATE_EPHEMERAL), ZK_EPHEMERAL_ON_LOCAL_SESSION));
    ck_assert_ptr_null(check(multi_request(CREATE_EPHEMERAL), ZK_EPHEMERAL_ON_LOCAL_SESSION));
    ck_assert_ptr_null(check(create_request(local_id, OP_CREATE, CREATE_PERSISTENT), ZK_OK));
    ck_assert(core.session_tracker->ops->is_local_session(core.session_tracker, local_id));
}
END_TEST

START_TEST(flags_that_are_none_are_bad_arguments)
{
    ck_assert_ptr_null(check(create_request(local_id, OP_CREATE, 77), ZK_BAD_ARGUMENTS));
}
END_TEST

START_TEST(what_cannot_be_read_upgrades_nothing)
{
    struct buffer record = {0};
    buffer_append(&record, "\0\0\0\7/a", 6);
    struct request *request = core_request(OP_CREATE, &record);
    request->session_id = local_id;
    ck_assert_ptr_null(check(request, ZK_OK));
    request = create_request(local_id, OP_CREATE, CREATE_EPHEMERAL);
    request->is_throttled = true;
    ck_assert_ptr_null(check(request, ZK_OK));
}
END_TEST

static bool flagged(int32_t type, int64_t session_id)
{
    struct request *request = core_request(type, NULL);
    request->session_id = session_id;
    session_upgrade_set_local_flag(&core, request);
    bool is_local = request->is_local_session;
    request_unref(request);
    return is_local;
}

START_TEST(new_sessions_are_local_and_ends_are_as_their_session)
{
    ck_assert(flagged(OP_CREATE_SESSION, 0x99));
    ck_assert(flagged(OP_CLOSE_SESSION, local_id));
    ck_assert(!flagged(OP_CLOSE_SESSION, CORE_SESSION));
    ck_assert(!flagged(OP_CREATE, local_id));
}
END_TEST

static Suite *session_upgrade_suite(void)
{
    Suite *suite = suite_create("session_upgrade");
    TCase *tcase = tcase_create("session_upgrade");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_ephemeral_node_upgrades_a_local_session, 0, (int)ARRAY_SIZE(creations));
    tcase_add_test(tcase, so_does_one_in_a_multi);
    tcase_add_test(tcase, the_second_request_finds_it_upgraded);
    tcase_add_test(tcase, a_global_session_stays_what_it_is);
    tcase_add_test(tcase, where_upgrades_are_not_enabled_the_client_is_told);
    tcase_add_test(tcase, flags_that_are_none_are_bad_arguments);
    tcase_add_test(tcase, what_cannot_be_read_upgrades_nothing);
    tcase_add_test(tcase, new_sessions_are_local_and_ends_are_as_their_session);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(session_upgrade_suite)
