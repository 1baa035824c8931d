/*
 * zookeeper.h - talking to ZooKeeper from C and C++.
 *
 * Names, signatures, constants and layouts are those of ZooKeeper's own C binding, release 3.9.5: what was written or
 * built for that compiles, links and runs. What it lacks stands at the end of its group, marked "beyond the old
 * binding".
 *
 * -- Two libraries
 * libzookeeper_mt (cc -DTHREADED ... -lzookeeper_mt) has threads of its own: one sends and receives, one calls back. It
 * offers synchronous calls, which wait for the answer, and asynchronous ones, which begin with zoo_a and hand it to a
 * completion. libzookeeper_st (-lzookeeper_st, without THREADED) has no thread and no synchronous calls: the program's
 * own loop calls zookeeper_interest() and zookeeper_process(), and everything happens in there.
 *
 * -- Threads
 * In libzookeeper_mt every call may be made from any thread, on one handle by many at a time, also from watchers and
 * completions. Watchers and completions of a handle run one after the other on its event thread, in the order in which
 * the server did what they tell of; as long as one runs, no other of that handle does. A synchronous call works there,
 * but all others wait meanwhile. Synchronous calls have their answers at once, so these may overtake watchers and
 * completions that are still to run. In libzookeeper_st a handle belongs to one thread, watchers and completions run
 * within zookeeper_process() and zookeeper_interest(), and what was asked for goes out there, too.
 *
 * -- Paths
 * "/a/b": from the root, no '/' at the end, no part that is empty, "." or "..". Behind a chroot (see zookeeper_init())
 * they are counted from it, in both directions.
 *
 * -- Memory
 * What is passed in is copied before the call returns, unless its description says it is borrowed. What a watcher or a
 * completion is given belongs to the library and lasts until it returns. What a synchronous call puts into a
 * String_vector, ACL_vector or ClientInfo_vector is the caller's, who frees it with deallocate_String_vector() and so
 * on; after an error there is nothing in it to free. A `data` or `watcherCtx` is handed back as it is and never looked
 * at.
 *
 * -- Results
 * All functions that return int return ZOK (0) or an error of enum ZOO_ERRORS, and zerror() names it. An asynchronous
 * call that returns an error was not sent and its completion is not called; one that returns ZOK has its completion
 * called exactly once. These errors every call may return:
 *   ZBADARGUMENTS      zh or something that must not be NULL is, or a path cannot be
 *   ZINVALIDSTATE      the session expired, its authentication failed or the handle is closing: close it
 * and these every synchronous call and every completion (as `rc`):
 *   ZCONNECTIONLOSS    the connection broke before the answer came, or an attempt to connect failed; a write may have
 *                      been done or not
 *   ZMARSHALLINGERROR  the answer cannot be read
 *   ZOPERATIONTIMEOUT  no answer in time: that of the session, or of zoo_set_request_timeout()
 *   ZSESSIONEXPIRED    the server no longer knows the session
 *   ZSESSIONMOVED      the session went on at another server
 *   ZCLOSING           the handle was closed while the call was on its way
 *   ZNOAUTH            the node's ACL does not let this client do it
 *   ZTHROTTLEDOP       the server is overloaded and did nothing: try again
 *   ZNOTREADONLY       a write, on a server that only reads at the moment
 * Where more can happen the description says so.
 */
#ifndef ZOOKEEPER_H_
#define ZOOKEEPER_H_

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Define these before the first include for the calls that take types of OpenSSL or of Cyrus SASL. */
#if defined(HAVE_OPENSSL_H) || defined(ZKC_LIBRARY)
#include <openssl/ossl_typ.h>
#endif
#ifdef HAVE_CYRUS_SASL_H
#include <sasl/sasl.h>
#endif

#include "proto.h"
#include "recordio.h"
#include "zookeeper.jute.h"
#include "zookeeper_version.h"

#ifndef ZOOAPI
#define ZOOAPI
#endif

/* What calls return and completions get. */
enum ZOO_ERRORS {
    ZOK = 0,

    ZSYSTEMERROR = -1,              /* the system refused something; errno says what */
    ZRUNTIMEINCONSISTENCY = -2,     /* an answer that does not fit what was asked */
    ZDATAINCONSISTENCY = -3,
    ZCONNECTIONLOSS = -4,
    ZMARSHALLINGERROR = -5,         /* bytes that are no record, or too many of them */
    ZUNIMPLEMENTED = -6,            /* not known here, or to the server */
    ZOPERATIONTIMEOUT = -7,
    ZBADARGUMENTS = -8,
    ZINVALIDSTATE = -9,
    ZNEWCONFIGNOQUORUM = -13,       /* reconfig: too few of the new servers are up to date */
    ZRECONFIGINPROGRESS = -14,      /* reconfig: another one has not ended yet */
    ZSSLCONNECTIONERROR = -15,      /* TLS with the server failed */

    ZAPIERROR = -100,               /* none itself: above it are errors of the way there, below of nodes and sessions */
    ZNONODE = -101,
    ZNOAUTH = -102,
    ZBADVERSION = -103,             /* the node has another version than the one expected */
    ZNOCHILDRENFOREPHEMERALS = -108,
    ZNODEEXISTS = -110,
    ZNOTEMPTY = -111,               /* a node with children cannot be deleted */
    ZSESSIONEXPIRED = -112,
    ZINVALIDCALLBACK = -113,
    ZINVALIDACL = -114,             /* an ACL that is empty, or not one the server can read */
    ZAUTHFAILED = -115,
    ZCLOSING = -116,
    ZNOTHING = -117,                /* no error: there was nothing to process */
    ZSESSIONMOVED = -118,
    ZNOTREADONLY = -119,
    ZEPHEMERALONLOCALSESSION = -120,
    ZNOWATCHER = -121,              /* no such watch is set */
    ZRECONFIGDISABLED = -123,       /* reconfig: not enabled on the server */
    ZSESSIONCLOSEDREQUIRESASLAUTH = -124,
    ZTHROTTLEDOP = -127
};

#ifdef __cplusplus
extern "C" {
#endif

/* ---- constants ---- */

/* How much is logged: lines of this level and of those before it. */
typedef enum {
    ZOO_LOG_LEVEL_ERROR = 1,
    ZOO_LOG_LEVEL_WARN = 2,
    ZOO_LOG_LEVEL_INFO = 3,
    ZOO_LOG_LEVEL_DEBUG = 4
} ZooLogLevel;

/* What an entry of an ACL permits, a sum of these. */
extern ZOOAPI const int ZOO_PERM_READ;      /* 1: read the data and list the children */
extern ZOOAPI const int ZOO_PERM_WRITE;     /* 2: set the data */
extern ZOOAPI const int ZOO_PERM_CREATE;    /* 4: create children */
extern ZOOAPI const int ZOO_PERM_DELETE;    /* 8: delete children */
extern ZOOAPI const int ZOO_PERM_ADMIN;     /* 16: set the ACL */
extern ZOOAPI const int ZOO_PERM_ALL;       /* 31 */

/* Where the servers keep the configuration of their ensemble. */
#define ZOO_CONFIG_NODE "/zookeeper/config"

/* Flags of zookeeper_init(). */
#define ZOO_READONLY 1             /* also accept a server that is cut off from its quorum and only reads */
#define ZOO_NO_LOG_CLIENTENV 2     /* do not log the environment of the program */
#define ZOO_SSL_VERIFY_HOST 4      /* the name of the server must be one of its certificate's; zookeeper_init_ssl() */

/* Everybody; and whoever this client has authenticated as, which stands only in ACLs that are set. */
extern ZOOAPI struct Id ZOO_ANYONE_ID_UNSAFE;
extern ZOOAPI struct Id ZOO_AUTH_IDS;

extern ZOOAPI struct ACL_vector ZOO_OPEN_ACL_UNSAFE;    /* everybody may do everything */
extern ZOOAPI struct ACL_vector ZOO_READ_ACL_UNSAFE;    /* everybody may read */
extern ZOOAPI struct ACL_vector ZOO_CREATOR_ALL_ACL;    /* whoever creates the node may do everything, others nothing */

/* What zookeeper_interest() asks for and zookeeper_process() is told, a sum of these. */
extern ZOOAPI const int ZOOKEEPER_WRITE;    /* 1: can be written */
extern ZOOAPI const int ZOOKEEPER_READ;     /* 2: can be read */

/*
 * What kind of node to create: exactly one. An ephemeral node goes when the session that created it ends; a sequential
 * one has ten digits put behind its name, counted up by its parent; a container goes some time after its last child; a
 * node with a time to live goes when it had no child and was not set for that long.
 */
extern ZOOAPI const int ZOO_PERSISTENT;                        /* 0 */
extern ZOOAPI const int ZOO_EPHEMERAL;                         /* 1 */
extern ZOOAPI const int ZOO_PERSISTENT_SEQUENTIAL;             /* 2 */
extern ZOOAPI const int ZOO_EPHEMERAL_SEQUENTIAL;              /* 3 */
extern ZOOAPI const int ZOO_CONTAINER;                         /* 4 */
extern ZOOAPI const int ZOO_PERSISTENT_WITH_TTL;               /* 5 */
extern ZOOAPI const int ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL;    /* 6 */
extern ZOOAPI const int ZOO_SEQUENCE;                          /* 2, of old, to be added to ZOO_EPHEMERAL */

/* What a session is at: zoo_state(), and the third argument of a watcher. After a negative one only closing is left. */
extern ZOOAPI const int ZOO_EXPIRED_SESSION_STATE;    /* -112: the servers gave the session up */
extern ZOOAPI const int ZOO_AUTH_FAILED_STATE;        /* -113: what zoo_add_auth() or TLS showed was refused */
extern ZOOAPI const int ZOO_CONNECTING_STATE;         /* 1: looking for a server */
extern ZOOAPI const int ZOO_ASSOCIATING_STATE;        /* 2: connected, the session not yet confirmed */
extern ZOOAPI const int ZOO_CONNECTED_STATE;          /* 3 */
extern ZOOAPI const int ZOO_READONLY_STATE;           /* 5: connected to a server that only reads */
extern ZOOAPI const int ZOO_SSL_CONNECTING_STATE;     /* 7: within the handshake of TLS */
extern ZOOAPI const int ZOO_NOTCONNECTED_STATE;       /* 999: before the first attempt */

/* What happened: the second argument of a watcher. */
extern ZOOAPI const int ZOO_CREATED_EVENT;        /* 1: the node is there now; of an exists watch */
extern ZOOAPI const int ZOO_DELETED_EVENT;        /* 2: the node is gone; of every watch */
extern ZOOAPI const int ZOO_CHANGED_EVENT;        /* 3: its data was set; of exists and get watches */
extern ZOOAPI const int ZOO_CHILD_EVENT;          /* 4: its children are others; of get_children watches */
extern ZOOAPI const int ZOO_SESSION_EVENT;        /* -1: the state of the session changed; no watch is used up */
extern ZOOAPI const int ZOO_NOTWATCHING_EVENT;    /* -2: as in the old binding, nobody is told of it */

/* ---- types ---- */

/* A session and all that belongs to it; from zookeeper_init() to zookeeper_close(). */
typedef struct _zhandle zhandle_t;

/* Files that TLS needs: "ca,cert,key,password" taken apart. */
typedef struct _zcert {
    char *certstr;    /* the text; the others point into it */
    char *ca;         /* PEM files: whom to trust, */
    char *cert;       /* who we are, */
    char *key;        /* and its key, */
    char *passwd;     /* with this password */
} zcert_t;

/* A connection; its layout is public, its use is the library's. */
typedef struct _zsock {
    int sock;
    zcert_t *cert;
#if defined(HAVE_OPENSSL_H) || defined(ZKC_LIBRARY)
    SSL *ssl_sock;
    SSL_CTX *ssl_ctx;
#endif
} zsock_t;

/* What a server knows a session by. Keep it secret: who has both owns the session. To be handed to zookeeper_init(). */
typedef struct {
    int64_t client_id;
    char passwd[16];
} clientid_t;

/* One step of zoo_multi(); filled in by one of the zoo_..._op_init(). What its pointers point to is borrowed. */
typedef struct zoo_op {
    int type;    /* ZOO_CREATE_OP ... of proto.h */
    __extension__ union {
        struct {
            const char *path;
            const char *data;
            int datalen;
            char *buf;
            int buflen;
            const struct ACL_vector *acl;
            int flags;
            int64_t ttl;
        } create_op;
        struct {
            const char *path;
            int version;
        } delete_op;
        struct {
            const char *path;
            const char *data;
            int datalen;
            int version;
            struct Stat *stat;
        } set_op;
        struct {
            const char *path;
            int version;
        } check_op;
    };
} zoo_op_t;

/*
 * What became of one step of zoo_multi(). Where one step fails those before it are undone, with ZOK all the same, and
 * those behind it not tried, with ZRUNTIMEINCONSISTENCY.
 */
typedef struct zoo_op_result {
    int err;              /* ZOK, or why the step failed */
    char *value;          /* create: the buffer of the step, with the path that was created, terminated; NULL if not */
    int valuelen;         /* create: the size of that buffer, as it was given */
    struct Stat *stat;    /* set: that of the step, filled in; NULL if not */
} zoo_op_result_t;

/*
 * A watcher. Called with what happened (ZOO_..._EVENT), the state of the session (ZOO_..._STATE) and the path of the
 * node; for ZOO_SESSION_EVENT the path is "" and every watcher that is set hears of it. A watch fires once, then it has
 * to be set again, unless zoo_add_watch() set it. The same function with the same context on the same node is called
 * once however often it was set. Must not be NULL where a watch is to be set; see "Threads" for who calls it.
 */
typedef void (*watcher_fn)(zhandle_t *zh, int type, int state, const char *path, void *watcherCtx);

/* Gets log lines of a handle, without a newline. Called by any of the library's threads, by several at a time. */
typedef void (*log_callback_fn)(const char *message);

/*
 * Completions. `rc` is ZOK or an error; after an error all other arguments are NULL or 0, but for `data`, which is what
 * the call was given.
 */
typedef void (*void_completion_t)(int rc, const void *data);
typedef void (*stat_completion_t)(int rc, const struct Stat *stat, const void *data);
/* value_len bytes; -1 for a node whose data is null, `value` then is NULL. Not terminated. */
typedef void (*data_completion_t)(int rc, const char *value, int value_len, const struct Stat *stat, const void *data);
typedef void (*strings_completion_t)(int rc, const struct String_vector *strings, const void *data);
typedef void (*string_stat_completion_t)(int rc, const char *string, const struct Stat *stat, const void *data);
typedef void (*strings_stat_completion_t)(int rc, const struct String_vector *strings, const struct Stat *stat,
                                          const void *data);
typedef void (*string_completion_t)(int rc, const char *value, const void *data);
typedef void (*acl_completion_t)(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data);
/* Beyond the old binding. */
typedef void (*int_completion_t)(int rc, int value, const void *data);
typedef void (*client_infos_completion_t)(int rc, const struct ClientInfo_vector *infos, const void *data);

/* ---- a session from its beginning to its end ---- */

/*
 * Begins a session and returns at once; `fn` hears of ZOO_SESSION_EVENT with ZOO_CONNECTED_STATE when a server has
 * confirmed it. Calls made before that wait for it.
 *
 *   host          "one:2181,two,[::1]:2183/chroot": servers, tried in random order, port 2181 where none is given. A
 *                 path behind the last is where all paths of this handle start.
 *   fn            the watcher of the session, and of watches set by a flag; may be NULL
 *   recv_timeout  ms of silence after which the servers may give the session up; they bound what is asked for, and
 *                 zoo_recv_timeout() tells the outcome
 *   clientid      of zoo_client_id(), to go on with a session that is still there; NULL begins a new one. A session
 *                 that is gone ends in ZOO_EXPIRED_SESSION_STATE.
 *   context       what `fn` gets as watcherCtx; zoo_get_context()
 *   flags         ZOO_READONLY + ZOO_NO_LOG_CLIENTENV, or 0; with zookeeper_init_ssl() ZOO_SSL_VERIFY_HOST too
 *
 * NULL with errno set when there can be no handle: EINVAL for a `host` that makes no sense or a time-out that is not
 * above 0, ENOENT when none of the names can be found. Any thread. In libzookeeper_mt it starts the two threads of the
 * handle. After fork() a handle is the parent's: in the child calls return ZINVALIDSTATE, and zookeeper_close() tells
 * nobody.
 */
ZOOAPI zhandle_t *zookeeper_init(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid,
                                 void *context, int flags);

/*
 * The same, with a callback for the log lines of this handle, as zoo_set_log_callback() sets it; from the first line
 * on.
 */
ZOOAPI zhandle_t *zookeeper_init2(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid,
                                  void *context, int flags, log_callback_fn log_callback);

#if defined(HAVE_OPENSSL_H) || defined(ZKC_LIBRARY)
/*
 * The same over TLS. `cert` is "ca,cert,key,password": PEM files whom to trust, who we are and its key, and the
 * password of that; the last three may be left out. Without ZOO_SSL_VERIFY_HOST in the flags any server is talked to
 * that a trusted authority knows, whatever its name, as with the old binding.
 */
ZOOAPI zhandle_t *zookeeper_init_ssl(const char *host, const char *cert, watcher_fn fn, int recv_timeout,
                                     const clientid_t *clientid, void *context, int flags);
#endif

/* Closes the socket of a zsock_t and ends its TLS; its sock is -1 afterwards. For handles zookeeper_close() does it. */
ZOOAPI void close_zsock(zsock_t *zsock);

#if defined(HAVE_CYRUS_SASL_H) || defined(ZKC_LIBRARY)
#ifndef HAVE_CYRUS_SASL_H
typedef struct sasl_callback sasl_callback_t;
#endif

/*
 * How to authenticate with SASL, for zookeeper_init_sasl(). Texts are copied, the callbacks are borrowed by the handle.
 */
typedef struct zoo_sasl_params {
    const char *service;                  /* "zookeeper" */
    const char *host;                     /* name of the server, as its mechanism knows it */
    const char *mechlist;                 /* "GSSAPI,DIGEST-MD5" */
    const sasl_callback_t *callbacks;     /* as sasl_client_new() takes them */
} zoo_sasl_params_t;

/*
 * As zookeeper_init2(), and authenticates with SASL before anything else is sent; NULL for sasl_params does not. NULL
 * with errno ENOSYS where the library was built without SASL.
 */
ZOOAPI zhandle_t *zookeeper_init_sasl(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid,
                                      void *context, int flags, log_callback_fn log_callback,
                                      zoo_sasl_params_t *sasl_params);

/*
 * Callbacks that answer with these texts, each of which may be NULL; the password is the first line of that file. The
 * caller's, to be freed with free() once the handle is closed. NULL with errno ENOSYS without SASL.
 */
ZOOAPI sasl_callback_t *zoo_sasl_make_basic_callbacks(const char *user, const char *realm, const char *password_file);

/*
 * Makes a password of what a file holds: content_len bytes at `content`, into at most buf_len bytes at `buf`, how many
 * goes into *passwd_len. Returns SASL_OK, or SASL_BUFOVER and the like.
 */
typedef int (*zoo_sasl_password_callback_t)(const char *content, size_t content_len, void *context, char *buf,
                                            size_t buf_len, size_t *passwd_len);

/*
 * Where a password comes from: asked for on the terminal when nothing is set, the first line of a file, or made of it.
 */
typedef struct zoo_sasl_password {
    const char *password_file;
    void *context;                            /* for the callback */
    zoo_sasl_password_callback_t callback;    /* NULL: the first line is the password */
} zoo_sasl_password_t;

/* As zoo_sasl_make_basic_callbacks(); `password`, never NULL, is borrowed until the handle is closed. */
ZOOAPI sasl_callback_t *zoo_sasl_make_password_callbacks(const char *user, const char *realm,
                                                         zoo_sasl_password_t *password);
#endif

/*
 * Ends the session and frees the handle. What was sent before is answered first; waits for that and for the answer to
 * the end of the session, 3 s at most. Whoever has no answer then gets ZCLOSING, synchronous calls of other threads
 * return it, and the server ends the session by its time-out. May be called from a watcher or completion of the handle,
 * which then is freed once that returns. After it the handle must not be used. ZOK; ZINVALIDSTATE: another thread is
 * about it.
 */
ZOOAPI int zookeeper_close(zhandle_t *zh);

/*
 * Replaces the list of servers; `hosts` as for zookeeper_init(), without a chroot. The connection is given up for
 * another one when its server is no longer there, or at random, so that all clients of the old list spread evenly over
 * the new one; the session goes on. Blocks while names are looked up. ZBADARGUMENTS: the list makes no sense; the old
 * one stays.
 */
ZOOAPI int zoo_set_servers(zhandle_t *zh, const char *hosts);

/*
 * Names are looked up again whenever a connection is sought, once a second at most. With a delay of 0 or more also
 * while there is one, so many milliseconds apart; -1, at first, not. ZBADARGUMENTS below -1.
 */
ZOOAPI int zoo_set_servers_resolution_delay(zhandle_t *zh, int delay_ms);

/* The next attempt to connect takes the next server of the list; the connection there is stays. For tests. */
ZOOAPI void zoo_cycle_next_server(zhandle_t *zh);

/*
 * "127.0.0.1:2181" of the server we are connected or connecting to, or last were; "" before the first. Good until this
 * thread asks again, of whatever handle.
 */
ZOOAPI const char *zoo_get_current_server(zhandle_t *zh);

/*
 * Id and password of the session, the handle's, to be copied if they are to outlive it. All zero before the session is
 * there.
 */
ZOOAPI const clientid_t *zoo_client_id(zhandle_t *zh);

/* The session's time-out in ms as the server set it; another server may set another one. */
ZOOAPI int zoo_recv_timeout(zhandle_t *zh);

/* What the watcher of the session gets as watcherCtx. */
ZOOAPI const void *zoo_get_context(zhandle_t *zh);
ZOOAPI void zoo_set_context(zhandle_t *zh, void *context);

/*
 * Another watcher for the session; the one before is returned. Watches set by a flag keep the one they were set with.
 */
ZOOAPI watcher_fn zoo_set_watcher(zhandle_t *zh, watcher_fn newFn);

/*
 * The address of the server, into *addr_len bytes at `addr`, as getpeername() does. Returns `addr`, NULL while there is
 * no connection.
 */
ZOOAPI struct sockaddr *zookeeper_get_connected_host(zhandle_t *zh, struct sockaddr *addr, socklen_t *addr_len);

/* ZOO_..._STATE, or 0 between two connections. */
ZOOAPI int zoo_state(zhandle_t *zh);

/* ZINVALIDSTATE when only closing is left, because the session expired or its authentication failed; otherwise ZOK. */
ZOOAPI int is_unrecoverable(zhandle_t *zh);

/*
 * Who we are: `certLen` bytes at `cert` for a scheme ("digest": "user:password"). Shown to every server connected to
 * from now on, also when there is none yet; several add up. completion: ZOK, or ZAUTHFAILED, with which the state is
 * ZOO_AUTH_FAILED_STATE and the session over; or what became of the connection before there was an answer, the
 * credentials are shown again then. `completion` may be NULL. ZINVALIDSTATE also between two connections.
 */
ZOOAPI int zoo_add_auth(zhandle_t *zh, const char *scheme, const char *cert, int certLen, void_completion_t completion,
                        const void *data);

/* Non-zero: handles made from now on try their servers in the order of the list. One for the process; for tests. */
ZOOAPI void zoo_deterministic_conn_order(int yesOrNo);

/*
 * Beyond the old binding: no call on this handle takes longer than timeout_ms, those made from now on; then it ends
 * with ZOPERATIONTIMEOUT, and an answer that comes later is thrown away. 0, at first: the session's time-out alone.
 * ZBADARGUMENTS below 0.
 */
ZOOAPI int zoo_set_request_timeout(zhandle_t *zh, int timeout_ms);

/* Beyond the old binding: ZOO_VERSION as the library was built with; static. */
ZOOAPI const char *zoo_version_str(void);

#if !defined(THREADED) || defined(ZKC_LIBRARY)
/* ---- the loop of a program without threads ---- */

/*
 * What to wait for: *fd, -1 when there is nothing to wait for but time; *interest, a sum of ZOOKEEPER_READ and
 * ZOOKEEPER_WRITE; and *tv, how long at most, for select() or poll(). Connects, pings and gives up when it is time to,
 * so it is to be called before every wait. ZOPERATIONTIMEOUT: the server was silent for two thirds of the session's
 * time-out and the connection is given up; ZCONNECTIONLOSS: none could be made; both are no reason to stop calling.
 */
ZOOAPI int zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv);

/*
 * Reads and writes what can be, and calls watchers and completions. `events` is what the wait found, a sum as above, 0
 * when it ended by time. ZNOTHING: there was nothing to read. ZSESSIONEXPIRED, ZAUTHFAILED: the session is over.
 */
ZOOAPI int zookeeper_process(zhandle_t *zh, int events);
#endif

/* ---- asynchronous calls ---- */

/*
 * Creates a node with `valuelen` bytes at `value`; -1 and NULL for a node whose data is null. `mode` is what kind of
 * node, see ZOO_PERSISTENT. The completion gets the path, of a sequential node with its digits. ZNODEEXISTS; ZNONODE:
 * no parent; ZNOCHILDRENFOREPHEMERALS: the parent is ephemeral; ZINVALIDACL; ZBADARGUMENTS: a mode that wants a time to
 * live.
 */
ZOOAPI int zoo_acreate(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                       int mode, string_completion_t completion, const void *data);
/* The same; `ttl` is the time to live in ms, from 1 to 2^40 - 1, for the two modes that have one, and -1 for others. */
ZOOAPI int zoo_acreate_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                           const struct ACL_vector *acl, int mode, int64_t ttl, string_completion_t completion,
                           const void *data);
/* As zoo_acreate() and zoo_acreate_ttl(); the completion also gets the new node's Stat. */
ZOOAPI int zoo_acreate2(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                        int mode, string_stat_completion_t completion, const void *data);
ZOOAPI int zoo_acreate2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                            const struct ACL_vector *acl, int mode, int64_t ttl, string_stat_completion_t completion,
                            const void *data);

/* Deletes a node that has this version, -1 for any. ZNONODE, ZBADVERSION, ZNOTEMPTY: it has children. */
ZOOAPI int zoo_adelete(zhandle_t *zh, const char *path, int version, void_completion_t completion, const void *data);

/*
 * Is there such a node? ZOK with its Stat, or ZNONODE. `watch` non-zero sets a watch with the watcher of the session;
 * it is set in both cases and fires when the node is created, set or deleted.
 */
ZOOAPI int zoo_aexists(zhandle_t *zh, const char *path, int watch, stat_completion_t completion, const void *data);
/* The same with a watcher of its own; NULL sets no watch. */
ZOOAPI int zoo_awexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                        stat_completion_t completion, const void *data);

/* The data of a node. ZNONODE. The watch is set only with ZOK; it fires when the node is set or deleted. */
ZOOAPI int zoo_aget(zhandle_t *zh, const char *path, int watch, data_completion_t completion, const void *data);
ZOOAPI int zoo_awget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                     data_completion_t completion, const void *data);

/*
 * The configuration of the ensemble, as the server last heard of it: the data of ZOO_CONFIG_NODE, outside any chroot.
 */
ZOOAPI int zoo_agetconfig(zhandle_t *zh, int watch, data_completion_t completion, const void *data);
ZOOAPI int zoo_awgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, data_completion_t completion,
                           const void *data);

/*
 * Changes who is in the ensemble; the completion gets the new configuration. Either by steps, `joining`
 * ("server.5=host:2888:3888;2181,..."), `leaving` ("3,4") or both, or as a whole by `members`, in the form of
 * `joining`; the others NULL. `version` is that of the configuration to start from, -1 for any. ZBADVERSION;
 * ZNEWCONFIGNOQUORUM; ZRECONFIGINPROGRESS; ZRECONFIGDISABLED; ZBADARGUMENTS: what comes out of it can be no ensemble.
 */
ZOOAPI int zoo_areconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                         data_completion_t dc, const void *data);

/*
 * Sets the data of a node that has this version, -1 for any, to `buflen` bytes at `buffer`; -1 and NULL make it null.
 * ZNONODE, ZBADVERSION.
 */
ZOOAPI int zoo_aset(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version,
                    stat_completion_t completion, const void *data);

/*
 * The names of the children of a node, without the path before them, in no order. ZNONODE. The watch fires when a child
 * is created or deleted, or the node itself is.
 */
ZOOAPI int zoo_aget_children(zhandle_t *zh, const char *path, int watch, strings_completion_t completion,
                             const void *data);
ZOOAPI int zoo_awget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                              strings_completion_t completion, const void *data);
/* The same, and the Stat of the node. */
ZOOAPI int zoo_aget_children2(zhandle_t *zh, const char *path, int watch, strings_stat_completion_t completion,
                              const void *data);
ZOOAPI int zoo_awget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                               strings_stat_completion_t completion, const void *data);

/*
 * Lets the server catch up with its leader: what is read after the completion is no older than this call. The
 * completion gets the path; the node need not exist.
 */
ZOOAPI int zoo_async(zhandle_t *zh, const char *path, string_completion_t completion, const void *data);

/* The ACL of a node. ZNONODE. */
ZOOAPI int zoo_aget_acl(zhandle_t *zh, const char *path, acl_completion_t completion, const void *data);
/* Sets the ACL of a node whose ACL has this version (Stat.aversion), -1 for any. ZNONODE, ZBADVERSION, ZINVALIDACL. */
ZOOAPI int zoo_aset_acl(zhandle_t *zh, const char *path, int version, struct ACL_vector *acl,
                        void_completion_t completion, const void *data);

/* ---- several writes as one ---- */

/*
 * Fill in one step of zoo_multi(). All they are given is borrowed until that has returned, or its completion was
 * called.
 *
 * Creates a node; arguments as for zoo_acreate(). The path, terminated and cut if need be, goes into `path_buffer_len`
 * bytes at `path_buffer`, and is at the same place in the result; 0 and NULL when nobody asks.
 */
ZOOAPI void zoo_create_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                               const struct ACL_vector *acl, int mode, char *path_buffer, int path_buffer_len);
/* The same, asked for with the request create2; what comes of it does not differ. */
ZOOAPI void zoo_create2_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                                const struct ACL_vector *acl, int mode, char *path_buffer, int path_buffer_len);
/* Deletes a node; version as for zoo_adelete(). */
ZOOAPI void zoo_delete_op_init(zoo_op_t *op, const char *path, int version);
/* Sets data, arguments as for zoo_aset(); *stat is filled in unless it is NULL. */
ZOOAPI void zoo_set_op_init(zoo_op_t *op, const char *path, const char *buffer, int buflen, int version,
                            struct Stat *stat);
/* Changes nothing, and fails with ZBADVERSION or ZNONODE unless the node has this version. */
ZOOAPI void zoo_check_op_init(zoo_op_t *op, const char *path, int version);

/*
 * Does all of `count` steps, or none. `results`, as many, is borrowed until the completion, before which it is filled
 * in. The completion gets ZOK, or the error of the step that failed. ZUNIMPLEMENTED: a step of another type than those
 * above.
 */
ZOOAPI int zoo_amulti(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results,
                      void_completion_t completion, const void *data);

/* Beyond the old binding: several reads as one, see zoo_amulti_read(). */
typedef struct zoo_read_op {
    int type;            /* ZOO_GETDATA_OP or ZOO_GETCHILDREN_OP */
    const char *path;    /* borrowed until the call has returned */
} zoo_read_op_t;

/* What one read found; what does not belong to its type is NULL or 0. */
typedef struct zoo_read_result {
    int err;                         /* ZOK, ZNONODE, ZNOAUTH; the others are not hurt by it */
    int type;                        /* as asked, also of one that failed */
    char *value;                     /* getData: the bytes, from malloc(), and a zero behind them; NULL for null */
    int valuelen;                    /* getData: how many; -1 for null */
    struct Stat stat;                /* getData */
    struct String_vector strings;    /* getChildren: their names */
} zoo_read_result_t;

/* The results last until it returns. */
typedef void (*read_results_completion_t)(int rc, int count, const zoo_read_result_t *results, const void *data);

/* Fill in one read: the data of a node; the names of its children. */
ZOOAPI void zoo_get_op_init(zoo_read_op_t *op, const char *path);
ZOOAPI void zoo_get_children_op_init(zoo_read_op_t *op, const char *path);
/*
 * Reads all of `count` in one request, from one state of the server. The completion gets ZOK also when single reads
 * failed, and as many results. ZUNIMPLEMENTED: a type that is none of the two.
 */
ZOOAPI int zoo_amulti_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, read_results_completion_t completion,
                           const void *data);
/* Frees what is in the results of zoo_multi_read(), not the array. Results that were never filled must be zero. */
ZOOAPI void zoo_free_read_results(int count, zoo_read_result_t *results);

/* ---- watches that stay, and watches that go ---- */

/* Which watches to remove. */
typedef enum {
    ZWATCHTYPE_CHILD = 1,                   /* of get_children */
    ZWATCHTYPE_DATA = 2,                    /* of get and exists */
    ZWATCHTYPE_ANY = 3,                     /* all of the node's */
    ZWATCHTYPE_PERSISTENT = 4,              /* beyond the old binding, and the next: of zoo_add_watch() */
    ZWATCHTYPE_PERSISTENT_RECURSIVE = 5
} ZooWatcherType;

/*
 * Removes a watch of a node, here and on the server: the one of this watcher with this context, or, when `watcher` is
 * NULL, all of this type. The server is asked to forget the watch with the last watcher of the path. `local` non-zero:
 * only here, at once, without a word to the server; the completion is not called then. ZNOWATCHER: none such is set
 * here. `completion` is the function itself, as a pointer to its type by a mistake that programs rely on: pass
 * (void_completion_t *)(void *)function.
 */
ZOOAPI int zoo_aremove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher,
                               void *watcherCtx, int local, void_completion_t *completion, const void *data);
/* The same with any watcher. */
ZOOAPI int zoo_aremove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local,
                                   void_completion_t *completion, const void *data);

/* Beyond the old binding: how zoo_add_watch() watches. */
typedef enum {
    ZOO_WATCH_PERSISTENT = 0,              /* the node: created, set, deleted, and its children */
    ZOO_WATCH_PERSISTENT_RECURSIVE = 1     /* the node and all below it: created, set, deleted */
} ZooAddWatchMode;

/*
 * Sets a watch that fires every time, until it is removed; the node need not exist. It survives reconnects, during
 * which changes are not told of. ZUNIMPLEMENTED: a server before 3.6.
 */
ZOOAPI int zoo_aadd_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, watcher_fn watcher, void *watcherCtx,
                          void_completion_t completion, const void *data);

/* ---- beyond the old binding: what servers know ---- */

/* The paths of the session's ephemeral nodes that begin with `prefix_path`; "/" for all. */
ZOOAPI int zoo_aget_ephemerals(zhandle_t *zh, const char *prefix_path, strings_completion_t completion,
                               const void *data);
/* How many nodes there are below a node, at any depth. ZNONODE. */
ZOOAPI int zoo_aget_all_children_number(zhandle_t *zh, const char *path, int_completion_t completion,
                                        const void *data);
/* Who the server takes us for: schemes and names, "ip" always among them. */
ZOOAPI int zoo_awhoami(zhandle_t *zh, client_infos_completion_t completion, const void *data);

/* ---- errors and the log ---- */

/* The text of an error; for a positive number that of errno. Static, or strerror()'s. Never NULL. Any thread. */
ZOOAPI const char *zerror(int c);

/* How much is logged, ZOO_LOG_LEVEL_INFO at first; 0: nothing; beyond the last: all. One for the process. */
ZOOAPI void zoo_set_debug_level(ZooLogLevel level);

/* Where lines of handles without a callback go, borrowed; NULL: standard error, as at first. One for the process. */
ZOOAPI void zoo_set_log_stream(FILE *stream);

/* Where lines of this handle go; NULL: to the stream. */
ZOOAPI log_callback_fn zoo_get_log_callback(const zhandle_t *zh);
ZOOAPI void zoo_set_log_callback(zhandle_t *zh, log_callback_fn callback);

#if defined(THREADED) || defined(ZKC_LIBRARY)
/* ---- synchronous calls ---- */

/*
 * Each does what its asynchronous sister does and waits for the answer; it returns what that returns, or what its
 * completion would get. Not from a watcher or completion of the same handle. A `stat` may be NULL.
 */

/*
 * The path of the new node goes into `path_buffer_len` bytes at `path_buffer`, terminated and cut if need be, which
 * does not touch the node; 0 and NULL when nobody asks.
 */
ZOOAPI int zoo_create(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                      int mode, char *path_buffer, int path_buffer_len);
ZOOAPI int zoo_create_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                          const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer, int path_buffer_len);
ZOOAPI int zoo_create2(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                       int mode, char *path_buffer, int path_buffer_len, struct Stat *stat);
ZOOAPI int zoo_create2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                           const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer, int path_buffer_len,
                           struct Stat *stat);

ZOOAPI int zoo_delete(zhandle_t *zh, const char *path, int version);

ZOOAPI int zoo_exists(zhandle_t *zh, const char *path, int watch, struct Stat *stat);
ZOOAPI int zoo_wexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, struct Stat *stat);

/*
 * *buffer_len is how many bytes `buffer` has, and afterwards how many of them are data, -1 for a node whose data is
 * null. Data that is longer is cut; stat->dataLength tells how much there is. Not terminated.
 */
ZOOAPI int zoo_get(zhandle_t *zh, const char *path, int watch, char *buffer, int *buffer_len, struct Stat *stat);
ZOOAPI int zoo_wget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, char *buffer,
                    int *buffer_len, struct Stat *stat);
ZOOAPI int zoo_getconfig(zhandle_t *zh, int watch, char *buffer, int *buffer_len, struct Stat *stat);
ZOOAPI int zoo_wgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, char *buffer, int *buffer_len,
                          struct Stat *stat);
ZOOAPI int zoo_reconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                        char *buffer, int *buffer_len, struct Stat *stat);

ZOOAPI int zoo_set(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version);
/* The same, and the Stat that comes of it. */
ZOOAPI int zoo_set2(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version, struct Stat *stat);

/* *strings is the caller's afterwards, for deallocate_String_vector(). */
ZOOAPI int zoo_get_children(zhandle_t *zh, const char *path, int watch, struct String_vector *strings);
ZOOAPI int zoo_wget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                             struct String_vector *strings);
ZOOAPI int zoo_get_children2(zhandle_t *zh, const char *path, int watch, struct String_vector *strings,
                             struct Stat *stat);
ZOOAPI int zoo_wget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                              struct String_vector *strings, struct Stat *stat);

/* *acl is the caller's afterwards, for deallocate_ACL_vector(). */
ZOOAPI int zoo_get_acl(zhandle_t *zh, const char *path, struct ACL_vector *acl, struct Stat *stat);
ZOOAPI int zoo_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl);

/* The results are filled in also when a step failed and this returns its error. */
ZOOAPI int zoo_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results);

ZOOAPI int zoo_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher,
                              void *watcherCtx, int local);

/* Beyond the old binding. What the results hold is the caller's afterwards, for zoo_free_read_results(). */
ZOOAPI int zoo_multi_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, zoo_read_result_t *results);
ZOOAPI int zoo_add_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, watcher_fn watcher, void *watcherCtx);
ZOOAPI int zoo_get_ephemerals(zhandle_t *zh, const char *prefix_path, struct String_vector *strings);
ZOOAPI int zoo_get_all_children_number(zhandle_t *zh, const char *path, int *number);
ZOOAPI int zoo_whoami(zhandle_t *zh, struct ClientInfo_vector *infos);
ZOOAPI int zoo_sync(zhandle_t *zh, const char *path);
#endif

/* Declared always, but like all synchronous calls only in libzookeeper_mt: zoo_aremove_all_watches() that waits. */
ZOOAPI int zoo_remove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local);

#ifdef __cplusplus
}
#endif

#endif
