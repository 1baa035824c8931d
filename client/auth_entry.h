/* What was given to zoo_add_auth(); sent anew with each connection. Mirrors ClientCnxn.AuthData. */
#ifndef ZKC_CLIENT_AUTH_ENTRY_H
#define ZKC_CLIENT_AUTH_ENTRY_H

#include "client/public.h"
#include "common/base/buffer.h"
#include "common/base/list.h"

struct auth_entry {
    struct list link;
    char *scheme;
    char *credentials;                /* NULL: none */
    int size;
    void_completion_t completion;     /* NULL: none, or it was called */
    const void *data;
};

struct auth_entry *auth_entry_new(const char *scheme, const char *credentials, int size, void_completion_t completion,
                                  const void *data);
void auth_entry_free(struct auth_entry *entry);    /* forgets the credentials */
/* A frame with xid -4. */
void auth_entry_write(const struct auth_entry *entry, struct buffer *out);

#endif
