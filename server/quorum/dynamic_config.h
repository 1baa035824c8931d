/*
 * The list of servers on disk, once it may change: zoo.cfg.dynamic.<version> with what is committed,
 * zoo.cfg.dynamic.next with what is proposed, and zoo.cfg, which points to the former. Mirrors
 * QuorumPeerConfig.writeDynamicConfig, editStaticConfig and backupOldConfig. Each file is replaced as a whole and
 * synced with its directory before a call returns ZK_OK. Not locked.
 */
#ifndef ZKC_SERVER_QUORUM_DYNAMIC_CONFIG_H
#define ZKC_SERVER_QUORUM_DYNAMIC_CONFIG_H

#include "server/quorum/flexible/quorum_verifier.h"

#define DYNAMIC_CONFIG_LIMIT ((size_t)16 << 20)    /* bytes of a file that is read */

/* Paths beside zoo.cfg; the caller's. */
char *dynamic_config_path(const char *config_path, int64_t version);    /* zoo.cfg.dynamic.100000000, hexadecimal */
char *dynamic_config_next_path(const char *config_path);                /* zoo.cfg.dynamic.next */
/* Version at the end of such a name; false where there is none, as in zoo.cfg.dynamic (getVersionFromFilename). */
bool dynamic_config_version_of(const char *path, int64_t *ret_version);

/* The lines of toString(), sorted, without the one of the version unless it is to be kept. */
int dynamic_config_write(const char *path, const struct quorum_verifier *verifier, bool keeps_version,
                         struct error *error);
/* Takes the list of servers, peerType and, if asked, the client port out of zoo.cfg, and puts dynamicConfigFile in.
 * Comments do not stay, as in Java. */
int dynamic_config_edit_static(const char *config_path, const char *dynamic_path, bool erases_client_port,
                               struct error *error);
/* Copies zoo.cfg to zoo.cfg.bak. */
int dynamic_config_back_up_static(const char *config_path, struct error *error);
/* Removes a file if it is there. */
int dynamic_config_remove(const char *path, struct error *error);

#endif
