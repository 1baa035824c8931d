/* cli_output.c - standard output and standard error of the shell. */
#include "client/cli/cli_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli_json.h"

#define LARGE ((size_t)65536)

void output_init(struct output *output, bool out_is_terminal, bool error_is_terminal)
{
    *output = (struct output){.out_is_terminal = out_is_terminal, .error_is_terminal = error_is_terminal};
    mutex_init(&output->lock);
}

void output_release(struct output *output)
{
    buffer_release(&output->pending);
    mutex_release(&output->lock);
}

void output_printf(struct output *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(&output->pending, format, args);
    va_end(args);
}

static void append(struct output *output, const char *bytes, size_t size, enum format_kind kind)
{
    if (output->out_is_terminal && !output->is_raw)
        format_escaped(bytes, size, kind, &output->pending);
    else
        buffer_append(&output->pending, bytes, size);
}

void output_name(struct output *output, const char *name)
{
    append(output, name, strlen(name), FORMAT_NAME);
}

void output_data(struct output *output, const void *bytes, size_t size)
{
    append(output, bytes, size, FORMAT_DATA);
}

void output_take(struct output *output, struct buffer *text)
{
    output_data(output, buffer_string(text), text->size);
    buffer_release(text);
}

void output_json(struct output *output, json_t *value)
{
    json_print(value, &output->pending);
    buffer_append_byte(&output->pending, '\n');
    json_decref(value);
    output_flush_if_large(output);
}

static void write_locked(struct output *output, FILE *stream, const void *bytes, size_t size)
{
    mutex_lock(&output->lock);
    if (fwrite(bytes, 1, size, stream) != size || fflush(stream) != 0)
        output->is_broken = output->is_broken || stream == stdout;
    mutex_unlock(&output->lock);
}

void output_flush(struct output *output)
{
    if (output->pending.size == 0)
        return;
    if (output->before_write != NULL)
        output->before_write(output->context);
    write_locked(output, stdout, output->pending.bytes, output->pending.size);
    buffer_clear(&output->pending);
}

void output_flush_if_large(struct output *output)
{
    if (output->pending.size >= LARGE)
        output_flush(output);
}

void output_complain(struct output *output, const char *format, ...)
{
    struct buffer text = {0}, shown = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    if (output->error_is_terminal && !output->is_raw)
        format_escaped(buffer_string(&text), text.size, FORMAT_DATA, &shown);
    else
        buffer_append(&shown, buffer_string(&text), text.size);
    buffer_append_byte(&shown, '\n');
    output_flush(output);
    write_locked(output, stderr, shown.bytes, shown.size);
    buffer_release(&text);
    buffer_release(&shown);
}

void output_complain_raw(struct output *output, const char *text)
{
    output_flush(output);
    write_locked(output, stderr, text, strlen(text));
}

void output_event(struct output *output, const char *bytes, size_t size)
{
    write_locked(output, stdout, bytes, size);
}
