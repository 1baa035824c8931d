/*
 * A queue that programs on many machines share: what one puts in, one other takes out, the oldest first.
 *
 * Each element is a sequential node below `path`. Interface and nodes are those of the queue recipe of Apache
 * ZooKeeper (DistributedQueue in Java), so both may share a queue. An element is at most as large as a node (1 MB), and
 * a queue of many thousand elements is slow, as every look at it lists them all. Link with -lzkrecipes -lzookeeper_mt.
 *
 *     zkr_queue_t queue;
 *     zkr_queue_init(&queue, zh, "/jobs", &ZOO_OPEN_ACL_UNSAFE);
 *     zkr_queue_offer(&queue, "job 1", 5);
 *     char job[1024];
 *     int size = sizeof(job);
 *     if (zkr_queue_take(zh, &queue, job, &size) == ZOK) ...
 *     zkr_queue_destroy(&queue);
 *
 * Every call may be made from any thread; zkr_queue_take() waits, so that it must not be made from a callback.
 */
#ifndef ZOOKEEPER_QUEUE_H_
#define ZOOKEEPER_QUEUE_H_

#include <pthread.h>

#include "zookeeper.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zkr_queue {
    zhandle_t *zh;
    char *path;
    struct ACL_vector *acl;
    pthread_mutex_t pmutex;
    char *node_name;
    int node_name_length;
    char *cached_create_path;
    struct zkr_queue_private *priv;
};
typedef struct zkr_queue zkr_queue_t;

/* Fills the struct; nothing is sent. `path`, which is made with `acl` when it is missing, and `acl` must outlive it. */
ZOOAPI int zkr_queue_init(zkr_queue_t *queue, zhandle_t *zh, const char *path, struct ACL_vector *acl);

/* Puts an element at the end. ZCONNECTIONLOSS: it may be there, or not. */
ZOOAPI int zkr_queue_offer(zkr_queue_t *queue, const char *data, int buffer_len);

/*
 * For the next three: *buffer_len is the size of the buffer, and afterwards that of the element. -1 with ZOK: the queue
 * is empty; -1 with any other code: no element was got. An element that is larger than the buffer stays where it is:
 * ZBADARGUMENTS. After ZCONNECTIONLOSS of the last two an element may be gone.
 */
/* The first element, which stays in the queue. */
ZOOAPI int zkr_queue_element(zkr_queue_t *queue, char *buffer, int *buffer_len);
/* Takes the first element out. */
ZOOAPI int zkr_queue_remove(zkr_queue_t *queue, char *buffer, int *buffer_len);
/* Takes the first element out, and waits for one. `zh` is not used. Ends with the session (ZSESSIONEXPIRED, say). */
ZOOAPI int zkr_queue_take(zhandle_t *zh, zkr_queue_t *queue, char *buffer, int *buffer_len);

/* Frees what the struct has; the elements stay. Nobody may be in a call of this queue. */
ZOOAPI void zkr_queue_destroy(zkr_queue_t *queue);

#ifdef __cplusplus
}
#endif
#endif
