/*
 * The TLS of a server's ports for clients: which keys and certificates are the present ones. Mirrors ClientX509Util,
 * and of X509Util the reloading. Any thread, except where said.
 */
#ifndef ZKC_SERVER_CNXN_SERVER_TLS_H
#define ZKC_SERVER_CNXN_SERVER_TLS_H

#include "common/base/error.h"
#include "common/net/tls_context.h"
#include "server/config/server_options.h"

struct server_tls;

/* Does a port of this server speak TLS. */
bool server_tls_is_wanted(const struct server_options *options);
/* Reads the files. ZK_BAD_CONFIG: the ssl.* options or what is in their files cannot be used, it says which and why. */
int server_tls_new(const struct server_options *options, struct server_tls **ret_tls, struct error *error);
/* Are responders to be asked about the certificates of clients. */
bool server_tls_asks_responders(const struct server_tls *tls);
/* For one who asks this server something over its own port: shows its certificate, and trusts whom it trusts. Errors as
 * above. */
int server_tls_new_client_context(const struct server_options *options, struct tls_context **ret_context,
                                  struct error *error);
/* The present context, a reference: for the next connection. */
struct tls_context *server_tls_context(struct server_tls *tls);
/*
 * Takes the paths and passwords of the options over and reads the files anew. What cannot be read leaves everything as
 * it was; both are logged. Connections that are there keep their context. Main thread.
 */
void server_tls_reload(struct server_tls *tls, const struct server_options *options);
/* Reads them anew whenever one of them has changed: thread "FileChangeWatcher". */
void server_tls_watch_files(struct server_tls *tls);
/* What the watcher does each second. True: there are other certificates now. */
bool server_tls_look_at_files(struct server_tls *tls);
void server_tls_free(struct server_tls *tls);    /* ends the watcher; NULL is accepted */

#endif
