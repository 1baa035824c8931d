/* Which version of what this is, and where it runs. Mirrors Version and Environment. */
#ifndef ZKC_SERVER_COMMAND_ENVIRONMENT_H
#define ZKC_SERVER_COMMAND_ENVIRONMENT_H

#include "config.h"

/* The release of ZooKeeper whose behaviour this is comes first, as that is what agents look for. */
#define ZKC_ZOOKEEPER_RELEASE "3.9.5"
/* A day of the release and not of the compilation, so that the same source gives the same bytes. */
#define ZKC_RELEASE_DATE "2026-11-23 00:00 UTC"
/* Version.getFullVersion() */
#define ZKC_ZOOKEEPER_VERSION ZKC_ZOOKEEPER_RELEASE "-zkc-" PACKAGE_VERSION ", built on " ZKC_RELEASE_DATE

/* Calls `entry` for each, in Java's order and under Java's keys; what only a Java machine has is left out. Looks the
 * user up, which may block: for the start of a server. */
void environment_list(void (*entry)(void *context, const char *key, const char *value), void *context);

#endif
