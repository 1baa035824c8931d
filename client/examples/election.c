/*
 * election.c - stands for election until its input ends, and says who leads.
 *
 *     election 127.0.0.1:2181 /election/printer alice
 *
 * Start it in several terminals, and end the leader with ^D or ^C.
 * Built with: cc election.c -lzkrecipes -lzookeeper_mt
 */
#include <stdio.h>
#include <string.h>
#include <zookeeper/zoo_election.h>

#define SESSION_TIMEOUT_MS 10000

/* Called when we begin to lead (0), and when our offer is gone (1), in the library's thread. */
static void on_election(int rc, void *data)
{
    printf("%s %s\n", (const char *)data, rc == 0 ? "leads" : "is out");
    fflush(stdout);
}

static void print_leader(zkr_election_t *election)
{
    char name[256];
    int size = sizeof(name);
    int rc = zkr_election_get_leader(election, name, &size);
    if (rc == ZOK)
        printf("leader is %.*s\n", size, name);
    else
        printf("leader is unknown: %s\n", rc == ZNONODE ? "nobody stands" : zerror(rc));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOSTS PATH NAME\n", argv[0]);
        return 2;
    }
    char *name = argv[3];
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    zhandle_t *zh = zookeeper_init(argv[1], NULL, SESSION_TIMEOUT_MS, NULL, NULL, 0);
    if (zh == NULL) {
        perror("zookeeper_init");
        return 1;
    }
    zkr_election_t election;
    zkr_election_init(&election, zh, argv[2], &ZOO_OPEN_ACL_UNSAFE, name, (int)strlen(name), on_election, name);
    int rc = zkr_election_start(&election);
    if (rc != ZOK)
        fprintf(stderr, "%s: %s\n", argv[2], zerror(rc));

    /* A real program would do its work here, and the leader's only while zkr_election_is_leader(). */
    char line[256];
    print_leader(&election);
    while (fgets(line, sizeof(line), stdin) != NULL)
        print_leader(&election);

    zkr_election_stop(&election);
    zkr_election_destroy(&election);
    zookeeper_close(zh);
    return 0;
}
