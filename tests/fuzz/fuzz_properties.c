/*
 * fuzz_properties.c - libFuzzer target: the properties reader, and the options that what it read is turned into.
 *
 * Oracle: what was read, written with everything escaped, reads back as the same. Options are loaded from it as if it
 * came from the command line, which must end in success or in a sentence.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/base/strings.h"
#include "common/config/properties.h"
#include "server/config/server_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\n':
            buffer_append_string(out, "\\n");
            break;
        case '\r':
            buffer_append_string(out, "\\r");
            break;
        case '\t':
            buffer_append_string(out, "\\t");
            break;
        case '\f':
            buffer_append_string(out, "\\f");
            break;
        case ' ':
        case '=':
        case ':':
        case '#':
        case '!':
        case '\\':
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, (uint8_t)*text);
            break;
        default:
            buffer_append_byte(out, (uint8_t)*text);
        }
    }
}

static void check_round_trip(const struct properties *properties)
{
    struct properties again = {0};
    struct buffer text = {0};
    for (size_t i = 0; i < properties->count; i++) {
        append_escaped(&text, properties->items[i].key);
        buffer_append_byte(&text, '=');
        append_escaped(&text, properties->items[i].value);
        buffer_append_byte(&text, '\n');
    }
    int err = properties_parse(&again, "again", buffer_string(&text), text.size, NULL);
    assert(err == ZK_OK);
    (void)err;
    assert(again.count == properties->count);
    for (size_t i = 0; i < again.count; i++) {
        assert(strcmp(again.items[i].key, properties->items[i].key) == 0);
        assert(strcmp(again.items[i].value, properties->items[i].value) == 0);
    }
    properties_release(&again);
    buffer_release(&text);
}

static void check_options(struct properties *properties)
{
    for (size_t i = properties->count; i-- > 0;)    /* no disk: the file myid is not looked for */
        if (string_ends_with(properties->items[i].key, "dataDir") || strchr(properties->items[i].key, ' ') != NULL)
            properties_remove(properties, properties->items[i].key);
    struct server_options options;
    struct error error = {0};
    struct buffer out = {0};
    server_options_init(&options);
    options.data_dir = NULL;
    int err = server_options_load(&options, NULL, properties, &error);
    assert(err == ZK_OK || (err == ZK_BAD_CONFIG && error.text[0] != '\0'));
    if (err == ZK_OK) {
        server_options_print(&options, &out);
        server_options_validate(&options, &error);
    }
    buffer_release(&out);
    server_options_release(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct properties properties = {0};
    log_set_level(NULL, LOG_OFF);
    if (properties_parse(&properties, "fuzz", (const char *)data, size, NULL) == ZK_OK) {
        check_round_trip(&properties);
        if (size % 8 == 0)    /* takes a hundred times as long */
            check_options(&properties);
    }
    properties_release(&properties);
    return 0;
}
