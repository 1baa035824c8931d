/*
 * Log lines of the library: LOG_WARN(LOGCALLBACK(zh), "session 0x%" PRIx64 " is gone", id), and LOG_ERROR, LOG_INFO,
 * LOG_DEBUG. Without a handle: LOG_WARN(LOGSTREAM, ...). Any thread.
 *
 * zookeeper_log.h, which programs may include too, has them and log_message(); here it comes with its functions visible
 * from outside. The callback of a handle is the handle's: it is passed in with every line.
 */
#ifndef ZKC_CLIENT_CLIENT_LOG_H
#define ZKC_CLIENT_CLIENT_LOG_H

#include "client/public.h"

#pragma GCC visibility push(default)
#include "client/zookeeper_log.h"
#pragma GCC visibility pop

#endif
