/* The command line of zkbench. No state; any thread. */
#ifndef ZKC_CLIENT_BENCH_OPTIONS_H
#define ZKC_CLIENT_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/bench/bench_mix.h"
#include "common/base/error.h"
#include "common/config/properties.h"

struct bench_options {
    char *server;                    /* "localhost:2181" when it is not given */
    char *client_configuration;      /* NULL: none */
    struct properties properties;    /* of -Dkey=value */
    int64_t timeout_ms;              /* of sessions */
    char *workload;
    struct bench_mix mix;
    int64_t sessions, depth, threads, nodes;
    int64_t size_least, size_most;
    int64_t duration_ms, warm_up_ms;
    int64_t requests;                /* 0: as many as fit into the duration */
    int64_t rate;                    /* requests a second; 0: as fast as they are answered */
    int64_t seed;                    /* 0: another each time */
    char *path;                      /* NULL: one of its own */
    bool keeps, is_json, is_quiet, tells_phases;
    int64_t echo_port;               /* 0: no echo server */
    char *disk;                      /* NULL: no disk is measured */
    bool wants_help, wants_version;
};

/* ZK_BAD_ARGUMENTS: *error names the option, what it got and what it takes. */
int bench_options_parse(int argc, char *const *argv, struct bench_options *ret_options, struct error *error);
void bench_options_release(struct bench_options *options);
/* The lines of --help. */
void bench_options_print(void);

#endif
