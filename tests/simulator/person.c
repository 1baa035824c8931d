/* person.c - a session that is lost is followed by another one, with a fresh view. */
#include "tests/simulator/person.h"

#include <stdint.h>

#include "common/base/clock.h"

#define CONNECT_LIMIT_MS 600000
#define LONGEST_NAP_NS (100 * SIM_MS)

static void watch_session(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    struct person *person = (struct person *)(uintptr_t)zoo_get_context(handle);
    (void)path;
    (void)context;
    if (type != ZOO_SESSION_EVENT || person == NULL)
        return;
    person->is_connected = state == ZOO_CONNECTED_STATE;
    if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE)
        person->is_lost = true;
}

void person_leave(struct person *person)
{
    if (person->handle != NULL)
        zookeeper_close(person->handle);
    person->handle = NULL;
}

static void begin_session(struct person *person)
{
    person_leave(person);
    person->is_connected = person->is_lost = false;
    person->view = (struct session_view){0};
    person->ephemeral[0] = '\0';
    for (int i = 0; i < HISTORY_REGISTERS; i++)
        person->watches[i] = (struct watch){person, i, true};
    person->handle = zookeeper_init(person->client->hosts, watch_session, person->client->timeout_ms, NULL, person, 0);
    person->client->sessions++;
}

void person_pause(struct person *person)
{
    if (person->burst > 0) {
        person->burst--;
        return;
    }
    if (sim_one_in(20))
        person->burst = (int)sim_below(20);
    int64_t longest_ns = person->client->most_pause_ns * (person->burst > 0 ? 10 : 1);
    int64_t end_ns = sim_now_ns() + sim_between(person->client->least_pause_ns, longest_ns);
    while (sim_now_ns() < end_ns && !person->client->must_end)
        sim_sleep_until(end_ns - sim_now_ns() > LONGEST_NAP_NS ? sim_now_ns() + LONGEST_NAP_NS : end_ns);
}

bool person_has_session(struct person *person)
{
    int64_t limit_ms = clock_elapsed_ms() + CONNECT_LIMIT_MS;
    for (;;) {
        if (person->handle == NULL || person->is_lost || is_unrecoverable(person->handle))
            begin_session(person);
        if (person->is_connected && !person->is_lost)
            return true;
        if (person->client->must_end || clock_elapsed_ms() > limit_ms)
            return false;
        clock_sleep_ms(20);
    }
}

bool person_done(struct person *person, int rc)
{
    if (rc == ZOK)
        person->client->answers++;
    else
        person->client->failures++;
    return rc == ZOK;
}

void person_begin(struct person *person, struct sim_client *client)
{
    *person = (struct person){.client = client};
    zoo_set_debug_level((ZooLogLevel)0);
}
