/* What a server knows of itself: state, votes, and configurations as they are proposed and committed. */
#include "server/quorum/quorum_self.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

#define SERVER(id) "server." #id "=h" #id ":1:2:participant;0.0.0.0:2181\n"

static char directory[TEST_DIRECTORY_SIZE];
static struct server_options options;
static struct quorum_self self;
static int changes, stores, new_peers;
static bool last_restart;

static void config_changed(void *owner, struct quorum_verifier *old_config, struct quorum_verifier *new_config,
                           bool restart_election)
{
    (void)owner;
    ck_assert_int_lt(quorum_verifier_version(old_config), quorum_verifier_version(new_config));
    changes++;
    last_restart = restart_election;
}

static void store_config(void *owner, struct quorum_verifier *verifier)
{
    (void)owner, (void)verifier;
    stores++;
}

static void note_new_peers(void *owner)
{
    (void)owner;
    new_peers++;
}

static const struct quorum_self_ops ops = {
    .config_changed = config_changed, .store_config = store_config, .new_peers = note_new_peers};

static struct quorum_verifier *parse(const char *text)
{
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    int err = quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){0}, &verifier, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    return verifier;
}

static void setup(void)
{
    static const char text[] = "tickTime=2000\nclientPort=2181\nserver.1=h1:1:2\n";
    test_directory_make(directory);
    server_options_init(&options);
    options.reconfig_enabled = true;
    options.tick_time = 2000;
    options.init_limit = 10;
    options.sync_limit = 5;
    options.config_path = path_join(directory, "zoo.cfg");
    ck_assert_int_eq(file_write_atomic(options.config_path, text, strlen(text), NULL), ZK_OK);
    struct quorum_verifier *verifier = parse(SERVER(1) SERVER(2) SERVER(3) "version=0");
    quorum_self_init(&self, &options, 1, verifier, NULL, NULL, &ops, NULL);
    quorum_verifier_unref(verifier);
}

static void teardown(void)
{
    quorum_self_release(&self);
    server_options_release(&options);
    test_directory_remove(directory);
}

static void assert_file(const char *name, const char *expected)
{
    struct buffer content = {0};
    char *path = path_join(directory, name);
    if (expected == NULL) {
        ck_assert_msg(file_kind(path) == FILE_KIND_NONE, "%s is there", name);
    } else {
        ck_assert_msg(file_read_all(path, 65536, &content, NULL) == ZK_OK, "%s is not there", name);
        ck_assert_str_eq(buffer_string(&content), expected);
    }
    buffer_release(&content);
    memory_free(path);
}

static void see(const char *text)
{
    struct quorum_verifier *verifier = parse(text);
    ck_assert_int_eq(quorum_self_set_last_seen_verifier(&self, verifier, true, NULL), ZK_OK);
    quorum_verifier_unref(verifier);
}

static bool commit(const char *text, int64_t suggested_leader)
{
    struct quorum_verifier *verifier = parse(text);
    bool role_ends = quorum_self_process_reconfig(&self, verifier, suggested_leader, 0x77, true);
    quorum_verifier_unref(verifier);
    return role_ends;
}

static int64_t committed_version(void)
{
    struct quorum_verifier *verifier = quorum_self_verifier(&self);
    int64_t version = quorum_verifier_version(verifier);
    quorum_verifier_unref(verifier);
    return version;
}

static int64_t seen_version(void)
{
    struct quorum_verifier *verifier = quorum_self_last_seen_verifier(&self);
    int64_t version = quorum_verifier_version(verifier);
    quorum_verifier_unref(verifier);
    return version;
}

static void follow(int64_t leader)
{
    quorum_self_set_current_vote(&self, &(struct vote){.id = leader, .zxid = 5, .election_epoch = 3, .peer_epoch = 1});
}

START_TEST(a_server_begins_looking_with_the_type_that_the_list_gives_it)
{
    struct vote vote;
    ck_assert_int_eq(quorum_self_state(&self), PEER_LOOKING);
    ck_assert_int_eq(quorum_self_learner_type(&self), LEARNER_PARTICIPANT);
    ck_assert(quorum_self_is_running(&self));
    ck_assert(!quorum_self_current_vote(&self, &vote));
    ck_assert_int_eq(quorum_self_init_limit_ms(&self), 20000);
    ck_assert_int_eq(quorum_self_sync_limit_ms(&self), 10000);
    quorum_self_set_state(&self, PEER_FOLLOWING);
    quorum_self_set_zab_state(&self, ZAB_BROADCAST);
    quorum_self_set_state(&self, PEER_LOOKING);
    ck_assert_str_eq(zab_state_name((enum zab_state)atomic_load(&self.zab_state)), "election");
}
END_TEST

START_TEST(the_epoch_of_a_vote_follows_the_leader)
{
    struct vote vote;
    follow(2);
    quorum_self_update_election_vote(&self, 9);
    ck_assert(quorum_self_current_vote(&self, &vote));
    ck_assert_int_eq(vote.peer_epoch, 9);
    ck_assert_int_eq(vote.zxid, 5);
}
END_TEST

START_TEST(a_proposed_config_is_on_disk_and_counts_its_voters)
{
    struct sid_set voters = {0};
    see(SERVER(1) SERVER(2) SERVER(4) "version=10");
    ck_assert_int_eq(committed_version(), 0);
    ck_assert_int_eq(seen_version(), 0x10);
    ck_assert_int_eq(new_peers, 1);
    assert_file("zoo.cfg.dynamic.next", SERVER(1) SERVER(2) SERVER(4) "version=10");
    quorum_self_current_and_next_voters(&self, &voters);
    ck_assert_uint_eq(voters.count, 4);
    sid_set_release(&voters);
    see(SERVER(1) "version=10");
    assert_file("zoo.cfg.dynamic.next", SERVER(1) SERVER(2) SERVER(4) "version=10");
}
END_TEST

START_TEST(a_leader_may_take_a_proposed_config_back)
{
    see(SERVER(1) SERVER(2) SERVER(4) "version=10");
    see(SERVER(1) SERVER(2) SERVER(3) "version=0");
    ck_assert_int_eq(seen_version(), 0);
}
END_TEST

START_TEST(a_config_that_cannot_be_written_is_not_taken_over)
{
    struct quorum_verifier *verifier = parse(SERVER(1) SERVER(4) "version=10");
    struct error error = {0};
    memory_free(options.config_path);
    options.config_path = path_join(directory, "missing/zoo.cfg");
    ck_assert_int_ne(quorum_self_set_last_seen_verifier(&self, verifier, true, &error), ZK_OK);
    ck_assert_int_eq(seen_version(), 0);
    quorum_verifier_unref(verifier);
}
END_TEST

START_TEST(a_committed_config_goes_to_its_file_and_zoo_cfg_points_there)
{
    follow(2);
    see(SERVER(1) SERVER(2) SERVER(4) "version=10");
    ck_assert_msg(!commit(SERVER(1) SERVER(2) SERVER(4) "version=10", -1), "the leader stays where it is");
    ck_assert_int_eq(committed_version(), 0x10);
    ck_assert_int_eq(changes, 1);
    ck_assert(last_restart);
    assert_file("zoo.cfg.dynamic.10", "server.1=h1:1:2:participant;0.0.0.0:2181\n"
                                      "server.2=h2:1:2:participant;0.0.0.0:2181\n"
                                      "server.4=h4:1:2:participant;0.0.0.0:2181");
    assert_file("zoo.cfg.dynamic.next", NULL);
    char *expected = string_format("tickTime=2000\ndynamicConfigFile=%s.dynamic.10\n", options.config_path);
    assert_file("zoo.cfg", expected);
    memory_free(expected);
}
END_TEST

START_TEST(a_known_config_changes_nothing_but_the_tree_is_told)
{
    follow(2);
    ck_assert(!commit(SERVER(1) "version=0", -1));
    ck_assert_int_eq(changes, 0);
    ck_assert_int_eq(stores, 1);
    ck_assert_msg(!commit(SERVER(1) SERVER(2) SERVER(3) "version=5", -1), "a new version of the same list");
    ck_assert_int_eq(changes, 0);
    ck_assert_int_eq(committed_version(), 5);
    ck_assert_msg(!commit(SERVER(1) SERVER(4) "version=3", -1), "an older one");
    ck_assert_int_eq(changes, 0);
    ck_assert_int_eq(committed_version(), 5);
}
END_TEST

START_TEST(the_role_ends_when_the_leader_goes)
{
    follow(2);
    ck_assert(commit(SERVER(1) SERVER(3) SERVER(4) "version=10", -1));
    ck_assert(!atomic_load(&self.is_reconfig_flag));
    ck_assert_msg(commit(SERVER(1) SERVER(2) SERVER(3) "version=11", 3), "another leader is suggested");
    struct vote vote;
    ck_assert(quorum_self_current_vote(&self, &vote));
    ck_assert_int_eq(vote.id, 3);
    ck_assert_int_eq(vote.zxid, 0x77);
    ck_assert(atomic_load(&self.is_reconfig_flag));
    ck_assert_msg(!commit(SERVER(1) SERVER(2) SERVER(4) "version=12", 3), "the one we have");
}
END_TEST

START_TEST(the_role_ends_when_this_server_takes_another_part)
{
    follow(2);
    ck_assert(commit("server.1=h1:1:2:observer;0.0.0.0:2181\n" SERVER(2) SERVER(3) "version=10", 2));
    ck_assert_int_eq(quorum_self_learner_type(&self), LEARNER_OBSERVER);
    ck_assert(commit(SERVER(2) SERVER(3) "version=11", 2));
    ck_assert_int_eq(quorum_self_learner_type(&self), LEARNER_PARTICIPANT);
    struct quorum_verifier *holder;
    const struct quorum_server *server;
    ck_assert_msg(quorum_self_find_server(&self, 1, &holder, &server), "it still knows its own addresses");
    quorum_verifier_unref(holder);
    ck_assert(!quorum_self_find_server(&self, 9, &holder, &server));
}
END_TEST

START_TEST(without_reconfiguration_nothing_changes)
{
    options.reconfig_enabled = false;
    follow(2);
    see(SERVER(1) "version=10");
    ck_assert(!commit(SERVER(1) SERVER(3) "version=11", -1));
    ck_assert_int_eq(seen_version(), 0);
    ck_assert_int_eq(committed_version(), 0);
    assert_file("zoo.cfg.dynamic.next", NULL);
}
END_TEST

START_TEST(without_a_file_nothing_is_written)
{
    memory_free(options.config_path);
    options.config_path = NULL;
    follow(2);
    see(SERVER(1) SERVER(2) SERVER(4) "version=10");
    ck_assert(!commit(SERVER(1) SERVER(2) SERVER(4) "version=10", -1));
    ck_assert_int_eq(committed_version(), 0x10);
    assert_file("zoo.cfg.dynamic.next", NULL);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quorum_self");
    TCase *tcase = tcase_create("a server");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_server_begins_looking_with_the_type_that_the_list_gives_it);
    tcase_add_test(tcase, the_epoch_of_a_vote_follows_the_leader);
    tcase_add_test(tcase, a_proposed_config_is_on_disk_and_counts_its_voters);
    tcase_add_test(tcase, a_leader_may_take_a_proposed_config_back);
    tcase_add_test(tcase, a_config_that_cannot_be_written_is_not_taken_over);
    tcase_add_test(tcase, a_committed_config_goes_to_its_file_and_zoo_cfg_points_there);
    tcase_add_test(tcase, a_known_config_changes_nothing_but_the_tree_is_told);
    tcase_add_test(tcase, the_role_ends_when_the_leader_goes);
    tcase_add_test(tcase, the_role_ends_when_this_server_takes_another_part);
    tcase_add_test(tcase, without_reconfiguration_nothing_changes);
    tcase_add_test(tcase, without_a_file_nothing_is_written);
    return suite;
}

CHECK_MAIN(make_suite)
