/* test_ephemeral_type.c - which owner is what, under which rules. */
#include "server/tree/ephemeral_type.h"

#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static const struct ephemeral_rules plain = {false, false};
static const struct ephemeral_rules extended = {true, false};
static const struct ephemeral_rules emulating = {true, true};

static const struct {
    const char *fact;
    const struct ephemeral_rules *rules;
    uint64_t owner;
    enum ephemeral_type type;
    bool is_valid;
} owners[] = {
    {"no owner", &plain, 0, EPHEMERAL_VOID, true},
    {"a session", &plain, 0x1000000a1b20001, EPHEMERAL_NORMAL, true},
    {"a container", &plain, 0x8000000000000000, EPHEMERAL_CONTAINER, true},
    {"without extended types a TTL is a session", &plain, 0xff0000000000ea60, EPHEMERAL_NORMAL, true},
    {"a TTL", &extended, 0xff0000000000ea60, EPHEMERAL_TTL, true},
    {"a container with extended types", &extended, 0x8000000000000000, EPHEMERAL_CONTAINER, true},
    {"a session of server 254", &extended, 0xfe00000000000001, EPHEMERAL_NORMAL, true},
    {"an unknown extension", &extended, 0xff0001000000ea60, EPHEMERAL_VOID, false},
    {"a TTL of 3.5.3", &emulating, 0x800000000000ea60, EPHEMERAL_TTL, true},
    {"a container among TTLs of 3.5.3", &emulating, 0x8000000000000000, EPHEMERAL_CONTAINER, true},
    {"a session among TTLs of 3.5.3", &emulating, 0x1000000a1b20001, EPHEMERAL_NORMAL, true},
};

START_TEST(owner_says_what_a_node_is)
{
    bool is_valid;
    enum ephemeral_type type = ephemeral_type_get(owners[_i].rules, (int64_t)owners[_i].owner, &is_valid);
    ck_assert_msg(type == owners[_i].type && is_valid == owners[_i].is_valid, "%s", owners[_i].fact);
}
END_TEST

START_TEST(ttl_survives_the_owner)
{
    int64_t ttls[] = {1, 60000, EPHEMERAL_MAX_TTL_MS};
    for (size_t i = 0; i < ARRAY_SIZE(ttls); i++) {
        int64_t owner = ephemeral_ttl_to_owner(ttls[i]);
        ck_assert_int_eq(ephemeral_owner_to_ttl_ms(&extended, owner), ttls[i]);
        ck_assert_int_eq(ephemeral_type_get(&extended, owner, NULL), EPHEMERAL_TTL);
    }
    ck_assert_int_eq(ephemeral_owner_to_ttl_ms(&emulating, (int64_t)0x800000000000ea60), 60000);
}
END_TEST

START_TEST(ttl_belongs_to_ttl_nodes_only)
{
    ck_assert(ephemeral_ttl_is_valid(CREATE_PERSISTENT_WITH_TTL, 1));
    ck_assert(ephemeral_ttl_is_valid(CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL, EPHEMERAL_MAX_TTL_MS));
    ck_assert(!ephemeral_ttl_is_valid(CREATE_PERSISTENT_WITH_TTL, 0));
    ck_assert(!ephemeral_ttl_is_valid(CREATE_PERSISTENT_WITH_TTL, EPHEMERAL_MAX_TTL_MS + 1));
    ck_assert(ephemeral_ttl_is_valid(CREATE_PERSISTENT, -1));
    ck_assert(!ephemeral_ttl_is_valid(CREATE_EPHEMERAL, 0));
}
END_TEST

static Suite *ephemeral_type_suite(void)
{
    Suite *suite = suite_create("ephemeral_type");
    TCase *tcase = tcase_create("ephemeral_type");
    tcase_add_loop_test(tcase, owner_says_what_a_node_is, 0, ARRAY_SIZE(owners));
    tcase_add_test(tcase, ttl_survives_the_owner);
    tcase_add_test(tcase, ttl_belongs_to_ttl_nodes_only);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(ephemeral_type_suite)
