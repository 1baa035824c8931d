/*
 * "host1:port1,host2:port2,[::1]:2181/chroot" taken apart. Mirrors ConnectStringParser. No look-up, no state; any
 * thread.
 */
#ifndef ZKC_CLIENT_CONNECT_STRING_H
#define ZKC_CLIENT_CONNECT_STRING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CONNECT_STRING_DEFAULT_PORT 2181

struct connect_host {
    char *host;       /* a name or an IP, an IPv6 one without its brackets */
    uint16_t port;
};
struct connect_string {
    struct connect_host *hosts;
    size_t count;     /* at least one */
    char *chroot;     /* "/app/one", never with a '/' at its end; NULL: none ("/" is none too) */
};

/*
 * Blanks around a host are ignored, a port that is missing is 2181. ZK_BAD_ARGUMENTS says what is wrong and where: no
 * host at all, a port that is no number from 1 to 65535, a bracket that does not close, a chroot that is no path.
 */
int connect_string_parse(const char *text, struct connect_string *ret_parsed, struct error *error);
void connect_string_release(struct connect_string *parsed);

#endif
