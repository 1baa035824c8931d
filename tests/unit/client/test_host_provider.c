/*
 * test_host_provider.c - the order of addresses, and how clients spread over servers that come and go.
 *
 * Server n is 10.10.10.n with port 2000 + n. Nothing is looked up in a network: names are numbers, localhost, or no
 * names.
 */
#include "client/host_provider.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "tests/lib/check_main.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#define MOST_SERVERS 16
#define CLIENTS 10000

static struct host_list *list_of(const char *text)
{
    struct connect_string parsed;
    struct host_list *list;
    struct error error = { 0 };
    ck_assert_msg(connect_string_parse(text, &parsed, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(host_list_new(&parsed, &list, &error) == ZK_OK, "%s", error.text);
    connect_string_release(&parsed);
    return list;
}

/* Servers `from` to `to`. */
static struct host_list *servers(int from, int to)
{
    struct buffer text = { 0 };
    for (int i = from; i <= to; i++)
        buffer_printf(&text, "10.10.10.%d:%d,", i, 2000 + i);
    struct host_list *list = list_of(buffer_string(&text));
    buffer_release(&text);
    return list;
}

static int number_of(const struct address *address)
{
    return address_port(address) - 2000;
}

static struct address server(int number)
{
    struct address address;
    char ip[32];
    snprintf(ip, sizeof(ip), "10.10.10.%d", number);
    ck_assert(address_from_ip(ip, (uint16_t)(2000 + number), &address));
    return address;
}

static int next(struct host_provider *provider)
{
    struct address address;
    bool is_round_over;
    host_provider_next(provider, &address, &is_round_over);
    return number_of(&address);
}

static bool next_is_round_over(struct host_provider *provider)
{
    struct address address;
    bool is_round_over;
    host_provider_next(provider, &address, &is_round_over);
    return is_round_over;
}

/* On to this server, which answers. */
static struct address connect_to(struct host_provider *provider, int number)
{
    for (int i = 0; next(provider) != number; i++)
        ck_assert_int_lt(i, MOST_SERVERS);
    host_provider_connected(provider);
    return server(number);
}

static bool update(struct host_provider *provider, struct host_list *list, int current)
{
    struct address address = server(current);
    return host_provider_update(provider, list, &address);
}

START_TEST(the_order_of_the_list_is_kept_when_asked_for)
{
    struct host_provider *provider = host_provider_new(servers(1, 4), true);
    ck_assert_uint_eq(host_provider_size(provider), 4);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(next(provider), i % 4 + 1);
    host_provider_free(provider);
    host_provider_free(NULL);
    host_list_free(NULL);
}
END_TEST

START_TEST(otherwise_it_is_shuffled_and_stays_so)
{
    enum { TRIES = 6000 };
    static size_t counts[4];
    static size_t orders[64];
    random_seed(7);
    for (int i = 0; i < TRIES; i++) {
        struct host_provider *provider = host_provider_new(servers(1, 3), false);
        int first = next(provider), second = next(provider), third = next(provider);
        ck_assert_int_eq(first + second + third, 6);
        ck_assert_int_eq(next(provider), first);
        ck_assert_int_eq(next(provider), second);
        counts[first]++;
        orders[first * 16 + second * 4 + third]++;
        host_provider_free(provider);
    }
    size_t seen = 0;
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        seen += orders[i] > 0;
        ck_assert(orders[i] == 0 || (orders[i] > 850 && orders[i] < 1150));    /* 1000 expected */
    }
    ck_assert_uint_eq(seen, 6);
    ck_assert_uint_eq(counts[0], 0);
}
END_TEST

START_TEST(a_round_is_over_when_all_were_tried)
{
    struct host_provider *provider = host_provider_new(servers(1, 3), false);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(next_is_round_over(provider), round > 0);
        ck_assert(!next_is_round_over(provider));
        ck_assert(!next_is_round_over(provider));
    }
    next_is_round_over(provider);
    next_is_round_over(provider);
    host_provider_connected(provider);
    for (int i = 0; i < 3; i++)
        ck_assert(!next_is_round_over(provider));
    ck_assert(next_is_round_over(provider));
    host_provider_free(provider);

    provider = host_provider_new(servers(1, 1), false);
    ck_assert(!next_is_round_over(provider));
    ck_assert(next_is_round_over(provider));
    ck_assert(next_is_round_over(provider));
    host_provider_connected(provider);
    ck_assert(!next_is_round_over(provider));
    host_provider_free(provider);
}
END_TEST

START_TEST(after_a_connection_the_next_one_comes)
{
    struct host_provider *provider = host_provider_new(servers(1, 4), true);
    connect_to(provider, 2);
    ck_assert_int_eq(next(provider), 3);
    host_provider_free(provider);
}
END_TEST

START_TEST(names_that_cannot_be_found_are_left_out)
{
    struct connect_string parsed;
    struct host_list *list, *again;
    struct error error = { 0 };
    log_set_level(NULL, LOG_OFF);
    ck_assert_int_eq(connect_string_parse("no..name:1", &parsed, NULL), ZK_OK);
    ck_assert_int_eq(host_list_new(&parsed, &list, &error), ZK_NOT_FOUND);
    ck_assert_msg(strstr(error.text, "no..name") != NULL, "%s", error.text);
    connect_string_release(&parsed);

    list = list_of("no..name:1,10.10.10.1:2001,10.10.10.1:2001,10.10.10.1:2002,[::ffff:10.10.10.1]:2002");
    ck_assert_int_eq(host_list_resolve(list, &again, &error), ZK_OK);
    host_list_free(list);
    struct host_provider *provider = host_provider_new(again, true);
    ck_assert_uint_eq(host_provider_size(provider), 2);    /* each address once, and a port makes another one */
    ck_assert_int_eq(next(provider), 1);
    ck_assert_int_eq(next(provider), 2);
    host_provider_free(provider);
}
END_TEST

/* A hostile configuration may name as many: nothing here takes time by the square of them, which a tenth shows too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
enum { MANY = 100000 };
#else
enum { MANY = 1000000 };
#endif
START_TEST(a_million_servers_are_a_list_like_any_other)
{
    struct buffer text = { 0 };
    for (int i = 0; i < MANY; i++)
        buffer_printf(&text, "10.%d.%d.%d:2181,", i >> 16, i >> 8 & 255, i & 255);
    struct host_provider *provider = host_provider_new(list_of(buffer_string(&text)), false);
    ck_assert_uint_eq(host_provider_size(provider), MANY);
    struct address first, address;
    bool is_round_over;
    host_provider_next(provider, &first, &is_round_over);
    host_provider_connected(provider);
    buffer_printf(&text, "11.0.0.0:2181");    /* one comes, one goes */
    host_provider_update(provider, list_of(buffer_string(&text) + strlen("10.0.0.0:2181,")), &first);
    ck_assert_uint_eq(host_provider_size(provider), MANY);
    for (int i = 0; i <= MANY; i++) {
        host_provider_next(provider, &address, &is_round_over);
        ck_assert(is_round_over == (i == MANY));
    }
    ck_assert_ptr_nonnull(host_list_name(host_provider_list(provider), &address));
    host_provider_free(provider);
    buffer_release(&text);
}
END_TEST

START_TEST(an_address_leads_back_to_its_name)
{
    struct host_list *list = list_of("10.10.10.1:2001,localhost:7,[::1]:8");
    struct address address = server(1);
    ck_assert_str_eq(host_list_name(list, &address), "10.10.10.1");
    ck_assert(address_from_ip("::1", 8, &address));
    ck_assert_str_eq(host_list_name(list, &address), "::1");
    ck_assert(address_from_ip("::1", 9, &address));
    ck_assert_ptr_null(host_list_name(list, &address));
    struct host_provider *provider = host_provider_new(list, true);
    bool is_round_over;
    host_provider_next(provider, &address, &is_round_over);
    host_provider_next(provider, &address, &is_round_over);
    ck_assert_str_eq(host_list_name(host_provider_list(provider), &address), "localhost");
    host_provider_free(provider);
}
END_TEST

/* The cases of testMigrateOrNot of the binding, and those it leaves out. */
START_TEST(who_must_move_does_and_who_may_stay_stays)
{
    struct host_provider *provider = host_provider_new(servers(1, 4), true);
    connect_to(provider, 3);
    ck_assert_msg(!update(provider, servers(1, 3), 3), "fewer, mine is there");
    ck_assert_msg(update(provider, servers(1, 2), 3), "fewer, mine is not there");
    ck_assert_msg(update(provider, servers(1, 2), 3), "the same, mine is not there");
    connect_to(provider, 1);
    ck_assert_msg(!update(provider, servers(1, 2), 1), "the same, mine is there");
    ck_assert_msg(update(provider, servers(2, 7), 1), "more, mine is not there");
    connect_to(provider, 7);
    ck_assert_msg(!update(provider, servers(7, 12), 7), "as many others, mine is there");
    ck_assert_msg(update(provider, servers(1, 6), 7), "as many others, mine is not there");
    ck_assert_msg(!host_provider_update(provider, servers(7, 9), NULL), "there is nothing to give up");
    host_provider_free(provider);

    provider = host_provider_new(servers(1, 1), true);
    ck_assert(!host_provider_update(provider, servers(2, 5), NULL));
    ck_assert_int_eq(next(provider), 2);
    host_provider_free(provider);
}
END_TEST

START_TEST(the_same_machine_with_another_port_is_another_server)
{
    struct host_provider *provider = host_provider_new(list_of("10.10.10.1:2001,10.10.10.1:2002"), true);
    struct address first = server(1);    /* all are on one machine */
    ck_assert(host_provider_update(provider, list_of("10.10.10.1:2002"), &first));
    ck_assert_int_eq(next(provider), 2);
    host_provider_free(provider);
}
END_TEST

/* testMigrationCycle of the binding. */
START_TEST(new_servers_come_first_then_those_that_stay_then_all)
{
    static int seen[MOST_SERVERS];
    random_seed(11);
    struct host_provider *provider = host_provider_new(servers(1, 4), false);
    connect_to(provider, 1);
    ck_assert(update(provider, servers(3, 12), 1));
    for (int i = 0; i < 8; i++) {
        int number = next(provider);
        ck_assert_int_ge(number, 5);
        ck_assert_int_eq(seen[number]++, 0);
    }
    for (int i = 0; i < 2; i++) {
        int number = next(provider);
        ck_assert(number == 3 || number == 4);
        ck_assert_int_eq(seen[number]++, 0);
    }
    struct address first;
    bool is_round_over;
    host_provider_next(provider, &first, &is_round_over);
    ck_assert(is_round_over);
    for (int i = 0; i < 9; i++)
        ck_assert_int_ne(next(provider), number_of(&first));
    ck_assert_int_eq(next(provider), number_of(&first));
    host_provider_free(provider);
}
END_TEST

START_TEST(a_connection_ends_the_rebalancing)
{
    struct host_provider *provider = host_provider_new(servers(1, 4), true);
    connect_to(provider, 1);
    ck_assert(update(provider, servers(3, 12), 1));
    ck_assert_int_eq(next(provider), 5);
    host_provider_connected(provider);
    for (int number = 6; number <= 12; number++)
        ck_assert_int_eq(next(provider), number);
    ck_assert_int_eq(next(provider), 3);
    host_provider_free(provider);
}
END_TEST

START_TEST(a_refresh_moves_nobody)
{
    struct host_provider *provider = host_provider_new(servers(1, 4), true);
    connect_to(provider, 2);
    host_provider_refresh(provider, servers(1, 4));
    ck_assert_int_eq(next(provider), 3);
    host_provider_refresh(provider, servers(3, 8));
    ck_assert_uint_eq(host_provider_size(provider), 6);
    ck_assert_int_eq(next(provider), 4);
    host_provider_refresh(provider, servers(6, 7));
    ck_assert_int_eq(next(provider), 6);
    ck_assert_int_eq(next(provider), 7);
    host_provider_free(provider);

    provider = host_provider_new(servers(1, 3), false);    /* however often: a round ends */
    for (int i = 0; i < 3; i++) {
        ck_assert(!next_is_round_over(provider));
        host_provider_refresh(provider, servers(1 + (i + 1) % 2, 3 + (i + 1) % 2));
    }
    ck_assert(next_is_round_over(provider));
    host_provider_free(provider);
}
END_TEST

/* ---- evenness ---- */

struct client {
    struct host_provider *provider;
    int server;
};

static void move_on(struct client *client)
{
    client->server = next(client->provider);
    host_provider_connected(client->provider);
}

static void assert_even(const struct client *clients, int from, int to)
{
    int counts[MOST_SERVERS] = { 0 };
    double expected = (double)CLIENTS / (to - from + 1);
    for (int i = 0; i < CLIENTS; i++)
        counts[clients[i].server]++;
    for (int number = 0; number < MOST_SERVERS; number++) {
        if (number < from || number > to)
            ck_assert_int_eq(counts[number], 0);
        else
            ck_assert_msg(counts[number] > 0.9 * expected && counts[number] < 1.1 * expected,
                          "%d clients at server %d of %d to %d", counts[number], number, from, to);
    }
}

/* testLoadBalancing of the binding and more of its kind: after each change every server has its share. */
START_TEST(clients_spread_evenly_over_servers_that_come_and_go)
{
    static const struct {
        int from, to;
    } changes[] = { { 1, 8 }, { 1, 6 }, { 2, 9 }, { 1, 9 }, { 7, 12 }, { 7, 12 }, { 1, 12 }, { 4, 4 }, { 5, 9 } };
    static struct client clients[CLIENTS];
    random_seed(20140519);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].provider = host_provider_new(servers(1, 9), false);
        move_on(&clients[i]);
    }
    assert_even(clients, 1, 9);
    for (size_t change = 0; change < ARRAY_SIZE(changes); change++) {
        int moved = 0;
        for (int i = 0; i < CLIENTS; i++) {
            bool moves = update(clients[i].provider, servers(changes[change].from, changes[change].to),
                                clients[i].server);
            moved += moves;
            if (moves)
                move_on(&clients[i]);
        }
        assert_even(clients, changes[change].from, changes[change].to);
        if (change == 5)
            ck_assert_int_eq(moved, 0);
    }
    for (int i = 0; i < CLIENTS; i++)
        host_provider_free(clients[i].provider);
}
END_TEST

/* testMigrateProbability: from 9 servers to 10, one client in ten moves. */
START_TEST(no_more_move_than_must)
{
    int moved = 0;
    random_seed(3);
    for (int i = 0; i < CLIENTS; i++) {
        struct host_provider *provider = host_provider_new(servers(1, 9), true);
        connect_to(provider, 3);
        if (update(provider, servers(1, 10), 3)) {
            moved++;
            ck_assert_int_eq(next(provider), 10);
        }
        host_provider_free(provider);
    }
    ck_assert_int_gt(moved, CLIENTS / 10 * 9 / 10);
    ck_assert_int_lt(moved, CLIENTS / 10 * 11 / 10);
}
END_TEST

/* Clients that are just looking for a server spread as well as those that have one. */
START_TEST(clients_without_a_connection_spread_too)
{
    static struct client clients[CLIENTS];
    random_seed(5);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].provider = host_provider_new(servers(1, 9), false);
        for (int tried = 0; tried < i % 3; tried++)
            next(clients[i].provider);
        ck_assert(!host_provider_update(clients[i].provider, servers(7, 12), NULL));
        move_on(&clients[i]);
        host_provider_free(clients[i].provider);
    }
    int counts[MOST_SERVERS] = { 0 };
    for (int i = 0; i < CLIENTS; i++)
        counts[clients[i].server]++;
    for (int number = 7; number <= 12; number++)
        ck_assert_int_gt(counts[number], CLIENTS / 6 / 2);
}
END_TEST

static Suite *host_provider_suite(void)
{
    Suite *suite = suite_create("host_provider");
    TCase *tcase = tcase_create("host_provider");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_order_of_the_list_is_kept_when_asked_for);
    tcase_add_test(tcase, otherwise_it_is_shuffled_and_stays_so);
    tcase_add_test(tcase, a_round_is_over_when_all_were_tried);
    tcase_add_test(tcase, after_a_connection_the_next_one_comes);
    tcase_add_test(tcase, names_that_cannot_be_found_are_left_out);
    tcase_add_test(tcase, a_million_servers_are_a_list_like_any_other);
    tcase_add_test(tcase, an_address_leads_back_to_its_name);
    tcase_add_test(tcase, who_must_move_does_and_who_may_stay_stays);
    tcase_add_test(tcase, the_same_machine_with_another_port_is_another_server);
    tcase_add_test(tcase, new_servers_come_first_then_those_that_stay_then_all);
    tcase_add_test(tcase, a_connection_ends_the_rebalancing);
    tcase_add_test(tcase, a_refresh_moves_nobody);
    tcase_add_test(tcase, clients_spread_evenly_over_servers_that_come_and_go);
    tcase_add_test(tcase, no_more_move_than_must);
    tcase_add_test(tcase, clients_without_a_connection_spread_too);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(host_provider_suite)
