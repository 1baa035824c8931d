/*
 * What the tests of roles share: a whole server with clients over loopback, member 1 of an ensemble of which nobody
 * else is there. What the role would ask of leader or learner, the test answers: fake_leader.c, fake_learner.c.
 */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_ROLE_TEST_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_ROLE_TEST_H

#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"
#include "tests/lib/check_main.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/test_directory.h"

enum { ROLE_TIMEOUT_MS = 10000, ROLE_SERVER_ID = 1 };

extern struct zookeeper_server *role_server;
extern struct server_core *role_core;         /* the server's */
extern struct server_options role_options;
extern struct quorum_self role_self;
extern struct raw_client alice, bob;

/* Makes server and self, loads and opens; no role yet. */
void role_set_up(void);
/* The role must have been taken down. */
void role_tear_down(void);
void role_connect(struct raw_client *client);
/* Connects again to the session the client has; ZK_SESSION_EXPIRED when the server gives it up. */
int role_reconnect(struct raw_client *client);
bool role_tree_has(const char *path);
void role_assert_data(struct raw_client *client, const char *path, const char *data);
/* Waits until `counter` has come to `least`; fails when that takes too long. */
void role_wait_count(_Atomic size_t *counter, size_t least);

#endif
