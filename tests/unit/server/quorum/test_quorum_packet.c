/* test_quorum_packet.c - names of packets, and a packet as a line. */
#include "server/quorum/quorum_packet.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

START_TEST(every_type_has_a_name)
{
    for (int32_t type = QP_REQUEST; type <= QP_INFORMANDACTIVATE; type++)
        ck_assert_ptr_nonnull(quorum_packet_name(type));
    ck_assert_str_eq(quorum_packet_name(QP_NEWLEADER), "NEWLEADER");
    ck_assert_ptr_null(quorum_packet_name(0));
    ck_assert_ptr_null(quorum_packet_name(-1));
    ck_assert_ptr_null(quorum_packet_name(20));
}
END_TEST

static const uint8_t session[] = { 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x75, 0x30 };

static const struct {
    const char *line;
    struct received_packet packet;
} lines[] = {
    { "PROPOSAL 100000001 null", { .type = QP_PROPOSAL, .zxid = 0x100000001 } },
    { "ACK ffffffffffffffff null", { .type = QP_ACK, .zxid = -1 } },
    { "UNKNOWN77 0 null", { .type = 77 } },
    { "REVALIDATE 0  sessionid = 256",
      { .type = QP_REVALIDATE, .data = { .bytes = session, .size = sizeof(session) } } },
    { "REVALIDATE 0 null", { .type = QP_REVALIDATE, .data = { .bytes = session, .size = 7 } } },
};

START_TEST(a_packet_is_a_line)
{
    struct buffer out = { 0 };
    received_packet_print(&lines[_i].packet, &out);
    ck_assert_str_eq(buffer_string(&out), lines[_i].line);
    buffer_release(&out);
}
END_TEST

static Suite *quorum_packet_suite(void)
{
    Suite *suite = suite_create("quorum_packet");
    TCase *tcase = tcase_create("quorum_packet");
    tcase_add_test(tcase, every_type_has_a_name);
    tcase_add_loop_test(tcase, a_packet_is_a_line, 0, ARRAY_SIZE(lines));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(quorum_packet_suite)
