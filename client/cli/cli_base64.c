/* cli_base64.c - base64 back into bytes, as strict as Java's decoder. */
#include "client/cli/cli_base64.h"

#include <stdint.h>
#include <string.h>

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t size, struct buffer *bytes, struct error *error)
{
    size_t padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    size_t digits = size - padding, odd = digits % 4;
    if (odd == 1 || (padding > 0 && odd + padding != 4))
        return error_set(error, ZK_BAD_ARGUMENTS, "Input byte array has wrong 4-byte ending unit");
    size_t size_before = bytes->size;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = value_of(text[i]);
        if (value < 0) {
            bytes->size = size_before;
            return error_set(error, ZK_BAD_ARGUMENTS, "Illegal base64 character %x", (uint8_t)text[i]);
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            buffer_append_byte(bytes, (uint8_t)(bits >> 16));
            buffer_append_byte(bytes, (uint8_t)(bits >> 8));
            buffer_append_byte(bytes, (uint8_t)bits);
        }
    }
    if (odd >= 2)
        buffer_append_byte(bytes, (uint8_t)(bits >> (odd == 2 ? 4 : 10)));
    if (odd == 3)
        buffer_append_byte(bytes, (uint8_t)(bits >> 2));
    return ZK_OK;
}
