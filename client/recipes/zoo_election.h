/*
 * Electing a leader among programs on many machines.
 *
 * Every candidate offers itself with an ephemeral sequential node below `path` that holds what others should know of
 * the leader, its address say. The oldest offer leads; when it goes, the next one does. The Java recipe
 * (LeaderElectionSupport) names its nodes otherwise and cannot stand in the same election. Link with -lzkrecipes
 * -lzookeeper_mt.
 *
 *     static void on_change(int rc, void *data) { ... rc 0: we lead; 1: we lead no more ... }
 *     zkr_election_t election;
 *     zkr_election_init(&election, zh, "/services/billing", &ZOO_OPEN_ACL_UNSAFE, "host:8080", 9, on_change, NULL);
 *     zkr_election_start(&election);
 *     ...
 *     zkr_election_stop(&election);
 *     zkr_election_destroy(&election);
 *
 * Every call may be made from any thread and from every callback.
 */
#ifndef ZOOKEEPER_ELECTION_H_
#define ZOOKEEPER_ELECTION_H_

#include "zookeeper.h"

#ifdef __cplusplus
extern "C" {
#endif

/* rc 0: we lead. rc 1: our offer is gone, whether we led by it or not: stopped, the session is over, or somebody
 * deleted the node (then another offer is made). One call at a time for each election. */
typedef void (*zkr_election_completion)(int rc, void *cbdata);

typedef struct zkr_election {
    struct zkr_election_private *priv;
} zkr_election_t;

/* Nothing is sent. Path and data are copied, the acl must outlive it. `completion` may be NULL. */
ZOOAPI int zkr_election_init(zkr_election_t *election, zhandle_t *zh, const char *path, struct ACL_vector *acl,
                             const char *data, int data_len, zkr_election_completion completion, void *cbdata);
/*
 * Offers ourselves. ZOK: the offer stands. ZCONNECTIONLOSS or ZOPERATIONTIMEOUT: it is made when the connection is
 * back. Any other code: there is none.
 */
ZOOAPI int zkr_election_start(zkr_election_t *election);
/* Takes the offer back; codes as those of zkr_lock_unlock(). */
ZOOAPI int zkr_election_stop(zkr_election_t *election);
/* 1: we lead, as far as we have heard. */
ZOOAPI int zkr_election_is_leader(zkr_election_t *election);
/*
 * What the present leader offered, which any program may ask for: ZOK with *buffer_len bytes of it, at most as many as
 * *buffer_len was. ZNONODE: nobody leads.
 */
ZOOAPI int zkr_election_get_leader(zkr_election_t *election, char *buffer, int *buffer_len);
/* Frees what the struct has, and leaves an offer until the session ends; no callback comes afterwards. */
ZOOAPI void zkr_election_destroy(zkr_election_t *election);

#ifdef __cplusplus
}
#endif
#endif
