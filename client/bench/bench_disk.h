/* How often a second a disk syncs: the bound for a server that acknowledges writes one by one. Main thread. */
#ifndef ZKC_CLIENT_BENCH_DISK_H
#define ZKC_CLIENT_BENCH_DISK_H

#include "client/bench/bench_options.h"
#include "common/base/buffer.h"

/* Appends blocks of the value's size to a new file in options->disk, syncs after each, for the duration. */
int bench_disk_run(const struct bench_options *options, struct buffer *out, struct error *error);

#endif
