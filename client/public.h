/*
 * zookeeper.h as the library itself includes it. The `struct buffer` of recordio.h is another one than that of common/:
 * it goes by the name of recordio_buffer in here, which neither changes its layout nor any symbol.
 *
 * The shared libraries are compiled with everything hidden; what is declared between the pragmas is not.
 */
#ifndef ZKC_CLIENT_PUBLIC_H
#define ZKC_CLIENT_PUBLIC_H

#define ZKC_LIBRARY    /* what THREADED shows and what it hides, both */
#define buffer recordio_buffer
#pragma GCC visibility push(default)
#include "client/zookeeper.h"

/* In no header, but exported by the old libraries, so that a program may have found them. */
int zoo_lock_auth(zhandle_t *zh);
int zoo_unlock_auth(zhandle_t *zh);

#pragma GCC visibility pop
#undef buffer

#endif
