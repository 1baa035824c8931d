/* distinguished_name.c - names in certificates, as Java writes and reads them. */
#include "common/net/distinguished_name.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define OID_SIZE 128

/* ---- writing ---- */

/* Those with a name of their own in RFC 2253. */
static const char *keyword_of(const ASN1_OBJECT *attribute)
{
    static const struct {
        int nid;
        const char *keyword;
    } keywords[] = {
        { NID_commonName, "CN" },
        { NID_countryName, "C" },
        { NID_localityName, "L" },
        { NID_stateOrProvinceName, "ST" },
        { NID_organizationName, "O" },
        { NID_organizationalUnitName, "OU" },
        { NID_streetAddress, "STREET" },
        { NID_domainComponent, "DC" },
        { NID_userId, "UID" },
    };
    int nid = OBJ_obj2nid(attribute);
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (keywords[i].nid == nid)
            return keywords[i].keyword;
    return NULL;
}

static bool is_text(const ASN1_STRING *value)
{
    switch (ASN1_STRING_type(value)) {
    case V_ASN1_T61STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_GENERALSTRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UTF8STRING:
    case V_ASN1_IA5STRING: return true;
    default: return false;
    }
}

static void append_der(const ASN1_STRING *value, struct buffer *out)
{
    ASN1_TYPE type = { .type = ASN1_STRING_type(value), .value.asn1_string = (ASN1_STRING *)(uintptr_t)value };
    unsigned char *der = NULL;
    int size = i2d_ASN1_TYPE(&type, &der);
    buffer_append_byte(out, '#');
    for (int i = 0; i < size; i++)
        buffer_printf(out, "%02x", der[i]);
    OPENSSL_free(der);
}

/* Spaces at either end and what means something in a name get a backslash. */
static void append_escaped(const unsigned char *text, int size, struct buffer *out)
{
    int first = 0, last = size - 1;
    while (first < size && text[first] == ' ')
        first++;
    while (last >= 0 && text[last] == ' ')
        last--;
    for (int i = 0; i < size; i++) {
        if (text[i] == '\0') {
            buffer_append_string(out, "\\00");
            continue;
        }
        if (strchr(",=+<>#;\"\\", text[i]) != NULL || i < first || i > last)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, text[i]);
    }
}

static void append_attribute(const X509_NAME_ENTRY *entry, struct buffer *out)
{
    const ASN1_OBJECT *attribute = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const char *keyword = keyword_of(attribute);
    unsigned char *text = NULL;
    char oid[OID_SIZE];
    if (keyword == NULL)
        OBJ_obj2txt(oid, sizeof(oid), attribute, 1);
    buffer_printf(out, "%s=", keyword != NULL ? keyword : oid);
    int size = keyword != NULL && is_text(value) ? ASN1_STRING_to_UTF8(&text, value) : -1;
    if (size >= 0)
        append_escaped(text, size, out);
    else
        append_der(value, out);
    OPENSSL_free(text);
}

char *distinguished_name_format(const X509_NAME *name)
{
    struct buffer out = { 0 };
    int count = X509_NAME_entry_count(name), end = count;
    while (end > 0) {
        int first = end - 1;    /* of a part, whose attributes stay in their order */
        int part = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first));
        while (first > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first - 1)) == part)
            first--;
        if (end < count)
            buffer_append_byte(&out, ',');
        for (int i = first; i < end; i++) {
            if (i > first)
                buffer_append_byte(&out, '+');
            append_attribute(X509_NAME_get_entry(name, i), &out);
        }
        end = first;
    }
    char *text = string_copy(buffer_string(&out));
    buffer_release(&out);
    return text;
}

/* ---- reading ---- */

struct reader {
    const char *at, *end;
};

static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n'))
        reader->at++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Numbers with dots between them: the first 0 to 2, the second below 40 behind 0 and 1. */
static bool is_oid(const char *text)
{
    int first = 0;
    for (int arc = 0;; arc++) {
        size_t length = strspn(text, "0123456789"), zeros = strspn(text, "0");
        if (length == 0)
            return false;
        size_t digits = length > zeros ? length - zeros : 1;
        int value = digits <= 2 ? atoi(text) : 99;    /* of these only the first two arcs ask */
        if ((arc == 0 && value > 2) || (arc == 1 && first < 2 && (value > 39 || digits > 2)))
            return false;
        first = arc == 0 ? value : first;
        text += length;
        if (*text == '\0')
            return arc >= 1;
        if (*text++ != '.')
            return false;
    }
}

static bool is_keyword(const char *text)
{
    static const char *const known[] = { "CN", "C", "L", "S", "ST", "O", "OU", "T", "IP", "STREET", "DC", "DNQUALIFIER",
                                         "DNQ", "SURNAME", "GIVENNAME", "INITIALS", "GENERATION", "EMAIL",
                                         "EMAILADDRESS", "UID", "SERIALNUMBER" };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (string_equals_ignore_case(text, known[i]))
            return true;
    return is_oid(strncasecmp(text, "OID.", 4) == 0 ? text + 4 : text);
}

/* Up to and with the '='. */
static bool read_keyword(struct reader *reader)
{
    skip_spaces(reader);
    const char *equals = memchr(reader->at, '=', (size_t)(reader->end - reader->at));
    if (equals == NULL || equals - reader->at >= OID_SIZE)
        return false;
    char *copy = string_copy_n(reader->at, (size_t)(equals - reader->at));
    bool is_good = is_keyword(string_trim(copy));
    memory_free(copy);
    reader->at = equals + 1;
    return is_good;
}

/* What follows a backslash: one that means something, or two hexadecimal digits. */
static bool read_escaped(struct reader *reader)
{
    if (reader->at == reader->end)
        return false;
    if (strchr(",=+<>#;\"\\ \n", *reader->at) != NULL && *reader->at != '\0') {
        reader->at++;
        return true;
    }
    if (reader->end - reader->at < 2 || !is_hex(reader->at[0]) || !is_hex(reader->at[1]))
        return false;
    reader->at += 2;
    return true;
}

static int digit_value(char c)
{
    return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* One value of DER, and nothing behind it. */
static bool is_der(const char *digits, size_t count)
{
    unsigned char *bytes = memory_alloc(count / 2 + 1);
    for (size_t i = 0; i < count / 2; i++)
        bytes[i] = (unsigned char)(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
    const unsigned char *at = bytes;
    ASN1_TYPE *value = d2i_ASN1_TYPE(NULL, &at, (long)(count / 2));
    bool is_all = value != NULL && at == bytes + count / 2;
    ASN1_TYPE_free(value);
    ERR_clear_error();
    memory_free(bytes);
    return is_all;
}

static bool read_hex_value(struct reader *reader)
{
    const char *first = ++reader->at;
    while (reader->at < reader->end && is_hex(*reader->at))
        reader->at++;
    size_t count = (size_t)(reader->at - first);
    skip_spaces(reader);
    return count > 0 && count % 2 == 0 && is_der(first, count);
}

static bool read_quoted_value(struct reader *reader)
{
    reader->at++;
    while (reader->at < reader->end && *reader->at != '"') {
        bool is_escape = *reader->at++ == '\\';
        if (is_escape && !read_escaped(reader))
            return false;
    }
    if (reader->at == reader->end)
        return false;
    reader->at++;
    skip_spaces(reader);
    return true;
}

static bool is_separator(char c)
{
    return c == ',' || c == ';' || c == '+';
}

/* Up to what separates it from the next. */
static bool read_plain_value(struct reader *reader)
{
    while (reader->at < reader->end && !is_separator(*reader->at)) {
        char c = *reader->at++;
        bool is_good = c == '\\' ? read_escaped(reader) : c != '<' && c != '>' && c != '"';
        if (!is_good)
            return false;
    }
    return true;
}

static bool read_value(struct reader *reader)
{
    skip_spaces(reader);
    if (reader->at == reader->end)
        return true;    /* an empty one passes */
    return *reader->at == '#'   ? read_hex_value(reader)
           : *reader->at == '"' ? read_quoted_value(reader)
                                : read_plain_value(reader);
}

bool distinguished_name_is_valid(const char *text, size_t size)
{
    struct reader reader = { text, text + size };
    if (size == 0)
        return true;
    for (;;) {
        if (!read_keyword(&reader) || !read_value(&reader))
            return false;
        if (reader.at == reader.end)
            return true;
        if (!is_separator(*reader.at))
            return false;
        reader.at++;
    }
}
