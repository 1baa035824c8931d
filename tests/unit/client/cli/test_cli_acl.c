/* ACLs from text and as text. */
#include "client/cli/cli_acl.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { const char *text, *printed, *complaints; } acls[] = {
    { "world:anyone:cdrwa", "'world,'anyone\n: cdrwa\n", "" },
    { "world:anyone:ar", "'world,'anyone\n: ra\n", "" },
    { "digest:user:aGFzaA=:rw,ip:10.0.0.0/8:r", "'digest,'user:aGFzaA=\n: rw\n'ip,'10.0.0.0/8\n: r\n", "" },
    { "x509:CN=a}%:r", "'x509,'CN=a%7D%25\n: r\n", "" },
    { "auth::cdrwa", "'auth,'\n: cdrwa\n", "" },
    { "world:anyone:", "'world,'anyone\n: \n", "" },
    { "world:anyone:rxw", "'world,'anyone\n: rw\n", "Unknown perm type: x\n" },
    { "world:anyone:\xc3\xa4r", "'world,'anyone\n: r\n", "Unknown perm type: \xc3\xa4\n" },
    { "nonsense", "", "nonsense does not have the form scheme:id:perm\n" },
    { "a:b,world:anyone:r", "'world,'anyone\n: r\n", "a:b does not have the form scheme:id:perm\n" },
    { "", "", " does not have the form scheme:id:perm\n" },
    { ",world:anyone:r,,", "'world,'anyone\n: r\n", " does not have the form scheme:id:perm\n" },
};

START_TEST(entries_are_read_and_printed)
{
    struct ACL_vector acl;
    struct buffer printed = {0}, complaints = {0};
    acl_list_parse(acls[_i].text, &acl, &complaints);
    acl_list_print(&acl, &printed);
    ck_assert_str_eq(buffer_string(&printed), acls[_i].printed);
    ck_assert_str_eq(buffer_string(&complaints), acls[_i].complaints);
    acl_list_release(&acl);
    buffer_release(&printed);
    buffer_release(&complaints);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_acl");
    TCase *tcase = tcase_create("cli_acl");
    tcase_add_loop_test(tcase, entries_are_read_and_printed, 0, ARRAY_SIZE(acls));
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
