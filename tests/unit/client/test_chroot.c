/* test_chroot.c - paths to the server and back. */
#include "client/chroot.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *chroot, *path, *at_server;
} there[] = {
    { NULL, "/", "/" },
    { NULL, "/a", "/a" },
    { "/app", "/", "/app" },
    { "/app", "/a", "/app/a" },
    { "/app", "/a/b", "/app/a/b" },
    { "/app/one", "/", "/app/one" },
    { "/app/one", "/one", "/app/one/one" },
    { "/app", "/seq/", "/app/seq/" },
};
START_TEST(a_path_goes_to_the_server_and_comes_back)
{
    struct buffer out = { 0 };
    size_t size = strlen(there[_i].at_server);
    buffer_append_string(&out, "before");
    chroot_append(&out, there[_i].chroot, there[_i].path);
    ck_assert_uint_eq(out.size, 6 + size);
    ck_assert_mem_eq(out.bytes, "before", 6);
    ck_assert_mem_eq(out.bytes + 6, there[_i].at_server, size);
    buffer_clear(&out);

    chroot_write(&out, there[_i].chroot, there[_i].path);
    ck_assert_uint_eq(out.size, 4 + size);
    ck_assert_uint_eq(load_be32(out.bytes), size);
    ck_assert_mem_eq(out.bytes + 4, there[_i].at_server, size);
    buffer_release(&out);

    char *text = chroot_prepend(there[_i].chroot, there[_i].path);
    ck_assert_str_eq(text, there[_i].at_server);
    memory_free(text);
    ck_assert_str_eq(chroot_strip(there[_i].chroot, there[_i].at_server), there[_i].path);
}
END_TEST

static const struct {
    const char *chroot, *at_server;
} elsewhere[] = {
    { "/app", "/" },          { "/app", "" },        { "/app", "/ap" },   { "/app", "/application" },
    { "/app", "/app0000001" }, { "/app/one", "/app" }, { "/app", "/other" }, { "/app", "app" },
    { "/app", "x/app/a" },    { NULL, "" },
};
START_TEST(a_path_from_elsewhere_stays_as_it_is)
{
    ck_assert_ptr_eq(chroot_strip(elsewhere[_i].chroot, elsewhere[_i].at_server), elsewhere[_i].at_server);
}
END_TEST

START_TEST(paths_are_checked_as_the_user_gave_them)
{
    struct error error = { 0 };
    ck_assert_int_eq(chroot_check_path("/a/b", false, NULL), ZK_OK);
    ck_assert_int_eq(chroot_check_path("/", false, NULL), ZK_OK);
    ck_assert_int_eq(chroot_check_path("/a/", true, NULL), ZK_OK);
    ck_assert_int_eq(chroot_check_path("/a/", false, &error), ZK_BAD_ARGUMENTS);
    ck_assert_int_ne(error.text[0], '\0');
    ck_assert_int_eq(chroot_check_path(NULL, false, NULL), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(chroot_check_path("", false, NULL), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(chroot_check_path("/a/../..", false, NULL), ZK_BAD_ARGUMENTS);
}
END_TEST

static Suite *chroot_suite(void)
{
    Suite *suite = suite_create("chroot");
    TCase *tcase = tcase_create("chroot");
    tcase_add_loop_test(tcase, a_path_goes_to_the_server_and_comes_back, 0, ARRAY_SIZE(there));
    tcase_add_loop_test(tcase, a_path_from_elsewhere_stays_as_it_is, 0, ARRAY_SIZE(elsewhere));
    tcase_add_test(tcase, paths_are_checked_as_the_user_gave_them);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(chroot_suite)
