/*
 * strings.c - what C's strings lack, and what Java's strings do.
 *
 * Java's view of bytes as text rests on one function here, utf8_sequence(): where the next character ends, or how many
 * malformed bytes one U+FFFD stands for.
 */
#include "common/base/strings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"

#define MALFORMED UINT32_MAX

static const char replacement[] = "\xef\xbf\xbd";    /* U+FFFD */

static bool is_continuation(const uint8_t *at, const uint8_t *end)
{
    return at < end && (*at & 0xc0) == 0x80;
}

/* True if `second` may stand behind a first byte of three or four; else the character is overlong or too high. */
static bool is_second_of(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
    }
}

/*
 * Decodes what starts at `at`, before `end`. Returns how many bytes that is: a whole character, its code point in
 * *ret_point; or MALFORMED there, and as many bytes as Java's decoder replaces at once: the longest beginning of a
 * character, though a whole surrogate of three.
 */
static size_t utf8_sequence(const uint8_t *at, const uint8_t *end, uint32_t *ret_point)
{
    uint8_t first = at[0];
    *ret_point = MALFORMED;
    if (first < 0x80) {
        *ret_point = first;
        return 1;
    }
    if (first < 0xc2 || first > 0xf4 || !is_continuation(at + 1, end) || !is_second_of(first, at[1]))
        return 1;
    if (first < 0xe0) {
        *ret_point = (uint32_t)(first & 0x1f) << 6 | (at[1] & 0x3f);
        return 2;
    }
    if (!is_continuation(at + 2, end))
        return 2;
    if (first < 0xf0) {
        uint32_t point = (uint32_t)(first & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
        if (point < 0xd800 || point > 0xdfff)
            *ret_point = point;
        return 3;
    }
    if (!is_continuation(at + 3, end))
        return 3;
    *ret_point = (uint32_t)(first & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 | (uint32_t)(at[2] & 0x3f) << 6
                 | (at[3] & 0x3f);
    return 4;
}

static int to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Value of a digit, or 36 when it is none. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    int lower = to_lower(c);
    return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 36;
}

char *string_copy(const char *string)
{
    return memory_copy(string, strlen(string) + 1);
}

char *string_copy_n(const char *bytes, size_t size)
{
    assert(size < SIZE_MAX);
    char *copy = memory_alloc(size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *string_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char small[256];
    int length = vsnprintf(small, sizeof(small), format, args);
    assert(length >= 0);
    char *string = memory_alloc((size_t)length + 1);
    if ((size_t)length < sizeof(small))
        memcpy(string, small, (size_t)length + 1);
    else
        vsnprintf(string, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return string;
}

bool string_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool string_ends_with(const char *string, const char *suffix)
{
    size_t string_size = strlen(string), suffix_size = strlen(suffix);
    return string_size >= suffix_size && memcmp(string + string_size - suffix_size, suffix, suffix_size) == 0;
}

bool string_equals_ignore_case(const char *a, const char *b)
{
    while (*a != '\0' && to_lower(*a) == to_lower(*b)) {
        a++;
        b++;
    }
    return to_lower(*a) == to_lower(*b);
}

char *string_trim(char *string)
{
    char *start = string, *end = string + strlen(string);
    while (start < end && (unsigned char)*start <= 0x20)
        start++;
    while (end > start && (unsigned char)end[-1] <= 0x20)
        end--;
    *end = '\0';
    return start;
}

bool string_to_int64(const char *text, int base, int64_t *ret_value)
{
    assert(base >= 2 && base <= 36);
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (*text == '\0')
        return false;
    int64_t value = 0;    /* grown downwards, where there is one value more */
    for (; *text != '\0'; text++) {
        int digit = digit_value(*text);
        if (digit >= base || __builtin_mul_overflow(value, base, &value)
            || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

const char *string_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(word) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = string_distance(word, candidates[i]);
        if (distance < least) {
            least = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

size_t string_distance(const char *a, const char *b)
{
    size_t b_size = strlen(b);
    size_t *row = MEMORY_NEW_ARRAY(b_size + 1, size_t);    /* distances of the part of `a` so far to each part of `b` */
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_size; j++) {
            size_t replaced = diagonal + (to_lower(a[i]) != to_lower(b[j]));
            size_t inserted = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < inserted ? replaced : inserted;
        }
    }
    size_t distance = row[b_size];
    memory_free(row);
    return distance;
}

int32_t string_java_hash(const char *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes, *end = at + size;
    uint32_t hash = 0;
    while (at < end) {
        uint32_t point;
        at += utf8_sequence(at, end, &point);
        assert(point != MALFORMED);
        if (point >= 0x10000) {
            hash = 31 * hash + (0xd800 + ((point - 0x10000) >> 10));
            hash = 31 * hash + (0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            hash = 31 * hash + point;
        }
    }
    return (int32_t)hash;
}

/* Where a point's first UTF-16 unit stands among those of others: U+E000 and above come behind all surrogates. */
static uint32_t utf16_rank(uint32_t point)
{
    return point >= 0xe000 && point < 0x10000 ? point + 0x110000 : point;
}

int string_java_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const uint8_t *at_a = (const uint8_t *)a, *end_a = at_a + a_size;
    const uint8_t *at_b = (const uint8_t *)b, *end_b = at_b + b_size;
    while (at_a < end_a && at_b < end_b) {
        uint32_t point_a, point_b;
        at_a += utf8_sequence(at_a, end_a, &point_a);
        at_b += utf8_sequence(at_b, end_b, &point_b);
        if (point_a != point_b)
            return utf16_rank(point_a) < utf16_rank(point_b) ? -1 : 1;
    }
    return (at_a < end_a) - (at_b < end_b);
}

/* How many bytes at the beginning are ASCII for sure, eight at a time. */
static size_t ascii_prefix(const char *bytes, size_t size)
{
    size_t count = 0;
    uint64_t eight;
    for (; size - count >= sizeof(eight); count += sizeof(eight)) {
        memcpy(&eight, bytes + count, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return count;
}

size_t string_java_length(const char *bytes, size_t size)
{
    size_t length = ascii_prefix(bytes, size);
    const uint8_t *at = (const uint8_t *)bytes + length, *end = (const uint8_t *)bytes + size;
    while (at < end) {
        uint32_t point;
        at += utf8_sequence(at, end, &point);
        length += point != MALFORMED && point >= 0x10000 ? 2 : 1;
    }
    return length;
}

bool utf8_is_valid(const char *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes + ascii_prefix(bytes, size), *end = (const uint8_t *)bytes + size;
    while (at < end) {
        uint32_t point;
        at += utf8_sequence(at, end, &point);
        if (point == MALFORMED)
            return false;
    }
    return true;
}

char *utf8_repair(struct arena *arena, const char *bytes, size_t size, size_t *ret_size)
{
    const size_t replacement_size = sizeof(replacement) - 1;
    const uint8_t *start = (const uint8_t *)bytes, *end = start + size;
    uint32_t point;
    size_t repaired_size = 0;
    for (const uint8_t *at = start; at < end;) {
        size_t length = utf8_sequence(at, end, &point);
        repaired_size += point != MALFORMED ? length : replacement_size;
        at += length;
    }
    char *repaired = arena_alloc(arena, repaired_size), *out = repaired;
    for (const uint8_t *at = start; at < end;) {
        size_t length = utf8_sequence(at, end, &point);
        size_t out_length = point != MALFORMED ? length : replacement_size;
        memcpy(out, point != MALFORMED ? (const char *)at : replacement, out_length);
        out += out_length;
        at += length;
    }
    *ret_size = repaired_size;
    return repaired;
}

bool bytes_equal_constant_time(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *at_a = a, *at_b = b;    /* volatile: the compiler may not leave early */
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= (uint8_t)(at_a[i] ^ at_b[i]);
    return difference == 0;
}

char *hex_encode(const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    assert(size < SIZE_MAX / 2);
    const uint8_t *at = bytes;
    char *text = memory_alloc(2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

char *base64_encode(const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert(size < SIZE_MAX / 2);
    const uint8_t *at = bytes;
    char *text = memory_alloc((size + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)at[i] << 16 | (uint32_t)(left > 1 ? at[i + 1] : 0) << 8 | (left > 2 ? at[i + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
    return text;
}
