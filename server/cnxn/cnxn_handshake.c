/*
 * cnxn_handshake.c - what happens to a connection before its first frame is read.
 *
 *   DETECTING --0x16--> STARTED --TLS, certificate--+------------------------+--> OVER --> frames
 *       |                                           '--ssl.ocsp--> CHECKING -'      |
 *       '--any other byte-----------------------------------------------------------'
 * A handshake counts as in progress from the moment its socket is accepted (accept_thread.c) until it is over, or the
 * connection is closed.
 * Departs from Java: a connection without TLS on a port that takes both is counted as one (non_mtls_*) when that is
 * known, not when it comes.
 */
#include "server/cnxn/cnxn_handshake.h"

#include <stdio.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/tls_stream.h"
#include "common/net/unified_stream.h"
#include "server/cnxn/certificate_checker.h"
#include "server/cnxn/server_cnxn_factory.h"
#include "server/cnxn/server_tls.h"

static struct factory_parts *parts_of(struct server_cnxn *cnxn)
{
    return server_cnxn_factory_parts(cnxn->factory);
}

static void count_plain(struct factory_parts *parts, const struct address *peer)
{
    struct server_stats *stats = parts->stats;
    atomic_fetch_add(address_is_loopback(peer) ? &stats->non_mtls_local_conn_count : &stats->non_mtls_remote_conn_count,
                     1);
}

struct stream *cnxn_handshake_new_stream(struct server_cnxn_factory *factory, int fd, const struct address *peer,
                                         enum handshake_state *ret_state)
{
    struct factory_parts *parts = server_cnxn_factory_parts(factory);
    char text[ADDRESS_TEXT_SIZE];
    *ret_state = HANDSHAKE_OVER;
    if (parts->tls == NULL) {
        count_plain(parts, peer);
        return stream_new_plain(fd);
    }
    address_format(peer, text);
    struct tls_context *context = server_tls_context(parts->tls);
    struct stream *stream = parts->is_unified ? stream_new_unified(fd, context, text)
                                              : stream_new_tls_server(fd, context, text);
    tls_context_unref(context);
    *ret_state = parts->is_unified ? HANDSHAKE_DETECTING : HANDSHAKE_STARTED;
    return stream;
}

static void finish(struct server_cnxn *cnxn)
{
    cnxn->handshake = HANDSHAKE_OVER;
    server_cnxn_factory_end_handshake(cnxn->factory);
}

static bool fail(struct server_cnxn *cnxn, const char *why)
{
    struct factory_parts *parts = parts_of(cnxn);
    log_warn_limited(&parts->failed_handshakes, "Unsuccessful handshake: %s", why);
    atomic_fetch_add(&parts->stats->auth_failed_count, 1);
    server_metrics_count(parts->metrics, METRIC_UNSUCCESSFUL_HANDSHAKE, 1);
    atomic_store(&cnxn->close_reason, DISCONNECT_FAILED_HANDSHAKE);
    return false;
}

static bool detect(struct server_cnxn *cnxn)
{
    bool is_tls;
    int err = stream_unified_settle(&cnxn->stream, &is_tls);
    if (err == ZK_AGAIN)
        return true;
    if (err != ZK_OK) {
        atomic_store(&cnxn->close_reason, DISCONNECT_UNABLE_TO_READ_FROM_CLIENT);
        return false;
    }
    if (is_tls) {
        cnxn->handshake = HANDSHAKE_STARTED;
    } else {
        count_plain(parts_of(cnxn), &cnxn->peer);
        finish(cnxn);
    }
    return true;
}

/* Who has a certificate gets its ids, whatever else it may prove later. */
static bool know(struct server_cnxn *cnxn)
{
    cnxn->is_secure = true;
    cnxn->certificate_name = stream_tls_peer_subject(cnxn->stream);
    if (cnxn->certificate_name == NULL || cnxn->sink->ops->process_certificate(cnxn->sink, cnxn) == ZK_OK)
        return true;
    atomic_fetch_add(&parts_of(cnxn)->stats->auth_failed_count, 1);
    atomic_store(&cnxn->close_reason, DISCONNECT_SASL_AUTH_FAILURE);    /* as Java calls it */
    return false;
}

/* A responder may take long: another thread asks it. */
static bool begin_check(struct server_cnxn *cnxn)
{
    struct certificate_checker *checker = parts_of(cnxn)->checker;
    if (checker == NULL)
        return false;
    cnxn->handshake = HANDSHAKE_CHECKING;
    certificate_checker_check(checker, cnxn);
    return true;
}

/* Has the responder been heard. */
static bool check(struct server_cnxn *cnxn)
{
    int verdict = atomic_load(&cnxn->certificate_verdict);
    if (verdict == ZK_AGAIN)
        return true;
    if (verdict != ZK_OK) {
        char peer[ADDRESS_TEXT_SIZE];
        address_format(&cnxn->peer, peer);
        return fail(cnxn, peer);    /* why has been logged */
    }
    finish(cnxn);
    return know(cnxn);
}

static bool shake_hands(struct server_cnxn *cnxn)
{
    struct error error = {0};
    int err = stream_tls_handshake(cnxn->stream, &error);
    if (err == ZK_AGAIN)
        return true;
    if (err != ZK_OK)
        return fail(cnxn, error.text);
    if (begin_check(cnxn))
        return check(cnxn);
    finish(cnxn);
    return know(cnxn);
}

bool cnxn_handshake_go_on(struct server_cnxn *cnxn)
{
    if (cnxn->handshake == HANDSHAKE_DETECTING && !detect(cnxn))
        return false;
    if (cnxn->handshake == HANDSHAKE_CHECKING)
        return check(cnxn);
    return cnxn->handshake != HANDSHAKE_STARTED || shake_hands(cnxn);
}

void cnxn_handshake_time_out(struct server_cnxn *cnxn)
{
    char peer[ADDRESS_TEXT_SIZE], why[ADDRESS_TEXT_SIZE + 64];
    address_format(&cnxn->peer, peer);
    snprintf(why, sizeof(why), "%s does not go on with it", peer);
    fail(cnxn, why);
}

void cnxn_handshake_abandon(struct server_cnxn *cnxn)
{
    if (cnxn->handshake != HANDSHAKE_OVER)
        finish(cnxn);
}
