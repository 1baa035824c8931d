/*
 * Log lines in the manner of the library, for programs that want theirs among them.
 *
 * A line is written when its level is at or below that of zoo_set_debug_level():
 *   2026-01-31 03:12:07,512:4711(0x7f0c6a7fc700):ZOO_WARN@function@214: text
 * with the process, the thread (only in the library with threads), the level, the function and the line that logs.
 */
#ifndef ZK_LOG_H_
#define ZK_LOG_H_

#include "zookeeper.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The level in force, 0 for none; zoo_set_debug_level() sets it. One for the process. */
extern ZOOAPI ZooLogLevel logLevel;

#define LOGCALLBACK(_zh) zoo_get_log_callback(_zh)
#define LOGSTREAM NULL    /* as a callback: lines go to the stream */

/* LOG_WARN(LOGCALLBACK(zh), "%d of them", count): nothing is evaluated when the level is not in force. */
#define LOG_ERROR(_cb, ...) LOG_MESSAGE_AT_(ZOO_LOG_LEVEL_ERROR, _cb, __VA_ARGS__)
#define LOG_WARN(_cb, ...) LOG_MESSAGE_AT_(ZOO_LOG_LEVEL_WARN, _cb, __VA_ARGS__)
#define LOG_INFO(_cb, ...) LOG_MESSAGE_AT_(ZOO_LOG_LEVEL_INFO, _cb, __VA_ARGS__)
#define LOG_DEBUG(_cb, ...) LOG_MESSAGE_AT_(ZOO_LOG_LEVEL_DEBUG, _cb, __VA_ARGS__)
#if defined(__GNUC__)
#define LOG_LEVEL_IN_FORCE_ __atomic_load_n(&logLevel, __ATOMIC_RELAXED)
#else
#define LOG_LEVEL_IN_FORCE_ logLevel
#endif
#define LOG_MESSAGE_AT_(level_, callback_, ...) \
    do { \
        if (LOG_LEVEL_IN_FORCE_ >= (level_)) \
            log_message((callback_), (level_), __LINE__, __func__, __VA_ARGS__); \
    } while (0)

/*
 * Writes one line whatever the level in force is: to `callback` without a newline, or, when that is NULL, to the stream
 * of zoo_set_log_stream() with one. Longer than 4095 bytes it is cut. Any thread.
 */
#ifdef ZKC_LIBRARY
__attribute__((format(printf, 5, 6)))    /* not for programs, whose old lines must go on compiling */
#endif
ZOOAPI void log_message(log_callback_fn callback, ZooLogLevel curLevel, int line, const char *funcName,
                        const char *format, ...);

/* The stream of zoo_set_log_stream(), borrowed; standard error when there was none. Any thread. */
ZOOAPI FILE *zoo_get_log_stream(void);

#ifdef __cplusplus
}
#endif

#endif
