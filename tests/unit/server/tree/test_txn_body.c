/* test_txn_body.c - records as Java 3.9.5 wrote them, read and written again. */
#include "server/tree/txn_body.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

#define HEADER(type) "01000000a1b200010000000700000001000000050000018bcfe5687b" type
#define OPEN "000000010000001f00000005776f726c6400000006616e796f6e65"

static const struct txn_rules rules = {.digest_enabled = true};

static const struct {
    const char *name, *hex, *printed;
} records[] = {
    {"create", HEADER("00000001") "000000022f61000000026869" OPEN "0100000003",
     "create /a,hi,[31,s{'world,'anyone}],true,3"},
    {"createTTL", HEADER("00000015") "000000022f74ffffffff" OPEN "00000004000000000000ea60",
     "createTTL /t,,[31,s{'world,'anyone}],4,60000"},
    {"createContainer", HEADER("00000013") "000000022f6300000000" OPEN "00000005",
     "createContainer /c,,[31,s{'world,'anyone}],5"},
    {"delete", HEADER("00000002") "000000022f61", "delete '/a"},
    {"setData", HEADER("00000005") "000000022f6100000002010200000006", "setData /a,\\x01\\x02,6"},
    {"setACL", HEADER("00000007") "000000022f61" OPEN "00000002", NULL},
    {"createSession", HEADER("fffffff6") "00007530", "createSession 30000"},
    {"closeSession", HEADER("fffffff5") "00000002000000022f61000000022f62", "closeSession v{'/a,'/b}"},
    {"closeSession of old", HEADER("fffffff5"), "closeSession "},
    {"error", HEADER("ffffffff") "ffffff9b", "error -101"},
    {"check", HEADER("0000000d") "000000022f6100000001", "check '/a,1"},
    {"multi",
     HEADER("0000000e") "00000003000000010000002a000000022f6dffffffff" OPEN
                        "00000000010000000d0000000a000000022f6d000000000000000200000006000000022f6d",
     "multi create:/m,,[31,s{'world,'anyone}],false,1;check:'/m,0;delete:'/m"},
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

struct decoded {
    struct arena arena;
    struct txn_header header;
    struct txn_body body;
    struct txn_digest digest;
    bool has_digest;
    struct error error;
    uint8_t bytes[512];
    size_t size;
};

static int decode_bytes(struct decoded *decoded)
{
    struct jute_reader reader;
    jute_reader_init(&reader, decoded->bytes, decoded->size, &decoded->arena);
    return txn_body_decode(&reader, &rules, &decoded->header, &decoded->body, &decoded->has_digest, &decoded->digest,
                           &decoded->error);
}

static int decode(struct decoded *decoded, const char *hex)
{
    *decoded = (struct decoded){0};
    decoded->size = from_hex(hex, decoded->bytes);
    return decode_bytes(decoded);
}

START_TEST(record_is_read_and_written_again)
{
    struct decoded decoded;
    ck_assert_msg(decode(&decoded, records[_i].hex) == ZK_OK, "%s: %s", records[_i].name, decoded.error.text);
    ck_assert_int_eq(decoded.header.client_id, 0x1000000a1b20001);
    ck_assert_int_eq(decoded.header.zxid, 0x100000005);
    struct buffer out = {0};
    txn_body_encode(&decoded.header, &decoded.body, decoded.has_digest ? &decoded.digest : NULL, &out);
    ck_assert_msg(out.size == decoded.size && memcmp(out.bytes, decoded.bytes, out.size) == 0, "%s", records[_i].name);
    if (records[_i].printed != NULL) {
        buffer_clear(&out);
        txn_body_print(&decoded.header, &decoded.body, &out);
        const char *tail = strstr(buffer_string(&out), " session 0x1000000a1b20001 cxid 0x7 zxid 0x100000005 ");
        ck_assert_ptr_nonnull(tail);
        ck_assert_str_eq(tail + strlen(" session 0x1000000a1b20001 cxid 0x7 zxid 0x100000005 "), records[_i].printed);
    }
    buffer_release(&out);
    arena_release(&decoded.arena);
}
END_TEST

START_TEST(a_digest_follows_the_record)
{
    struct decoded decoded;
    ck_assert_int_eq(decode(&decoded, HEADER("00000002") "000000022f61000000021122334455667788"), ZK_OK);
    ck_assert(decoded.has_digest);
    ck_assert_int_eq(decoded.digest.version, 2);
    ck_assert_int_eq(decoded.digest.tree_digest, 0x1122334455667788);
    arena_release(&decoded.arena);
}
END_TEST

START_TEST(a_create_before_3_4_has_no_parent_cversion)
{
    struct decoded decoded;
    ck_assert_int_eq(decode(&decoded, HEADER("00000001") "000000022f61000000026869" OPEN "01"), ZK_OK);
    ck_assert_int_eq(decoded.body.record.create.parent_c_version, -1);
    ck_assert(decoded.body.record.create.ephemeral);
    ck_assert(ustring_is(decoded.body.record.create.path, "/a"));
    ck_assert(!decoded.has_digest);
    arena_release(&decoded.arena);
}
END_TEST

START_TEST(a_close_session_before_3_6_is_not_present)
{
    struct decoded decoded;
    ck_assert_int_eq(decode(&decoded, HEADER("fffffff5")), ZK_OK);
    ck_assert(!decoded.body.is_present && !decoded.has_digest);
    arena_release(&decoded.arena);
}
END_TEST

/* Of a leader with closeSessionTxn.enabled=false, whatever the option is here; and with a record, of none, one or two
 * paths. */
START_TEST(a_close_session_says_itself_whether_it_has_paths)
{
    static const struct {
        const char *bytes;
        bool is_present;
        int32_t count;
    } cases[] = {{HEADER("fffffff5") "00000002" "000000172f657068", false, 0},
                 {HEADER("fffffff5") "00000000" "00000002" "000000172f657068", true, 0},
                 {HEADER("fffffff5") "00000001" "000000022f61" "00000002" "000000172f657068", true, 1},
                 {HEADER("fffffff5") "00000002" "000000022f61" "000000022f62" "00000002" "000000172f657068", true, 2}};
    struct decoded decoded;
    ck_assert_int_eq(decode(&decoded, cases[_i].bytes), ZK_OK);
    ck_assert(decoded.body.is_present == cases[_i].is_present && decoded.has_digest);
    ck_assert_int_eq(decoded.digest.tree_digest, 0x172f657068);
    if (decoded.body.is_present)
        ck_assert_int_eq(decoded.body.record.close_session.paths2_delete.count, cases[_i].count);
    arena_release(&decoded.arena);
}
END_TEST

START_TEST(one_error_makes_errors_of_a_whole_multi)
{
    struct decoded decoded;
    ck_assert_int_eq(decode(&decoded, HEADER("0000000e") "00000003000000050000000e000000022f6dffffffff00000001ffffffff"
                                                         "00000004ffffff990000000200000006000000022f6d"),
                     ZK_OK);
    static const int32_t expected[] = {ZK_OK, ZK_BAD_VERSION, ZK_RUNTIME_INCONSISTENCY};
    ck_assert_int_eq(decoded.body.record.multi.count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(decoded.body.record.multi.items[i].type, OP_ERROR);
        ck_assert_int_eq(decoded.body.record.multi.items[i].body.record.error.err, expected[i]);
    }
    arena_release(&decoded.arena);
}
END_TEST

static const struct {
    const char *fact, *hex;
} damaged[] = {
    {"half a header", "01000000a1b20001000000070000"},
    {"a type nobody knows", HEADER("00000063") "00000000"},
    {"a path longer than the record", HEADER("00000002") "7fffffff2f61"},
    {"more ACLs than bytes", HEADER("00000007") "000000022f617fffffff"},
    {"half a setData", HEADER("00000005") "000000022f6100000002010200"},
    {"a session in a multi", HEADER("0000000e") "00000001fffffff60000000400007530"},
    {"a multi in a multi", HEADER("0000000e") "000000010000000e0000000400000000"},
    {"half a delete in a multi", HEADER("0000000e") "000000010000000200000005000000022f"},
    {"a create of old in a multi", HEADER("0000000e") "000000010000000100000026000000022f6dffffffff" OPEN "00"},
};

START_TEST(damage_is_told)
{
    struct decoded decoded;
    ck_assert_msg(decode(&decoded, damaged[_i].hex) == ZK_CORRUPT, "%s", damaged[_i].fact);
    ck_assert_int_gt(strlen(decoded.error.text), 0);
    arena_release(&decoded.arena);
}
END_TEST

START_TEST(every_cut_is_survived)
{
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        uint8_t bytes[512];
        size_t size = from_hex(records[i].hex, bytes);
        for (size_t cut = 0; cut < size; cut++) {
            struct decoded decoded = {.size = cut};
            memcpy(decoded.bytes, bytes, cut);
            int err = decode_bytes(&decoded);
            ck_assert(err == ZK_OK || err == ZK_CORRUPT);
            arena_release(&decoded.arena);
        }
    }
}
END_TEST

static Suite *txn_body_suite(void)
{
    Suite *suite = suite_create("txn_body");
    TCase *tcase = tcase_create("txn_body");
    tcase_add_loop_test(tcase, record_is_read_and_written_again, 0, ARRAY_SIZE(records));
    tcase_add_test(tcase, a_digest_follows_the_record);
    tcase_add_test(tcase, a_create_before_3_4_has_no_parent_cversion);
    tcase_add_test(tcase, a_close_session_before_3_6_is_not_present);
    tcase_add_loop_test(tcase, a_close_session_says_itself_whether_it_has_paths, 0, 4);
    tcase_add_test(tcase, one_error_makes_errors_of_a_whole_multi);
    tcase_add_loop_test(tcase, damage_is_told, 0, ARRAY_SIZE(damaged));
    tcase_add_test(tcase, every_cut_is_survived);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(txn_body_suite)
