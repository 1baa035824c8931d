/*
 * Where answers go: text or JSON to standard output, complaints to standard error, both without anything a terminal
 * would obey. The commands write from the main thread; events come from the thread of the library and stand between
 * answers, never inside one.
 */
#ifndef ZKC_CLIENT_CLI_OUTPUT_H
#define ZKC_CLIENT_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/cli/cli_format.h"
#include "common/base/buffer.h"
#include "common/thread/mutex.h"

struct output {
    struct buffer pending;             /* what the command has said so far; main thread */
    bool is_json, is_raw, is_quiet;    /* of the command that runs; main thread */
    bool out_is_terminal, error_is_terminal;
    _Atomic bool is_broken;            /* standard output takes no more */
    struct mutex lock;                 /* around each write */
    /* Called before an answer is written, so that what happened before it stands before it. */
    void (*before_write)(void *context);
    void *context;
};

void output_init(struct output *output, bool out_is_terminal, bool error_is_terminal);
void output_release(struct output *output);

/* Text of ours; names and data of nodes go through the two below it. */
void output_printf(struct output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
void output_name(struct output *output, const char *name);
void output_data(struct output *output, const void *bytes, size_t size);
/* What a formatter put there, line ends and all; releases the buffer. */
void output_take(struct output *output, struct buffer *text);
/* One line of JSON; takes the value over. */
void output_json(struct output *output, json_t *value);
/* Writes what is pending; called when a command ends, and by the long ones now and then. */
void output_flush(struct output *output);
/* Has enough been said that it should be written? Then output_flush() does that. */
void output_flush_if_large(struct output *output);

/* A line for standard error, behind what is pending; names in it are made safe. */
void output_complain(struct output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Lines of usage, as they are. */
void output_complain_raw(struct output *output, const char *text);
/* From any thread: straight to standard output. */
void output_event(struct output *output, const char *bytes, size_t size);

#endif
