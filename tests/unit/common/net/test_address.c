/* test_address.c - names and addresses, as Java prints them. */
#include "common/net/address.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { const char *ip, *formatted, *socket_formatted; } texts[] = {
    { "127.0.0.1", "127.0.0.1", "/127.0.0.1:2181" },
    { "::1", "0:0:0:0:0:0:0:1", "/[0:0:0:0:0:0:0:1]:2181" },
    { "[::1]", "0:0:0:0:0:0:0:1", "/[0:0:0:0:0:0:0:1]:2181" },
    { "2001:db8::00ff:A", "2001:db8:0:0:0:0:ff:a", "/[2001:db8:0:0:0:0:ff:a]:2181" },
    { "::ffff:10.1.2.3", "10.1.2.3", "/10.1.2.3:2181" },
    { "fe80::1%3", "fe80:0:0:0:0:0:0:1%3", "/[fe80:0:0:0:0:0:0:1%3]:2181" },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295",
      "/[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:2181" },
};
START_TEST(addresses_are_printed_as_in_java)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    ck_assert(address_from_ip(texts[_i].ip, 2181, &address));
    ck_assert_uint_eq(address_port(&address), 2181);
    address_format_ip(&address, text);
    ck_assert_str_eq(text, texts[_i].formatted);
    address_format(&address, text);
    ck_assert_str_eq(text, texts[_i].socket_formatted);
}
END_TEST

static const char *const not_ips[] = {
    "", "localhost", "127.0.0", "127.0.0.1.2", "256.0.0.1", "[127.0.0.1]", "[::1", "::1]", "1:2:3",
    "::1%nosuchif", "[]", "[",
};
START_TEST(names_are_no_addresses)
{
    struct address address;
    ck_assert_msg(!address_from_ip(not_ips[_i], 1, &address), "%s", not_ips[_i]);
}
END_TEST

START_TEST(mapped_v4_is_v4)
{
    struct address v4, mapped, other, v6;
    uint8_t bytes[16];
    ck_assert(address_from_ip("10.1.2.3", 1, &v4));
    ck_assert(address_from_ip("::ffff:10.1.2.3", 2, &mapped));
    ck_assert(address_from_ip("10.1.2.4", 1, &other));
    ck_assert(address_from_ip("2001:db8::1", 1, &v6));
    ck_assert(address_equal_ip(&v4, &mapped));
    ck_assert(!address_equal_ip(&v4, &other));
    ck_assert(!address_equal_ip(&v4, &v6));
    ck_assert_uint_eq(address_hash_ip(&v4), address_hash_ip(&mapped));
    ck_assert_uint_ne(address_hash_ip(&v4), address_hash_ip(&other));
    ck_assert_uint_eq(address_ip_bytes(&mapped, bytes), 4);
    ck_assert_mem_eq(bytes, "\x0a\x01\x02\x03", 4);
    ck_assert_uint_eq(address_ip_bytes(&v6, bytes), 16);
}
END_TEST

START_TEST(any_is_any)
{
    struct address address;
    address_any(2181, &address);
    ck_assert(address_is_any(&address));
    ck_assert_uint_eq(address_port(&address), 2181);
    ck_assert(address_from_ip("0.0.0.0", 1, &address) && address_is_any(&address));
    ck_assert(address_from_ip("::", 1, &address) && address_is_any(&address));
    ck_assert(address_from_ip("127.0.0.1", 1, &address) && !address_is_any(&address));
}
END_TEST

START_TEST(some_addresses_are_this_machine)
{
    static const char *const here[] = { "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1" };
    static const char *const elsewhere[] = { "0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "::2", "fe80::1" };
    struct address address;
    for (size_t i = 0; i < ARRAY_SIZE(here); i++)
        ck_assert_msg(address_from_ip(here[i], 1, &address) && address_is_loopback(&address), "%s", here[i]);
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        ck_assert_msg(address_from_ip(elsewhere[i], 1, &address) && !address_is_loopback(&address), "%s", elsewhere[i]);
}
END_TEST

START_TEST(names_are_looked_up)
{
    struct address found[4];
    size_t count = 0;
    struct error error = { 0 };
    ck_assert_int_eq(address_resolve("localhost", 7, found, 4, &count, NULL), ZK_OK);
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_eq(address_port(&found[0]), 7);
    ck_assert_int_eq(address_resolve("[::1]", 7, found, 1, &count, NULL), ZK_OK);
    ck_assert_uint_eq(count, 1);
    count = 99;
    ck_assert_int_eq(address_resolve("no such host", 7, found, 4, &count, &error), ZK_NOT_FOUND);
    ck_assert_uint_eq(count, 99);
    ck_assert_ptr_nonnull(strstr(error.text, "no such host"));
}
END_TEST

static Suite *address_suite(void)
{
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");
    tcase_add_loop_test(tcase, addresses_are_printed_as_in_java, 0, ARRAY_SIZE(texts));
    tcase_add_loop_test(tcase, names_are_no_addresses, 0, ARRAY_SIZE(not_ips));
    tcase_add_test(tcase, mapped_v4_is_v4);
    tcase_add_test(tcase, any_is_any);
    tcase_add_test(tcase, some_addresses_are_this_machine);
    tcase_add_test(tcase, names_are_looked_up);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(address_suite)
