/* sim_trace.c - what happened, for a person to read and as a number to compare; and the verdict. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/world.h"

#define LINE_SIZE 1024
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static FILE *stream;
static uint64_t hash;
static char verdict[LINE_SIZE];

static void mix(uint64_t value)
{
    hash = (hash ^ value) * FNV_PRIME;
}

void trace_begin(void)
{
    hash = FNV_OFFSET;
    verdict[0] = '\0';
}

void trace_choice(uint32_t fibre)
{
    mix((uint64_t)sim_now_ns() << 20 ^ fibre);
}

void sim_trace_to(void *to)
{
    stream = to;
}

bool sim_trace_is_on(void)
{
    return stream != NULL;
}

uint64_t sim_trace_hash(void)
{
    return hash;
}

static void write_line(const char *mark, const char *text)
{
    const struct sim_node *node = sim_current_node();
    const struct sim_fibre *fibre = sim_current();
    int64_t us = sim_now_ns() / SIM_US;
    fprintf(stream, "%6" PRId64 ".%06" PRId64 " %-8s %-28s %s%s\n", us / 1000000, us % 1000000,
            node != NULL ? node->name : "-", fibre != NULL ? fibre->name : "event", mark, text);
}

void sim_trace(const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (const char *at = text; *at != '\0'; at++)
        mix((unsigned char)*at);
    if (stream != NULL)
        write_line("", text);
}

void sim_trace_line(const char *format, ...)
{
    if (stream == NULL)
        return;
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write_line("", text);
}

void sim_violation(const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (verdict[0] == '\0')
        memcpy(verdict, text, sizeof(verdict));
    if (stream != NULL)
        write_line("VIOLATION: ", text);
}

const char *sim_verdict(void)
{
    return verdict[0] != '\0' ? verdict : NULL;
}
