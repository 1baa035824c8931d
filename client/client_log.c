/*
 * client_log.c - log lines, laid out as the old binding did, to a callback or a stream.
 *
 *   2026-01-31 03:12:07,512:4711(0x7f0c6a7fc700):ZOO_WARN@zookeeper_interest@214: text
 *
 * Level and stream belong to the process, because the interface has it so. A line is made on the stack and written in
 * one call, so lines of many threads do not mix.
 */
#include "client/client_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "client/flavour.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/thread/thread.h"

#define LINE_SIZE 4096
#define DATE_SIZE 32

ZooLogLevel logLevel = ZOO_LOG_LEVEL_INFO;
static FILE *_Atomic log_stream;    /* NULL: standard error */

static const char *const level_names[] = { "ZOO_INVALID", "ZOO_ERROR", "ZOO_WARN", "ZOO_INFO", "ZOO_DEBUG" };

static const char *level_name(ZooLogLevel level)
{
    return (size_t)level < ARRAY_SIZE(level_names) ? level_names[level] : level_names[0];
}

/* Returns its length. */
static size_t format_head(char line[LINE_SIZE], ZooLogLevel level, int line_number, const char *function)
{
    int64_t now_ms = clock_wall_ms();
    struct tm now;
    clock_local_time(now_ms, &now);
    char date[DATE_SIZE];
    if (strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &now) == 0)
        date[0] = '\0';
    char thread[DATE_SIZE] = "";
    if (flavour_has_threads)
        snprintf(thread, sizeof(thread), "(0x%jx)", (uintmax_t)thread_current_id());
    int size = snprintf(line, LINE_SIZE, "%s,%03d:%" PRId64 "%s:%s@%s@%d: ", date, (int)((now_ms % 1000 + 1000) % 1000),
                        process_id(), thread, level_name(level), function, line_number);
    return size < 0 ? 0 : size < LINE_SIZE ? (size_t)size : LINE_SIZE - 1;
}

FILE *zoo_get_log_stream(void)
{
    FILE *stream = atomic_load(&log_stream);
    return stream != NULL ? stream : stderr;
}

void zoo_set_log_stream(FILE *stream)
{
    atomic_store(&log_stream, stream);
}

void zoo_set_debug_level(ZooLogLevel level)
{
    __atomic_store_n(&logLevel, level <= ZOO_LOG_LEVEL_DEBUG ? level : ZOO_LOG_LEVEL_DEBUG, __ATOMIC_RELAXED);
}

void log_message(log_callback_fn callback, ZooLogLevel curLevel, int line, const char *funcName, const char *format,
                 ...)
{
    char text[LINE_SIZE];
    size_t size = format_head(text, curLevel, line, funcName);
    va_list args;
    va_start(args, format);
    if (vsnprintf(text + size, sizeof(text) - size, format, args) < 0)
        text[size] = '\0';
    va_end(args);
    if (callback != NULL) {
        callback(text);
        return;
    }
    FILE *stream = zoo_get_log_stream();
    fprintf(stream, "%s\n", text);
    fflush(stream);
}
