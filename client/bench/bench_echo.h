/*
 * A server that answers and keeps nothing: the same messages in and out as a ZooKeeper's, in one thread, with no tree
 * and no log. What it serves is the bound of the machine for reads.
 */
#ifndef ZKC_CLIENT_BENCH_ECHO_H
#define ZKC_CLIENT_BENCH_ECHO_H

#include "client/bench/bench_options.h"

/* Main thread; until SIGINT or SIGTERM. Listens on 127.0.0.1 alone. Fails only if it cannot listen. */
int bench_echo_run(const struct bench_options *options, struct error *error);

#endif
