/* zsock.c - the connection of zookeeper.h, for those who make one by themselves; no handle has any. */
#include <openssl/ssl.h>

#include "client/public.h"
#include "common/net/socket.h"

void close_zsock(zsock_t *zsock)
{
    if (zsock == NULL || zsock->sock == -1)
        return;
    if (zsock->cert != NULL) {    /* a program that knows nothing of TLS has a shorter struct */
        SSL_free(zsock->ssl_sock);
        SSL_CTX_free(zsock->ssl_ctx);
        zsock->ssl_sock = NULL;
        zsock->ssl_ctx = NULL;
    }
    socket_close(zsock->sock);
    zsock->sock = -1;
}
