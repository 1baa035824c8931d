/* test_adler32.c - checksums, against their published check values. */
#include "common/base/adler32.h"

#include <string.h>
#include <zlib.h>

#include "tests/lib/check_main.h"

START_TEST(sums_have_their_check_values)
{
    ck_assert_uint_eq(adler32_update(ADLER32_START, "Wikipedia", 9), 0x11e60398);
    ck_assert_uint_eq(crc32_update(CRC32_START, "123456789", 9), 0xcbf43926);
}
END_TEST

START_TEST(a_sum_may_be_made_in_steps)
{
    ck_assert_uint_eq(adler32_update(adler32_update(ADLER32_START, "Wiki", 4), "pedia", 5), 0x11e60398);
    ck_assert_uint_eq(crc32_update(crc32_update(CRC32_START, "1234", 4), "56789", 5), 0xcbf43926);
}
END_TEST

static void fill(uint8_t *bytes, size_t size)
{
    uint32_t seed = 12345;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(seed >> 16);
    }
}

START_TEST(a_crc_is_that_of_zlib)
{
    enum { MOST = 700 };
    uint8_t bytes[MOST + 20];
    fill(bytes, sizeof(bytes));
    for (size_t size = 0; size <= MOST; size++) {
        size_t from = size % 17;
        uint32_t start = size % 3 == 0 ? CRC32_START : 0x9e3779b9u * (uint32_t)size;
        ck_assert_msg(crc32_update(start, bytes + from, size) == crc32_z(start, bytes + from, size), "%zu bytes", size);
    }
}
END_TEST

START_TEST(an_adler_is_that_of_zlib)
{
    enum { MOST = 700, LONGEST = 20000 };
    static uint8_t bytes[LONGEST], largest[LONGEST];
    const uint32_t largest_sum = 65520u << 16 | 65520u;
    fill(bytes, sizeof(bytes));
    memset(largest, 0xff, sizeof(largest));
    for (size_t size = 1; size <= LONGEST - 32; size += size < MOST ? 1 : 577) {
        size_t from = size % 32;
        uint32_t start = size % 3 == 0 ? ADLER32_START : largest_sum - (uint32_t)size;
        ck_assert_msg(adler32_update(start, bytes + from, size) == adler32_z(start, bytes + from, size), "%zu bytes",
                      size);
        ck_assert_msg(adler32_update(largest_sum, largest, size) == adler32_z(largest_sum, largest, size),
                      "%zu bytes of 0xff", size);
    }
}
END_TEST

START_TEST(no_bytes_change_no_sum)
{
    ck_assert_uint_eq(adler32_update(0x11e60398, NULL, 0), 0x11e60398);
    ck_assert_uint_eq(crc32_update(0xcbf43926, NULL, 0), 0xcbf43926);
}
END_TEST

static Suite *adler32_suite(void)
{
    Suite *suite = suite_create("adler32");
    TCase *tcase = tcase_create("adler32");
    tcase_add_test(tcase, sums_have_their_check_values);
    tcase_add_test(tcase, a_sum_may_be_made_in_steps);
    tcase_add_test(tcase, a_crc_is_that_of_zlib);
    tcase_add_test(tcase, an_adler_is_that_of_zlib);
    tcase_add_test(tcase, no_bytes_change_no_sum);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(adler32_suite)
