/*
 * Asks responders of OCSP about the certificates of clients, so that no selector waits for them. Any thread.
 */
#ifndef ZKC_SERVER_CNXN_CERTIFICATE_CHECKER_H
#define ZKC_SERVER_CNXN_CERTIFICATE_CHECKER_H

#include "server/cnxn/server_cnxn.h"

struct certificate_checker;
/* Threads "CertificateChecker-<n>". */
struct certificate_checker *certificate_checker_start(void);
/* What is not asked yet is not asked any more; one answer that is waited for may take up to its deadline. NULL is
 * accepted. While the selectors are there, if not their threads. */
void certificate_checker_stop(struct certificate_checker *checker);
/* By its selector, or worker, after the handshake: sets cnxn->certificate_verdict, at once where the peer showed no
 * certificate or too many wait, else later, and puts the connection on Q7 then. Never blocks. */
void certificate_checker_check(struct certificate_checker *checker, struct server_cnxn *cnxn);

#endif
