/*
 * Whether an authority took a certificate back: asked by OCSP, over HTTP, of the responder that the certificate names.
 * Mirrors what Java's PKIXRevocationChecker does for ssl.ocsp. Blocks, so it is for a thread that may.
 */
#ifndef ZKC_COMMON_NET_OCSP_H
#define ZKC_COMMON_NET_OCSP_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/net/stream.h"

struct ocsp_question;    /* the certificates of one peer */

/* After the handshake; NULL when the peer showed no certificate. Independent of the stream from then on. */
struct ocsp_question *ocsp_question_new(struct stream *tls_stream);
/*
 * All of the chain but the authority that is trusted. ZK_OK: each is good. ZK_AUTH_FAILED: one was taken back, or its
 * responder does not know it, or what it says is not to be believed, or it names none (which is fine where revocation
 * lists are required, as those were looked at). ZK_IO, ZK_TIMED_OUT: the responder cannot be asked before the deadline
 * (elapsed ms). Any failure says why, and is no leave to let the peer in.
 */
int ocsp_question_ask(const struct ocsp_question *question, int64_t deadline_ms, struct error *error);
void ocsp_question_free(struct ocsp_question *question);    /* NULL is accepted */

#endif
