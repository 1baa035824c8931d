/*
 * session_password.c - the password of a session, made from its id alone. Mirrors ZooKeeperServer.generatePasswd and
 * checkPasswd.
 *
 * Every server must make the same one, as a client may come back to another, so it is Java's: the constant is public,
 * and the password keeps out mistakes, not attackers.
 */
#include "server/session/session_tracker.h"

#include "common/base/random.h"
#include "common/base/strings.h"

#define PASSWORD_SIZE 16
#define SUPER_SECRET INT64_C(0xB3415C00)

void session_password(int64_t session_id, uint8_t password[PASSWORD_SIZE])
{
    struct java_random random;
    java_random_init(&random, session_id ^ SUPER_SECRET);
    java_random_next_bytes(&random, password, PASSWORD_SIZE);
}

bool session_password_is_valid(int64_t session_id, const uint8_t *password, int32_t size)
{
    if (session_id == 0 || size != PASSWORD_SIZE)
        return false;
    uint8_t expected[PASSWORD_SIZE];
    session_password(session_id, expected);
    return bytes_equal_constant_time(password, expected, PASSWORD_SIZE);
}
