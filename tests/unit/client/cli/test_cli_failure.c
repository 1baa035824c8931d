/* Sentences of failed operations. */
#include "client/cli/cli_failure.h"

#include "common/base/error.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { int code; const char *path, *sentence, *message;
} failures[] = {
    { ZK_NO_NODE, "/a", "Node does not exist: /a", "KeeperErrorCode = NoNode for /a" },
    { ZK_NODE_EXISTS, "/a", "Node already exists: /a", "KeeperErrorCode = NodeExists for /a" },
    { ZK_NOT_EMPTY, "/a", "Node not empty: /a", "KeeperErrorCode = Directory not empty for /a" },
    { ZK_BAD_VERSION, "/a", "version No is not valid : /a", "KeeperErrorCode = BadVersion for /a" },
    { ZK_INVALID_ACL, NULL, "Acl is not valid : null", "KeeperErrorCode = InvalidACL" },
    { ZK_NO_AUTH, "/a", "Insufficient permission : /a", "KeeperErrorCode = NoAuth for /a" },
    { ZK_QUOTA_EXCEEDED, "/a", "Quota has exceeded : /a", "KeeperErrorCode = Quota has exceeded for /a" },
    { ZK_CONNECTION_LOSS, "/a", "KeeperErrorCode = ConnectionLoss for /a", "KeeperErrorCode = ConnectionLoss for /a" },
    { ZK_NO_WATCHER, "/a", "KeeperErrorCode = No such watcher for /a", "KeeperErrorCode = No such watcher for /a" },
    { ZK_RECONFIG_DISABLED, NULL, "KeeperErrorCode = Reconfig is disabled", "KeeperErrorCode = Reconfig is disabled" },
    { ZK_RECONFIG_IN_PROGRESS, NULL,
      "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)",
      "KeeperErrorCode = ReconfigInProgress" },
    { ZK_REQUEST_TIMEOUT, "/a", "KeeperErrorCode = Unknown error REQUESTTIMEOUT for /a",
      "KeeperErrorCode = Unknown error REQUESTTIMEOUT for /a" },
};

START_TEST(failures_are_told_as_java_does)
{
    char *sentence = failure_sentence(failures[_i].code, failures[_i].path);
    char *message = failure_code_message(failures[_i].code, failures[_i].path);
    ck_assert_str_eq(sentence, failures[_i].sentence);
    ck_assert_str_eq(message, failures[_i].message);
    memory_free(sentence);
    memory_free(message);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_failure");
    TCase *tcase = tcase_create("cli_failure");
    tcase_add_loop_test(tcase, failures_are_told_as_java_does, 0, ARRAY_SIZE(failures));
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
