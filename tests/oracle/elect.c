/*
 * elect - a server that only elects, for tests beside Java servers: elect MYID CONFIG_FILE ZXID [OPTION=VALUE]...
 *
 * Each line "look" on standard input starts a search for a leader; what it finds goes out as "id round epoch STATE". In
 * between, others are answered. The end of the input ends it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/strings.h"
#include "server/quorum/election.h"

#define CONFIG_LIMIT 65536

struct elector {
    struct server_options options;
    struct quorum_self self;
    int64_t zxid;
};

static int64_t last_logged_zxid(void *owner)
{
    return ((struct elector *)owner)->zxid;
}

static void end_with(void *owner, int exit_code, const struct error *error)
{
    (void)owner;
    fprintf(stderr, "elect: %s\n", error->text);
    exit(exit_code);
}

static const struct quorum_self_ops ops = {.last_logged_zxid = last_logged_zxid, .fail = end_with};

static void must(int err, const struct error *error)
{
    if (err == ZK_OK)
        return;
    fprintf(stderr, "elect: %s\n", error->text);
    exit(EXIT_FAILURE);
}

static void init(struct elector *elector, int count, char **arguments)
{
    struct properties overrides = {0};
    struct buffer text = {0};
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    int64_t id = atoll(arguments[1]);
    elector->zxid = strtoll(arguments[3], NULL, 0);
    for (int i = 4; i < count; i++) {
        char *equals = strchr(arguments[i], '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        properties_set(&overrides, arguments[i], equals + 1, 0);
    }
    server_options_init(&elector->options);
    elector->options.tick_time = 2000;
    elector->options.sync_limit = 5;
    must(server_options_load(&elector->options, NULL, &overrides, &error), &error);
    must(file_read_all(arguments[2], CONFIG_LIMIT, &text, &error), &error);
    struct quorum_parse_options parse_options = {.is_multi_address_enabled = elector->options.multi_address_enabled};
    must(quorum_verifier_parse_text((const char *)text.bytes, text.size, &parse_options, &verifier, &error), &error);
    quorum_self_init(&elector->self, &elector->options, id, verifier, NULL, NULL, &ops, elector);
    quorum_verifier_unref(verifier);
    buffer_release(&text);
    properties_release(&overrides);
}

static void look(struct elector *elector, struct election *election)
{
    struct vote vote;
    quorum_self_set_state(&elector->self, PEER_LOOKING);
    if (election_look_for_leader(election, &vote) != ZK_OK)
        exit(EXIT_FAILURE);
    quorum_self_set_current_vote(&elector->self, &vote);
    printf("%" PRId64 " %" PRId64 " %" PRId64 " %s\n", vote.id, vote.election_epoch, vote.peer_epoch,
           peer_state_name(quorum_self_state(&elector->self)));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    struct elector elector = {0};
    char line[64];
    if (count < 4) {
        fprintf(stderr, "usage: elect MYID CONFIG_FILE ZXID [OPTION=VALUE]...\n");
        return EXIT_FAILURE;
    }
    init(&elector, count, arguments);
    struct election *election = NULL;
    struct error error = {0};
    must(election_start(&elector.self, &election, &error), &error);
    while (fgets(line, sizeof(line), stdin) != NULL)
        if (strcmp(line, "look\n") == 0)
            look(&elector, election);
    election_free(election);
    quorum_self_release(&elector.self);
    server_options_release(&elector.options);
    return EXIT_SUCCESS;
}
