/* The body of a reply, put together from bytes and at most one shared stretch, and sent in one packet. */
#include "server/request/reply.h"

#include <string.h>

#include "tests/unit/server/cnxn/cnxn_test.h"

static struct raw_client client;
static struct server_cnxn *cnxn;
static struct reply reply;

static void set_up(void)
{
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
}

static void tear_down(void)
{
    reply_release(&reply);
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
}

/* Sends what is in the reply; `size` bytes of body must come out. */
static void assert_sent(const void *bytes, size_t size)
{
    static int32_t xid = 1;
    struct reply_header header = {xid, 5, ZK_OK};
    ck_assert_int_eq(reply_send(&reply, cnxn, &header, NULL), (int32_t)(16 + size));
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&client, xid++), ZK_OK);
    ck_assert_uint_eq(jute_left(&client.body), size);
    ck_assert_mem_eq(client.body.at, bytes, size);
    reply_clear(&reply);
}

START_TEST(nothing_put_is_a_header_alone)
{
    assert_sent("", 0);
    jute_write_int32(reply_out(&reply), 7);
    reply_clear(&reply);
    assert_sent("", 0);
}
END_TEST

START_TEST(bytes_stand_before_and_behind_the_shared_ones)
{
    buffer_append_string(reply_out(&reply), "head ");
    reply_put_raw(&reply, blob_new_copy("shared", 6));
    buffer_append_string(reply_out(&reply), " tail");
    ck_assert_ptr_nonnull(reply.blob);
    assert_sent("head shared tail", 16);
    buffer_append_string(reply_out(&reply), "again");
    assert_sent("again", 5);
}
END_TEST

START_TEST(a_second_shared_stretch_is_copied)
{
    reply.has_body = true;
    reply_put_raw(&reply, blob_new_copy("one", 3));
    reply_put_raw(&reply, blob_new_copy("two", 3));
    buffer_append_string(reply_out(&reply), ".");
    assert_sent("onetwo.", 7);
}
END_TEST

START_TEST(data_has_its_length_before_it)
{
    reply_put_data(&reply, blob_new_copy("data", 4));
    assert_sent("\0\0\0\4data", 8);
    reply_put_data(&reply, NULL);
    assert_sent("\377\377\377\377", 4);
    reply_put_data(&reply, blob_new(0));
    assert_sent("\0\0\0\0", 4);
}
END_TEST

START_TEST(large_data_is_referenced_until_it_is_written)
{
    struct blob *data = blob_new(1024 * 1024);
    memset(data->bytes, 'x', data->size);
    reply_put_data(&reply, blob_ref(data));
    struct reply_header header = {1, 5, ZK_OK};
    reply_send(&reply, cnxn, &header, NULL);
    reply_clear(&reply);
    ck_assert_uint_eq(atomic_load(&data->references), 2);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&client, 1), ZK_OK);
    ck_assert_uint_eq(jute_left(&client.body), data->size + 4);
    ck_assert_mem_eq(client.body.at + 4, data->bytes, data->size);
    blob_unref(data);
}
END_TEST

static Suite *reply_suite(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = tcase_create("reply");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_put_is_a_header_alone);
    tcase_add_test(tcase, bytes_stand_before_and_behind_the_shared_ones);
    tcase_add_test(tcase, a_second_shared_stretch_is_copied);
    tcase_add_test(tcase, data_has_its_length_before_it);
    tcase_add_test(tcase, large_data_is_referenced_until_it_is_written);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(reply_suite)
