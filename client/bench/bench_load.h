/* A whole run: sessions, nodes, warm-up, what is measured, audit, and all of it taken away again. Main thread. */
#ifndef ZKC_CLIENT_BENCH_LOAD_H
#define ZKC_CLIENT_BENCH_LOAD_H

#include "client/bench/bench_options.h"
#include "common/base/buffer.h"

/*
 * The result goes to `out`, progress to standard error if that is a terminal. ZK_OK, with *ret_is_right false if an
 * answer was wrong, or a request lost; or why there is no result.
 */
int bench_load_run(const struct bench_options *options, struct buffer *out, bool *ret_is_right, struct error *error);

#endif
