/*
 * One server: states, submitting, start and shutdown. Mirrors ZooKeeperServer and, for one that stands alone,
 * ZooKeeperServerMain. Many may run in one process.
 */
#ifndef ZKC_SERVER_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_ZOOKEEPER_SERVER_H

#include <stdbool.h>

#include "server/cnxn/server_cnxn_factory.h"
#include "server/request/exit_code.h"
#include "server/request/server_core.h"

enum server_state { SERVER_INITIAL, SERVER_RUNNING, SERVER_SHUTDOWN, SERVER_ERROR };

struct zookeeper_server;
/* Four-letter words, as the room above gives them; see packet_sink.h. */
struct four_letter_hook {
    bool (*handle)(struct four_letter_hook *self, struct zookeeper_server *server, struct server_cnxn *cnxn,
                   uint32_t word, struct slice rest);
};
/* Told, from any thread, that the server cannot go on and the process is to end with this code. */
struct failure_hook {
    void (*failed)(struct failure_hook *self, int exit_code);
};

/*
 * Opens the data directories; no thread, no port yet. Options and hooks are borrowed (hooks may be NULL). On failure
 * *ret_exit_code is the code for the process (exit_code.h).
 */
int zookeeper_server_new(const struct server_options *options, struct four_letter_hook *four_letter,
                         struct failure_hook *failure, struct zookeeper_server **ret_server, int *ret_exit_code,
                         struct error *error);
/* Loads the data, binds, starts chain and threads; serving when it returns ZK_OK. After a failure only free it. */
int zookeeper_server_start(struct zookeeper_server *server, int *ret_exit_code, struct error *error);
/* In the order of ARCHITECTURE.md, "Coming down". Everything is joined when it returns. */
void zookeeper_server_shutdown(struct zookeeper_server *server);
/* Takes over from the options what may change while it runs. Main thread, after server_options_reload(). */
void zookeeper_server_reload(struct zookeeper_server *server);
void zookeeper_server_free(struct zookeeper_server *server);

/* ---- any thread, for words and tests ---- */
enum server_state zookeeper_server_state(struct zookeeper_server *server);
bool zookeeper_server_is_running(struct zookeeper_server *server);
struct server_core *zookeeper_server_core(struct zookeeper_server *server);
/* The plain port's, or the secure port's; NULL where there is none. */
struct server_cnxn_factory *zookeeper_server_factory(struct zookeeper_server *server);
struct server_cnxn_factory *zookeeper_server_secure_factory(struct zookeeper_server *server);
int zookeeper_server_client_port(struct zookeeper_server *server);    /* as bound; -1 when there is none */
int zookeeper_server_secure_client_port(struct zookeeper_server *server);
int32_t zookeeper_server_min_session_timeout(struct zookeeper_server *server);
int32_t zookeeper_server_max_session_timeout(struct zookeeper_server *server);
size_t zookeeper_server_connection_count(struct zookeeper_server *server);
int64_t zookeeper_server_data_dir_size(struct zookeeper_server *server);
int64_t zookeeper_server_log_dir_size(struct zookeeper_server *server);

/* submitRequest: takes the reference; touches the session, refuses what no client may send, hands the rest to the chain. */
void zookeeper_server_submit(struct zookeeper_server *server, struct request *request);

#endif
