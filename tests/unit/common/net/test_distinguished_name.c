/* Names of certificates, as Java has them. What passes was asked of Java 17. */
#include "common/net/distinguished_name.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

/* ---- written ---- */

struct part {
    const char *attribute;
    int type;
    const char *value;
    int size;    /* of the value; -1: a string */
    int set;     /* of X509_NAME_add_entry: 0 begins a part, -1 belongs to the one before */
};
static const struct {
    const char *fact, *text;
    struct part parts[4];
} written[] = {
    { "nothing is empty", "", { { NULL, 0, NULL, 0, 0 } } },
    { "the last part comes first", "CN=client,O=zkc,C=CH",
      { { "C", MBSTRING_ASC, "CH", -1, 0 }, { "O", MBSTRING_UTF8, "zkc", -1, 0 },
        { "CN", MBSTRING_UTF8, "client", -1, 0 } } },
    { "attributes of one part stay together", "OU=a+CN=b,O=c",
      { { "O", MBSTRING_UTF8, "c", -1, 0 }, { "OU", MBSTRING_UTF8, "a", -1, 0 },
        { "CN", MBSTRING_UTF8, "b", -1, -1 } } },
    { "what means something is escaped", "CN=a\\,b\\=c\\+d\\<e\\>f\\#g\\;h\\\"i\\\\j",
      { { "CN", MBSTRING_UTF8, "a,b=c+d<e>f#g;h\"i\\j", -1, 0 } } },
    { "spaces are, at either end", "CN=\\ \\ a b\\ ", { { "CN", MBSTRING_UTF8, "  a b ", -1, 0 } } },
    { "other letters are themselves", "CN=\xc3\xa4", { { "CN", MBSTRING_UTF8, "\xc3\xa4", -1, 0 } } },
    { "a zero does not end a name", "CN=a\\00b", { { "CN", V_ASN1_UTF8STRING, "a\0b", 3, 0 } } },
    { "what the RFC has no name for is hexadecimal", "CN=c,1.2.840.113549.1.9.1=#1603614062",
      { { "emailAddress", MBSTRING_ASC, "a@b", -1, 0 }, { "CN", MBSTRING_UTF8, "c", -1, 0 } } },
    { "those it has are named", "UID=u,DC=d,STREET=s,L=l",
      { { "L", MBSTRING_UTF8, "l", -1, 0 }, { "street", MBSTRING_UTF8, "s", -1, 0 },
        { "DC", MBSTRING_UTF8, "d", -1, 0 }, { "UID", MBSTRING_UTF8, "u", -1, 0 } } },
};

START_TEST(a_name_is_written_as_in_java)    /* _i: a row */
{
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; i < ARRAY_SIZE(written[_i].parts) && written[_i].parts[i].attribute != NULL; i++) {
        const struct part *part = &written[_i].parts[i];
        ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, part->attribute, part->type,
                                                    (const unsigned char *)part->value, part->size, -1, part->set), 1);
    }
    char *text = distinguished_name_format(name);
    ck_assert_msg(strcmp(text, written[_i].text) == 0, "%s: %s", written[_i].fact, text);
    ck_assert(distinguished_name_is_valid(text, strlen(text)));
    memory_free(text);
    X509_NAME_free(name);
}
END_TEST

/* ---- read ---- */

#define ROW(text, is_valid) { text, sizeof(text) - 1, is_valid }
static const struct {
    const char *text;
    size_t size;
    bool is_valid;
} read_names[] = {
    ROW("", true),
    ROW(" ", false),
    ROW("CN=a", true),
    ROW("cn=a", true),
    ROW("CN=a,O=b", true),
    ROW("CN=a;O=b", true),
    ROW("CN=a+OU=b,O=c", true),
    ROW("CN=", true),
    ROW("CN", false),
    ROW("=a", false),
    ROW("XX=a", false),
    ROW("1.2.3=a", true),
    ROW("OID.1.2.3=a", true),
    ROW("oid.1.2.3=#0401ff", true),
    ROW("1.2.3=#04", false),
    ROW("1.2.3=#0401f", false),
    ROW("3.2.1=a", false),
    ROW("1.40.1=a", false),
    ROW("1=a", false),
    ROW("CN=\"a,b\"", true),
    ROW("CN=\"a", false),
    ROW("CN=a\\,b", true),
    ROW("CN=a\\", false),
    ROW("CN=a\\zz", false),
    ROW("CN=a\\4a", true),
    ROW("CN=a=b", true),
    ROW("CN=a#b", true),
    ROW("CN=a<b", false),
    ROW("CN=a>b", false),
    ROW("CN=a\"b", false),
    ROW("CN=a,", false),
    ROW(",CN=a", false),
    ROW("CN=a,,O=b", false),
    ROW("CN = a , O = b", true),
    ROW("EMAILADDRESS=a@b,CN=c", true),
    ROW("E=a", false),
    ROW("CN=\"a\"b", false),
    ROW("CN=#", false),
    ROW("CN=#zz", false),
    ROW("CN=ä", true),
    ROW("creator", false),
    ROW("bob:x", false),
    ROW("CN=a\nO=b", true),
    ROW("CN=a,O=", true),
    ROW("CN=,O=b", true),
    ROW("CN=\\#a", true),
    ROW("CN=\\ a", true),
    ROW("CN=a\0" "b", true),
    ROW("T=x", true),
    ROW("DNQ=a", true),
    ROW("S=x", true),
    ROW("CN=a+", false),
    ROW("+CN=a", false),
    ROW("CN=a+OU=", true),
    ROW("2.999.1=a", true),
    ROW("1.02.3=a", true),
    ROW("CN=\"a\\\"b\"", true),
    ROW("CN=\"a\nb\"", true),
    ROW("CN=a b", true),
    ROW("C N=a", false),
    ROW("CN=<a", false),
    ROW("CN=a\\\nb", true),
    ROW("1.2.3.99999999999=a", true),
    ROW("CN=#04 01", false),
    ROW("UID=x,DC=y", true),
    ROW("STREET=q", true),
    ROW("IP=1", true),
};

START_TEST(a_name_passes_where_java_takes_it)    /* _i: a row */
{
    ck_assert_msg(distinguished_name_is_valid(read_names[_i].text, read_names[_i].size) == read_names[_i].is_valid,
                  "%s", read_names[_i].text);
}
END_TEST

static Suite *distinguished_name_suite(void)
{
    Suite *suite = suite_create("distinguished_name");
    TCase *tcase = tcase_create("distinguished_name");
    tcase_add_loop_test(tcase, a_name_is_written_as_in_java, 0, ARRAY_SIZE(written));
    tcase_add_loop_test(tcase, a_name_passes_where_java_takes_it, 0, ARRAY_SIZE(read_names));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(distinguished_name_suite)
