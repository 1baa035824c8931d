/*
 * Lines in Java's layout: "2026-01-31 03:12:07,512 [myid:1] - WARN  [SyncThread:1:FileTxnLog@214] - text".
 *
 * The one thing that belongs to the process and not to a server. The component is the name of the source file in the
 * manner of its Java class (file_txn_log.c is FileTxnLog). Control characters in the text are written as \xNN, so that
 * no peer can forge a line. Every call may be made from any thread.
 */
#ifndef ZKC_COMMON_BASE_LOG_H
#define ZKC_COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Sends lines to `path` (appended to) from now on; NULL is standard error, where they go at first. */
int log_open(const char *path, struct error *error);

/* Opens the path of log_open() anew, for log rotation; keeps the old file when that fails. */
int log_reopen(struct error *error);

/* Sets the level of one component ("FileTxnLog"), or the level of all others when component is NULL. INFO at first. */
void log_set_level(const char *component, enum log_level level);

/* Forgets the levels of single components. */
void log_reset_levels(void);

/* "TRACE" ... "OFF", in any case. False when it is none of them. */
bool log_level_parse(const char *text, enum log_level *ret_level);

/* What stands behind "myid:" in lines of this thread and of threads it starts; NULL or "" for none. Cut at 31 bytes. */
void log_set_myid(const char *myid);
const char *log_myid(void);

/* What stands before ':' in lines of this thread, "main" at first; borrowed until the next call. For thread.c. */
void log_set_thread_name(const char *name);
const char *log_thread_name(void);

/* True if a line of this level from this source file would be written; cheap enough for a hot path. */
bool log_enabled(enum log_level level, const char *file);

void log_write(enum log_level level, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define LOG_AT(level, ...) \
    do { \
        if (log_enabled((level), __FILE__)) \
            log_write((level), __FILE__, __LINE__, __VA_ARGS__); \
    } while (0)
#define log_trace(...) LOG_AT(LOG_TRACE, __VA_ARGS__)
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__)

/*
 * Keeps a peer from filling the log: at most `burst` lines an interval, then one that counts what was left out. Lives
 * in the struct of whoever logs; {0} is ready (10 lines a 10 s). Any thread.
 */
struct log_limiter {
    _Atomic int64_t window_start_ms;
    _Atomic uint32_t written;
    _Atomic uint32_t left_out;
};

/* True if a line may be written now; *ret_left_out is how many were not since the last that was. */
bool log_limiter_pass(struct log_limiter *limiter, uint32_t *ret_left_out);

#define log_warn_limited(limiter, format, ...) \
    do { \
        uint32_t log_left_out_; \
        if (log_limiter_pass((limiter), &log_left_out_)) { \
            log_warn(format, ##__VA_ARGS__); \
            if (log_left_out_ > 0) \
                log_warn("%u more lines like this were left out", log_left_out_); \
        } \
    } while (0)

#endif
