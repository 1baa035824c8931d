/*
 * sim_client.c - what a client does: registers with compare-and-set, sequential nodes, ephemerals, transfers by multi,
 * and reads with and without a watch or a sync.
 *
 * All calls are the synchronous ones. What fails for want of a connection may have happened or not, and is not looked
 * into: the histories are made so that both are fine. A session that is lost is followed by another one with a fresh
 * view.
 */
#include "tests/simulator/sim_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/simulator/person.h"

#define EVENT_LIMIT_MS 5000    /* an event was received before what came behind it; its thread may take so long */

static void register_path(int reg, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "/registers/%d", reg);
}

/* ---- watches ---- */

static void watch_register(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    struct watch *watch = context;
    (void)handle;
    (void)state;
    (void)path;
    if (type == ZOO_SESSION_EVENT)
        return;
    watch->has_fired = true;
    session_watch_fired(&watch->person->view, watch->reg);
}

/* ---- registers ---- */

static int parse_value(const char *bytes, int size, uint64_t *ret_value)
{
    char text[32];
    if (size <= 0 || size >= (int)sizeof(text))
        return -1;
    memcpy(text, bytes, (size_t)size);
    text[size] = '\0';
    return sscanf(text, "%" SCNu64, ret_value) == 1 ? 0 : -1;
}

/* An event that came before this answer may stand in the queue of the thread that tells of it. */
static void await_event(struct person *person, int reg, int32_t version)
{
    int64_t limit_ms = clock_elapsed_ms() + EVENT_LIMIT_MS;
    while (person->view.watched[reg] > 0 && version + 1 > person->view.watched[reg] && clock_elapsed_ms() < limit_ms)
        clock_sleep_ms(1);
}

static void read_register(struct person *person, int reg, bool watched, bool synced)
{
    char path[PATH_SIZE], bytes[32];
    int size = sizeof(bytes);
    struct Stat stat;
    uint64_t value;
    int32_t floor = -1;
    register_path(reg, path);
    if (synced) {
        /* A leader that was cut off answers a sync until it knows, in Java and here (1675): only when all is mended
         * must what was acknowledged be seen behind one. */
        floor = person->audits ? history_acked_version(reg) : -1;
        if (!person_done(person, zoo_sync(person->handle, path)))
            return;
    }
    struct watch *watch = &person->watches[reg];
    bool sets = watched && watch->has_fired && person->view.watched[reg] == 0;
    if (sets)
        watch->has_fired = false;
    int rc = zoo_wget(person->handle, path, sets ? watch_register : NULL, sets ? watch : NULL, bytes, &size, &stat);
    if (sets && rc != ZOK)
        watch->has_fired = true;    /* it was not set */
    if (!person_done(person, rc))
        return;
    if (parse_value(bytes, size, &value) < 0) {
        sim_violation("%s reads %d strange bytes from %s", person->client->node->name, size, path);
        return;
    }
    if (!sets)
        await_event(person, reg, stat.version);
    history_read(reg, value, stat.version, stat.mzxid, floor);
    session_saw(&person->view, person->client->node->name, reg, stat.version, stat.mzxid);
    if (sets && !watch->has_fired)
        session_watches(&person->view, reg, stat.version);
    person->version[reg] = stat.version;
    sim_trace("reads %s: version %" PRId32 " value %" PRIu64 " mzxid 0x%" PRIx64 "%s%s", path, stat.version, value,
              (uint64_t)stat.mzxid, synced ? " synced" : "", sets ? " watched" : "");
}

static void write_register(struct person *person, int reg)
{
    char path[PATH_SIZE], bytes[32];
    struct Stat stat;
    register_path(reg, path);
    uint64_t value = history_new_value();
    int size = snprintf(bytes, sizeof(bytes), "%" PRIu64, value);
    bool compares = sim_one_in(2);
    int rc = zoo_set2(person->handle, path, bytes, size, compares ? person->version[reg] : -1, &stat);
    if (rc == ZBADVERSION) {
        read_register(person, reg, false, false);
        return;
    }
    if (!person_done(person, rc)) {
        sim_trace("write %" PRIu64 " of %s: %s", value, path, zerror(rc));
        return;
    }
    sim_trace("wrote %s: version %" PRId32 " value %" PRIu64 " zxid 0x%" PRIx64, path, stat.version, value,
              (uint64_t)stat.mzxid);
    history_wrote(reg, value, stat.version, stat.mzxid);
    await_event(person, reg, stat.version);
    session_saw(&person->view, person->client->node->name, reg, stat.version, stat.mzxid);
    person->version[reg] = stat.version;
}

/* ---- nodes ---- */

static void create_sequential(struct person *person)
{
    char name[PATH_SIZE + 24];
    struct Stat stat;
    int rc = zoo_create2(person->handle, "/list/n-", "x", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, name,
                         sizeof(name), &stat);
    if (!person_done(person, rc))
        return;
    sim_trace("created %s zxid 0x%" PRIx64, name, (uint64_t)stat.czxid);
    history_created(name, stat.czxid);
}

static void change_ephemeral(struct person *person)
{
    if (person->ephemeral[0] != '\0') {
        int rc = zoo_delete(person->handle, person->ephemeral, -1);
        if (rc == ZNONODE)
            sim_violation("%s: %s is gone, and its session lives", person->client->node->name, person->ephemeral);
        if (person_done(person, rc))
            person->ephemeral[0] = '\0';
        else if (rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT)
            person->ephemeral[0] = '\0';    /* there or not */
        return;
    }
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/ephemerals/%s-%" PRIu32 "-%" PRIu64, person->client->node->name,
             person->client->node->boots, ++person->made);
    if (person_done(person, zoo_create(person->handle, path, "e", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0))) {
        history_count_write();
        memcpy(person->ephemeral, path, sizeof(path));
    }
}

/* ---- accounts ---- */

static const char *const account_paths[SIM_ACCOUNTS] = {"/accounts/0", "/accounts/1", "/accounts/2", "/accounts/3"};

struct balances {
    int64_t amount[SIM_ACCOUNTS];
    int32_t version[SIM_ACCOUNTS];
};

/* All accounts from one state of one server. */
static bool read_balances(struct person *person, struct balances *ret_balances)
{
    zoo_read_op_t ops[SIM_ACCOUNTS];
    zoo_read_result_t results[SIM_ACCOUNTS] = {{0}};
    for (int i = 0; i < SIM_ACCOUNTS; i++)
        zoo_get_op_init(&ops[i], account_paths[i]);
    int rc = zoo_multi_read(person->handle, SIM_ACCOUNTS, ops, results);
    bool is_read = person_done(person, rc);
    for (int i = 0; i < SIM_ACCOUNTS && is_read; i++) {
        uint64_t value;
        is_read = results[i].err == ZOK && parse_value(results[i].value, results[i].valuelen, &value) == 0;
        if (is_read) {
            ret_balances->amount[i] = (int64_t)value;
            ret_balances->version[i] = results[i].stat.version;
        } else {
            sim_violation("%s cannot read %s: %s", person->client->node->name, account_paths[i],
                          zerror(results[i].err));
        }
    }
    zoo_free_read_results(SIM_ACCOUNTS, results);
    return is_read;
}

static void audit(struct person *person)
{
    struct balances balances;
    if (!read_balances(person, &balances))
        return;
    int64_t sum = 0;
    for (int i = 0; i < SIM_ACCOUNTS; i++)
        sum += balances.amount[i];
    if (sum != SIM_ACCOUNTS * SIM_ACCOUNT_START)
        sim_violation("%s: the accounts sum up to %" PRId64, person->client->node->name, sum);
}

static void transfer(struct person *person)
{
    struct balances balances;
    if (!read_balances(person, &balances))
        return;
    int from = (int)sim_below(SIM_ACCOUNTS), to = (from + 1 + (int)sim_below(SIM_ACCOUNTS - 1)) % SIM_ACCOUNTS;
    if (balances.amount[from] == 0)
        return;
    int64_t amount = sim_between(1, balances.amount[from]);
    char less[32], more[32];
    int less_size = snprintf(less, sizeof(less), "%" PRId64, balances.amount[from] - amount);
    int more_size = snprintf(more, sizeof(more), "%" PRId64, balances.amount[to] + amount);
    zoo_op_t ops[2];
    zoo_op_result_t results[2];
    struct Stat stats[2];
    zoo_set_op_init(&ops[0], account_paths[from], less, less_size, balances.version[from], &stats[0]);
    zoo_set_op_init(&ops[1], account_paths[to], more, more_size, balances.version[to], &stats[1]);
    int rc = zoo_multi(person->handle, 2, ops, results);
    if (rc == ZBADVERSION)
        return;
    if (!person_done(person, rc))
        return;
    history_count_write();
    if (stats[0].mzxid != stats[1].mzxid)
        sim_violation("%s: one multi has two zxids, 0x%" PRIx64 " and 0x%" PRIx64, person->client->node->name,
                      (uint64_t)stats[0].mzxid, (uint64_t)stats[1].mzxid);
}

/* ---- programs ---- */

static enum sim_deed choose(const struct sim_client *client)
{
    int sum = 0;
    for (int i = 0; i < SIM_DEEDS; i++)
        sum += client->weights[i];
    int at = (int)sim_below((uint64_t)sum);
    int deed = 0;
    while (at >= client->weights[deed])
        at -= client->weights[deed++];
    return (enum sim_deed)deed;
}

static void act(struct person *person)
{
    int reg = (int)sim_below(HISTORY_REGISTERS);
    switch (choose(person->client)) {
    case SIM_READ: read_register(person, reg, false, false); break;
    case SIM_SYNC_READ: read_register(person, reg, false, true); break;
    case SIM_WATCHED_READ: read_register(person, reg, true, false); break;
    case SIM_WRITE: write_register(person, reg); break;
    case SIM_CREATE: create_sequential(person); break;
    case SIM_EPHEMERAL: change_ephemeral(person); break;
    case SIM_TRANSFER: transfer(person); break;
    case SIM_AUDIT: audit(person); break;
    case SIM_DEEDS: break;
    }
}

static int client_main(void *arg)
{
    struct person person;
    person_begin(&person, arg);
    while (!person.client->must_end) {
        if (person_has_session(&person))
            act(&person);
        person_pause(&person);
    }
    person_leave(&person);
    return 0;
}

static bool is_there(int rc)
{
    return rc == ZOK || rc == ZNODEEXISTS;
}

static bool make_all(struct person *person)
{
    static const char *const parents[] = {"/registers", "/accounts", "/list", "/ephemerals"};
    char path[PATH_SIZE], bytes[32];
    struct Stat stat;
    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
        if (!is_there(zoo_create(person->handle, parents[i], "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0)))
            return false;
    for (int i = 0; i < SIM_ACCOUNTS; i++) {
        int size = snprintf(bytes, sizeof(bytes), "%d", SIM_ACCOUNT_START);
        if (!is_there(zoo_create(person->handle, account_paths[i], bytes, size, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT,
                                 NULL, 0)))
            return false;
    }
    for (int i = 0; i < HISTORY_REGISTERS; i++) {
        uint64_t value = history_new_value();
        int size = snprintf(bytes, sizeof(bytes), "%" PRIu64, value);
        register_path(i, path);
        int rc = zoo_create2(person->handle, path, bytes, size, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0, &stat);
        if (rc == ZOK)
            history_wrote(i, value, 0, stat.mzxid);
        else if (rc != ZNODEEXISTS)
            return false;
    }
    return true;
}

static int setup_main(void *arg)
{
    struct person person;
    bool is_made = false;
    person_begin(&person, arg);
    while (!is_made && person_has_session(&person)) {
        is_made = make_all(&person);
        person_pause(&person);
    }
    person_leave(&person);
    return is_made ? 0 : 1;
}

static int probe_main(void *arg)
{
    struct person person;
    person_begin(&person, arg);
    while (person.client->answers == 0 && person_has_session(&person)) {
        write_register(&person, 0);
        person_pause(&person);
    }
    person_leave(&person);
    return 0;
}

/* No session but ours lives, so no ephemeral may. */
static bool see_ephemerals_gone(struct person *person)
{
    struct String_vector names = {0};
    if (zoo_sync(person->handle, "/ephemerals") != ZOK ||
        zoo_get_children(person->handle, "/ephemerals", 0, &names) != ZOK)
        return false;
    bool gone = names.count == 0;
    if (!gone)
        sim_trace("%" PRId32 " ephemerals, %s the first", names.count, names.data[0]);
    deallocate_String_vector(&names);
    return gone;
}

/* What the list holds, behind the syncs of the registers. */
static void see_list(struct person *person)
{
    struct String_vector names = {0};
    if (!person_done(person, zoo_get_children(person->handle, "/list", 0, &names)))
        return;
    for (int32_t i = 0; i < names.count; i++) {
        char path[PATH_SIZE + 24];
        snprintf(path, sizeof(path), "/list/%s", names.data[i]);
        history_listed(path);
    }
    deallocate_String_vector(&names);
    history_list_ends();
}

static bool see_all(struct person *person)
{
    uint64_t before = person->client->failures;
    for (int i = 0; i < HISTORY_REGISTERS; i++)
        read_register(person, i, false, true);
    audit(person);
    see_list(person);
    for (int i = 0; i < HISTORY_REGISTERS; i++)
        write_register(person, i);
    return person->client->failures == before;
}

static int audit_main(void *arg)
{
    struct person person;
    bool has_seen = false, gone = false;
    person_begin(&person, arg);
    person.audits = true;
    while ((!has_seen || !gone) && person_has_session(&person)) {
        has_seen = has_seen || see_all(&person);
        gone = see_ephemerals_gone(&person);
        person_pause(&person);
    }
    person_leave(&person);
    return has_seen && gone ? 0 : 1;
}

void sim_client_start_program(struct sim_client *client, int (*program_main)(void *arg))
{
    client->must_end = false;
    sim_node_start(client->node, program_main, client);
}

void sim_client_start(struct sim_client *client)
{
    sim_client_start_program(client, client_main);
}

void sim_client_start_setup(struct sim_client *client)
{
    sim_client_start_program(client, setup_main);
}

void sim_client_start_probe(struct sim_client *client)
{
    client->answers = client->failures = 0;
    sim_client_start_program(client, probe_main);
}

void sim_client_start_audit(struct sim_client *client)
{
    sim_client_start_program(client, audit_main);
}
