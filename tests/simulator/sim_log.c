/*
 * sim_log.c - common/base/log.h: lines go into the trace, marked with their level.
 *
 * A line is always made, or at least its arguments are, whether somebody reads the trace or not: what an argument calls
 * may be a switch point, and a seed must run alike both ways.
 */
#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/world.h"

#define TEXT_SIZE 900

static const char *const level_names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"};

int log_open(const char *path, struct error *error)
{
    (void)path;
    (void)error;
    return ZK_OK;
}

int log_reopen(struct error *error)
{
    (void)error;
    return ZK_OK;
}

void log_set_level(const char *component, enum log_level level)
{
    (void)component;
    (void)level;
}

void log_reset_levels(void)
{
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    (void)text;
    *ret_level = LOG_INFO;
    return true;
}

void log_set_myid(const char *myid)
{
    struct sim_fibre *fibre = sim_current();
    if (fibre != NULL)
        snprintf(fibre->myid, sizeof(fibre->myid), "%s", myid != NULL ? myid : "");
}

const char *log_myid(void)
{
    return sim_current() != NULL ? sim_current()->myid : "";
}

void log_set_thread_name(const char *name)
{
    struct sim_fibre *fibre = sim_current();
    if (fibre != NULL)
        snprintf(fibre->name, sizeof(fibre->name), "%s", name);
}

const char *log_thread_name(void)
{
    return sim_current() != NULL ? sim_current()->name : "main";
}

bool log_enabled(enum log_level level, const char *file)
{
    (void)file;
    return level >= LOG_INFO;
}

void log_write(enum log_level level, const char *file, int line, const char *format, ...)
{
    if (!sim_trace_is_on())
        return;
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *slash = strrchr(file, '/');
    (void)line;    /* of a statement of several lines compilers tell another one */
    sim_trace_line("%-5s %s %s", level_names[level], slash != NULL ? slash + 1 : file, text);
}

bool log_limiter_pass(struct log_limiter *limiter, uint32_t *ret_left_out)
{
    (void)limiter;
    *ret_left_out = 0;
    return true;
}
