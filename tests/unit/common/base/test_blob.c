/* test_blob.c - shared immutable bytes. */
#include "common/base/blob.h"

#include "common/base/block_pool.h"
#include "tests/lib/check_main.h"

START_TEST(the_last_reference_frees)    /* the leak check of a sanitizer build would tell */
{
    struct blob *blob = blob_new_copy("hello", 5);
    ck_assert_uint_eq(blob->size, 5);
    ck_assert_mem_eq(blob->bytes, "hello", 5);
    ck_assert_ptr_eq(blob_ref(blob), blob);
    blob_unref(blob);
    ck_assert_mem_eq(blob->bytes, "hello", 5);
    ck_assert_uint_eq(atomic_load(&blob->references), 1);
    blob_unref(blob);
    blob_unref(NULL);
}
END_TEST

START_TEST(an_empty_blob_is_a_blob)
{
    struct blob *blob = blob_new(0);
    ck_assert_uint_eq(blob->size, 0);
    blob_unref(blob);
    blob_unref(blob_new_copy(NULL, 0));
}
END_TEST

START_TEST(one_of_a_pool_goes_back_to_it)
{
    struct block_pool *pool = block_pool_new(sizeof(struct blob) + 8);
    struct blob *blob = blob_new_copy_in(pool, "hello", 5), *larger = blob_new_copy_in(pool, "hello, world", 12);
    struct blob *without = blob_new_copy_in(NULL, "hello", 5);
    ck_assert_uint_eq(blob->size, 5);
    ck_assert_mem_eq(larger->bytes, "hello, world", 12);
    ck_assert_uint_eq(atomic_load(&without->references), 1);
    blob_ref(blob);
    blob_unref(blob);
    ck_assert_mem_eq(blob->bytes, "hello", 5);
    block_pool_close(pool);
    blob_unref(blob);
    blob_unref(larger);
    blob_unref(without);
}
END_TEST

static Suite *blob_suite(void)
{
    Suite *suite = suite_create("blob");
    TCase *tcase = tcase_create("blob");
    tcase_add_test(tcase, the_last_reference_frees);
    tcase_add_test(tcase, an_empty_blob_is_a_blob);
    tcase_add_test(tcase, one_of_a_pool_goes_back_to_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(blob_suite)
