/*
 * Every option of a server, from zoo.cfg and from properties. Mirrors ServerConfig, the reading part of
 * QuorumPeerConfig, and the properties that are read all over a Java server.
 *
 * The rows stand in server_options.def; each makes a member here: tickTime is options->tick_time, and
 * zookeeper.nio.numSelectorThreads is options->nio_num_selector_threads. Numbers are int64_t, ratios double, switches
 * bool, texts char * (NULL when not set). Belongs to the main thread; others read what it hands them.
 */
#ifndef ZKC_SERVER_CONFIG_SERVER_OPTIONS_H
#define ZKC_SERVER_CONFIG_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/config/option.h"
#include "common/config/properties.h"

struct server_options {
#define OPTION(field, key, property, unit, ...) OPTION_MEMBER(field, unit)
#include "server/config/server_options.def"
#undef OPTION
    char *config_path;                  /* absolute; NULL when there is no file */
    int64_t myid;                       /* from the file myid in dataDir; -1 when there is none */
    struct properties servers;          /* server.N, group.N and weight.N as they were written */
    struct properties auth_providers;   /* authProvider.X, without "zookeeper." */
    struct properties metrics_provider; /* metricsProvider.X that have no row */
    struct properties unknown;          /* all other properties, with "zookeeper." where they came from the file */
};

/* The rows, in the order of the manual. */
extern const struct option server_option_table[];
extern const size_t server_option_count;

/* Defaults. Not yet derived: dataLogDir and the like are what they are when nothing is set. */
void server_options_init(struct server_options *options);
void server_options_release(struct server_options *options);

/*
 * Reads zoo.cfg at `path` (NULL: no file) over what is in `options`, which must be initialised, then `overrides`, the
 * -D of the command line (NULL: none), then derives what follows from the rest: dataLogDir from dataDir, the session
 * timeouts from tickTime, maxWriteQueuePollTime from flushDelay, the extra size from jute.maxbuffer, the lower ends of
 * autopurge.snapRetainCount and commitLogCount, and myid from its file, which must hold a number if there is a list of
 * servers.
 *
 * Keys are the ones of the file or, as in Java, properties without their "zookeeper."; an override may be written as
 * either, with or without "zookeeper.". A key that nobody knows is kept as property and warned of, with the nearest one
 * that is known. So is one that has no effect, with the reason, and one that is there twice. Overrides win; in Java the
 * file does.
 *
 * ZK_OK; ZK_NOT_FOUND, ZK_IO, ZK_TOO_LARGE for the file; ZK_BAD_CONFIG for what is in it, as
 * "/etc/zoo.cfg:12: tickTime=abc: must be a number of ms from 1 to 2147483647". After an error only
 * server_options_release() is permitted.
 */
int server_options_load(struct server_options *options, const char *path, const struct properties *overrides,
                        struct error *error);

/* The old form of the command line, PORT DATADIR [TICKTIME] [MAXCNXNS], in the place of a file. Otherwise as above;
 * `arguments` are these two to four. */
int server_options_load_old_form(struct server_options *options, int count, const char *const *arguments,
                                 const struct properties *overrides, struct error *error);

/*
 * What Java refuses at the start, in its order, as far as it concerns more than one option: SASL between servers half
 * switched on, no dataDir, an address without its port, no port for clients at all, minSessionTimeout above
 * maxSessionTimeout, servers in zoo.cfg beside a dynamicConfigFile. Also an unknown method of compression, which Java
 * takes for none, and what closes a server to strangers but is to come: SASL of clients, SASL and TLS between the
 * servers of a list. What that list says is quorum_peer_config's. ZK_OK or ZK_BAD_CONFIG.
 */
int server_options_validate(const struct server_options *options, struct error *error);

/*
 * Takes over from `fresh`, loaded anew, the options that may change while the server runs. One line for each that
 * differs is appended to *applied ("maxClientCnxns: 60 -> 100"), or to *needs_restart for those that may not, which
 * stay as they are.
 */
void server_options_reload(struct server_options *options, const struct server_options *fresh, struct buffer *applied,
                           struct buffer *needs_restart);

/* Everything that has a value, as lines of a zoo.cfg, with secrets as ***. */
void server_options_print(const struct server_options *options, struct buffer *out);

#endif
