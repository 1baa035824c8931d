/* Kinds of nodes and the number of the next sequential child. */
#include "client/cli/cli_kind.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

START_TEST(an_owner_makes_a_node_ephemeral)
{
    const struct Stat persistent = {.ephemeralOwner = 0}, ephemeral = {.ephemeralOwner = 0x100000abcdef0001};
    ck_assert_int_eq(node_kind_of(&persistent), NODE_PERSISTENT);
    ck_assert_int_eq(node_kind_of(&ephemeral), NODE_EPHEMERAL);
}
END_TEST

START_TEST(kinds_have_names)
{
    enum node_kind parsed = NODE_KINDS;
    ck_assert(node_kind_parse(node_kind_name((enum node_kind)_i), &parsed));
    ck_assert_int_eq(parsed, _i);
    ck_assert(!node_kind_parse("odd", &parsed));
}
END_TEST

/* Children made, children there; cversion counts what was made and what was deleted. */
static const struct { int32_t made, there; } children[] = { { 0, 0 }, { 1, 1 }, { 1, 0 }, { 10, 3 } };

START_TEST(the_next_number_is_how_many_were_made)
{
    int32_t deleted = children[_i].made - children[_i].there;
    const struct Stat stat = {.cversion = children[_i].made + deleted, .numChildren = children[_i].there};
    ck_assert_int_eq(node_sequence_of(&stat), children[_i].made);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_kind");
    TCase *tcase = tcase_create("cli_kind");
    tcase_add_test(tcase, an_owner_makes_a_node_ephemeral);
    tcase_add_loop_test(tcase, kinds_have_names, 0, NODE_KINDS);
    tcase_add_loop_test(tcase, the_next_number_is_how_many_were_made, 0, ARRAY_SIZE(children));
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
