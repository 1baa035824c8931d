/*
 * queue.c - a queue that machines share, from the command line.
 *
 *     queue 127.0.0.1:2181 /jobs offer 'first job'       puts an element at the end
 *     queue 127.0.0.1:2181 /jobs peek                    prints the first element, and leaves it
 *     queue 127.0.0.1:2181 /jobs remove                  prints the first element, and takes it out; 3: there is none
 *     queue 127.0.0.1:2181 /jobs take                    as remove, and waits for an element
 *
 * Built with: cc queue.c -lzkrecipes -lzookeeper_mt
 */
#include <stdio.h>
#include <string.h>
#include <zookeeper/zoo_queue.h>

#define SESSION_TIMEOUT_MS 10000

static char element[1 << 20];    /* as large as a node may be */

static int print_element(int rc, int size)
{
    if (rc != ZOK) {
        fprintf(stderr, "no element: %s\n", zerror(rc));
        return 1;
    }
    if (size < 0) {
        fprintf(stderr, "the queue is empty\n");
        return 3;
    }
    printf("%.*s\n", size, element);
    return 0;
}

static int run(zkr_queue_t *queue, int argc, char **argv)
{
    const char *verb = argv[3];
    int rc, size = sizeof(element);
    if (strcmp(verb, "offer") == 0 && argc == 5) {
        rc = zkr_queue_offer(queue, argv[4], (int)strlen(argv[4]));
        if (rc != ZOK)
            fprintf(stderr, "not offered: %s\n", zerror(rc));
        return rc == ZOK ? 0 : 1;
    }
    if (strcmp(verb, "peek") == 0) {
        rc = zkr_queue_element(queue, element, &size);
    } else if (strcmp(verb, "remove") == 0) {
        rc = zkr_queue_remove(queue, element, &size);
    } else if (strcmp(verb, "take") == 0) {
        rc = zkr_queue_take(NULL, queue, element, &size);
    } else {
        fprintf(stderr, "offer TEXT, peek, remove or take, and not %s\n", verb);
        return 2;
    }
    return print_element(rc, size);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOSTS PATH offer TEXT | peek | remove | take\n", argv[0]);
        return 2;
    }
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    zhandle_t *zh = zookeeper_init(argv[1], NULL, SESSION_TIMEOUT_MS, NULL, NULL, 0);
    if (zh == NULL) {
        perror("zookeeper_init");
        return 1;
    }
    zkr_queue_t queue;
    zkr_queue_init(&queue, zh, argv[2], &ZOO_OPEN_ACL_UNSAFE);
    int result = run(&queue, argc, argv);
    zkr_queue_destroy(&queue);
    zookeeper_close(zh);
    return result;
}
