/*
 * One server: states, submitting, start and shutdown. Mirrors ZooKeeperServer and, for one that stands alone,
 * ZooKeeperServerMain. Many may run in one process.
 *
 * Files, connections and counters last as long as the server; the role (which chain, which session tracker) comes and
 * goes: once for a server that stands alone, with every election for one of an ensemble (quorum_peer).
 *
 *   new -> load -> open port -> { startup(role) -> serving -> shutdown_role } ... -> close -> free
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
 * Opens the data directories; no thread, no port yet. `server_id` is myid, 0 for one that stands alone. Options and
 * hooks are borrowed (hooks may be NULL). On failure *ret_exit_code is the code for the process (exit_code.h).
 */
int zookeeper_server_new(const struct server_options *options, int64_t server_id, struct four_letter_hook *four_letter,
                         struct failure_hook *failure, struct zookeeper_server **ret_server, int *ret_exit_code,
                         struct error *error);

/* ---- one that stands alone, in one step each ---- */
/* Loads the data, binds, starts chain and threads; serving when it returns ZK_OK. After a failure only free it. */
int zookeeper_server_start(struct zookeeper_server *server, int *ret_exit_code, struct error *error);
/* In the order of ARCHITECTURE.md, "Coming down". Everything is joined when it returns. */
void zookeeper_server_shutdown(struct zookeeper_server *server);

/* ---- the steps ---- */
/* Restores tree and sessions; *ret_zxid is the last transaction. */
int zookeeper_server_load(struct zookeeper_server *server, int64_t *ret_zxid, struct error *error);
/* Binds the ports for clients, after reading what TLS needs: `address` NULL is clientPort and clientPortAddress of the
 * options, if there are; secureClientPort is always theirs. */
int zookeeper_server_bind(struct zookeeper_server *server, const struct address *address, struct error *error);
/* Another client port from now on, while it is open; connections stay. Without one nothing happens. */
int zookeeper_server_rebind(struct zookeeper_server *server, const struct address *address, struct error *error);
/* Accepts connections; until a role runs they are closed again, four-letter words are answered. */
void zookeeper_server_open(struct zookeeper_server *server);
/* No more connections come; those that are there go on. */
void zookeeper_server_stop_accepting(struct zookeeper_server *server);

/* How a role is set up and taken down, in place of overridden methods. On QuorumPeer's thread, or main's. */
struct role_life {
    /* createSessionTracker; not started. */
    struct session_tracker *(*create_session_tracker)(struct server_role *role, struct zookeeper_server *server);
    /* setupRequestProcessors: composes and starts the chain; the processor that clients' requests enter. */
    struct request_processor *(*setup_request_processors)(struct server_role *role, struct zookeeper_server *server);
    /* Everything of the chain and beside it, in the order of ARCHITECTURE.md; joined when it returns. */
    void (*shutdown_processors)(struct server_role *role);
    /* After nobody can be in them any more. */
    void (*free_processors)(struct server_role *role);
    bool has_session_tracker_thread;     /* one that expires sessions: start it */
    bool has_container_manager;
};
/* zks.createSessionTracker(): as soon as the data is settled, before startup; freed by shutdown_role. */
void zookeeper_server_create_session_tracker(struct zookeeper_server *server, struct server_role *role,
                                             const struct role_life *life);
/* startup(): chain, tracker, timers, then RUNNING. The session tracker is made here if it was not yet. */
void zookeeper_server_startup(struct zookeeper_server *server, struct server_role *role, const struct role_life *life);
/* No request enters any more, connections are closed (and gone when it returns), threads joined, processors freed. Does
 * nothing when no role was started. The tree stays; what is logged is durable. */
void zookeeper_server_shutdown_role(struct zookeeper_server *server);
/* Ends accepting, selectors and timers; after shutdown_role. */
void zookeeper_server_close(struct zookeeper_server *server);
void zookeeper_server_free(struct zookeeper_server *server);

/* Takes over from the options what may change while it runs. Main thread, after server_options_reload(). */
void zookeeper_server_reload(struct zookeeper_server *server);

/* ---- any thread, for roles, words and tests ---- */
enum server_state zookeeper_server_state(struct zookeeper_server *server);
bool zookeeper_server_is_running(struct zookeeper_server *server);
/* Runs, and for clients too: a leader may keep itself for its learners (leaderServes). */
bool zookeeper_server_takes_clients(struct zookeeper_server *server);
struct server_core *zookeeper_server_core(struct zookeeper_server *server);
/* The server a core is part of. */
struct zookeeper_server *zookeeper_server_of(struct server_core *core);
struct session_expirer *zookeeper_server_expirer(struct zookeeper_server *server);
/* The plain port's, or the secure port's; NULL where there is none. */
struct server_cnxn_factory *zookeeper_server_factory(struct zookeeper_server *server);
struct server_cnxn_factory *zookeeper_server_secure_factory(struct zookeeper_server *server);
int zookeeper_server_client_port(struct zookeeper_server *server);    /* as bound; -1 when there is none */
int zookeeper_server_secure_client_port(struct zookeeper_server *server);
int32_t zookeeper_server_min_session_timeout(struct zookeeper_server *server);
int32_t zookeeper_server_max_session_timeout(struct zookeeper_server *server);
size_t zookeeper_server_connection_count(struct zookeeper_server *server);
/* The odds at which a new session is refused now, 0 to 1. */
double zookeeper_server_connection_drop_chance(struct zookeeper_server *server);
int64_t zookeeper_server_outstanding_handshakes(struct zookeeper_server *server);    /* of TLS */
int64_t zookeeper_server_data_dir_size(struct zookeeper_server *server);
int64_t zookeeper_server_log_dir_size(struct zookeeper_server *server);

/* submitRequest: takes the reference; touches the session, refuses what no client may send, hands the rest to the
 * chain. */
void zookeeper_server_submit(struct zookeeper_server *server, struct request *request);
/* The same for what a role hands in behind the door (no gate, no touch): its chain's first processor is woken too. */
void zookeeper_server_flush(struct zookeeper_server *server);

/* reopenSession's answer, written at once: `is_valid`, or the session is gone. Any thread. */
void zookeeper_server_finish_session_init(struct zookeeper_server *server, struct server_cnxn *cnxn, bool is_valid);

#endif
