/*
 * sim_operator.c - a person who changes who votes: a participant becomes an observer, an observer a participant.
 *
 * What comes of it is checked by what is checked anyway; an answer that nothing was changed is as good as one that it
 * was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/person.h"
#include "tests/simulator/sim_server.h"

#define LEAST_VOTERS 2
#define CONFIG_SIZE 2048

static int count(const char *text, const char *part)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

/* The role of a server in a configuration: whether it votes. False when it is not there. */
static bool votes(const char *config, int sid, bool *ret_votes)
{
    char head[32], role[160];
    snprintf(head, sizeof(head), "server.%d=", sid);
    const char *line = strstr(config, head);
    if (line == NULL || sscanf(line, "%159[^\n]", role) != 1)
        return false;
    *ret_votes = strstr(role, ":participant") != NULL;
    return true;
}

static void change_role(struct person *person)
{
    char config[CONFIG_SIZE], joining[SIM_SERVER_LINE_SIZE];
    int size = sizeof(config) - 1;
    struct Stat stat;
    if (!person_done(person, zoo_getconfig(person->handle, 0, config, &size, &stat)) || size < 0)
        return;
    config[size] = '\0';
    int servers = count(config, "server."), voters = count(config, ":participant");
    int sid = 1 + (int)sim_below((uint64_t)servers);
    bool is_voter;
    if (!votes(config, sid, &is_voter)) {
        sim_violation("%s reads a configuration without server %d: %s", person->client->node->name, sid, config);
        return;
    }
    if (is_voter && voters <= LEAST_VOTERS)
        return;
    sim_server_line(sid, is_voter, joining);
    size = sizeof(config);
    int rc = zoo_reconfig(person->handle, joining, NULL, NULL, -1, config, &size, &stat);
    person_done(person, rc);
    sim_trace("server%d to be %s: %s", sid, is_voter ? "an observer" : "a participant", zerror(rc));
}

static int operator_main(void *arg)
{
    struct person person;
    person_begin(&person, arg);
    while (!person.client->must_end) {
        if (person_has_session(&person))
            change_role(&person);
        person_pause(&person);
    }
    person_leave(&person);
    return 0;
}

void sim_client_start_operator(struct sim_client *client)
{
    sim_client_start_program(client, operator_main);
}
