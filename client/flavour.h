/* Which of the two libraries this is; all else they differ in stands in mt_adaptor.c and st_adaptor.c. */
#ifndef ZKC_CLIENT_FLAVOUR_H
#define ZKC_CLIENT_FLAVOUR_H

#include <stdbool.h>

/* True in libzookeeper_mt. */
extern const bool flavour_has_threads;

#endif
