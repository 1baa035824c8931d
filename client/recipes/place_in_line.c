/*
 * place_in_line.c - a place in a line of ephemeral sequential nodes.
 *
 * Threads: whoever calls, and the client's thread of callbacks, which looks again when a watch fires. Both use the
 * synchronous calls, under the lock of the place, so that there is one look at a time.
 * (1) a node of ours is known by its prefix (session and number of this place): whether a create whose answer was lost
 *     made one is seen in the list of children, which is read behind a sync, and so never is another one made.
 * (2) we are first only after our own node is watched: whoever deletes it, or the end of the session, is heard of.
 * (3) data watches, not exists watches: on a node that has gone meanwhile none is left behind.
 * (4) after a failure that may pass, a request is sent whose answer, when there is a connection again, goes on.
 */
#include "client/recipes/place_in_line.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/recipes/recipe_parts.h"

#define ATTEMPTS 3
#define PREFIX_SIZE 96

struct place {
    struct place_rules rules;
    char *path, *data;
    struct recipe_handle *handle;
    pthread_mutex_t lock;
    char own_prefix[PREFIX_SIZE];    /* "x-<session>-<number>-"; empty until there is a session */
    bool is_wanted;                  /* between join and leave */
    bool may_have_node;              /* a create was sent, and no delete was answered */
    bool is_retry_sent;              /* (4) */
    char *id, *first;
    _Atomic bool is_first;
    char **names;                    /* all that id and first ever pointed to */
    size_t name_count;
    char *notices;                   /* to be told, each 0 or 1 */
    size_t notice_count;
    bool is_telling;
    pthread_t teller;
    pthread_cond_t told;
    bool is_abandoned;               /* its user is gone; freed by the thread of callbacks when the node is */
};

static void look_again(struct place *place, struct recipe_visit *visit);
static void free_place(struct place *place);

/* ---- what others see ---- */

/* The same name at the same place, so that a line that moves needs memory for each name once. */
static char *keep_name(struct place *place, const char *name)
{
    for (size_t i = 0; i < place->name_count; i++) {
        if (strcmp(place->names[i], name) == 0)
            return place->names[i];
    }
    place->names = recipe_resize(place->names, (place->name_count + 1) * sizeof(*place->names));
    place->names[place->name_count] = recipe_copy(name);
    return place->names[place->name_count++];
}

static void note(struct place *place, char notice)
{
    place->notices = recipe_resize(place->notices, place->notice_count + 1);
    place->notices[place->notice_count++] = notice;
}

static void publish(struct place *place)
{
    if (place->rules.publish != NULL && !place->is_abandoned)
        place->rules.publish(place->rules.owner, place->id, place->first, place->is_first);
}

/* There is no node of ours any more. */
static void lose(struct place *place)
{
    note(place, 1);
    place->id = NULL;
    place->is_first = false;
    publish(place);
}

/* Without the lock; whatever is called back may free the place. */
static void tell(struct place *place, const struct recipe_visit *visit)
{
    for (;;) {
        pthread_mutex_lock(&place->lock);
        if (place->is_telling || place->notice_count == 0 || place->is_abandoned) {
            pthread_mutex_unlock(&place->lock);
            return;
        }
        char notice = place->notices[0];
        memmove(place->notices, place->notices + 1, --place->notice_count);
        place->is_telling = true;
        place->teller = pthread_self();
        pthread_mutex_unlock(&place->lock);
        place->rules.notify(place->rules.owner, notice);
        if (recipe_visit_is_void(visit))
            return;
        pthread_mutex_lock(&place->lock);
        place->is_telling = false;
        pthread_cond_broadcast(&place->told);
        pthread_mutex_unlock(&place->lock);
    }
}

/* ---- looking ---- */

static void on_watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path;
    bool is_over = recipe_is_end_of_session(type, state);
    struct recipe_visit visit;
    if (type == ZOO_SESSION_EVENT && !is_over)
        return;    /* the client sets its watches again when it is connected */
    struct place *place = recipe_visit_context(&visit, context);
    if (place == NULL)
        return;
    look_again(place, &visit);
    recipe_visit_end(&visit);
}

static void on_sync(int rc, const char *value, const void *data)
{
    (void)rc, (void)value, (void)data;
}

/* All that stand in line; what is ours among them was made before. */
static int list(struct place *place, struct recipe_children *ret_children)
{
    struct String_vector names = { 0, NULL };
    int rc = ZCONNECTIONLOSS;
    for (int attempt = 0; attempt < ATTEMPTS && recipe_is_transient(rc); attempt++) {
        if (place->may_have_node && place->id == NULL) {
            rc = zoo_async(place->rules.zh, place->path, on_sync, NULL);
            if (rc != ZOK)
                return rc;
        }
        rc = zoo_get_children(place->rules.zh, place->path, 0, &names);
    }
    if (rc == ZOK)
        recipe_children_init(ret_children, &names, place->rules.prefix);
    return rc;
}

/* The session is there once anything was answered, and is the same from then on. */
static void make_prefix(struct place *place)
{
    if (place->own_prefix[0] != '\0')
        return;
    snprintf(place->own_prefix, PREFIX_SIZE, "%.20s%016" PRIx64 "-%" PRIu64 "-", place->rules.prefix,
             (uint64_t)zoo_client_id(place->rules.zh)->client_id, recipe_handle_number(place->handle));
}

static bool is_own(const struct place *place, const char *name)
{
    return strncmp(name, place->own_prefix, strlen(place->own_prefix)) == 0;
}

/* Our place in the line; `count` when we have none. */
static size_t find_own(const struct place *place, const struct recipe_children *children)
{
    size_t i = 0;
    while (i < children->count && !is_own(place, children->items[i].name))
        i++;
    return i;
}

static int create_own(struct place *place)
{
    char *path = recipe_join(place->path, place->own_prefix);
    int rc = zoo_create(place->rules.zh, path, place->data, place->rules.data_size, place->rules.acl,
                        ZOO_EPHEMERAL | ZOO_SEQUENCE, NULL, 0);
    free(path);
    place->may_have_node = place->may_have_node || rc == ZOK || recipe_is_transient(rc);
    return rc;
}

/* ZNONODE: it is gone already. */
static int watch(struct place *place, const char *name)
{
    char *path = recipe_join(place->path, name);
    char unused[1];
    int size = sizeof(unused);
    int rc = zoo_wget(place->rules.zh, path, on_watch, recipe_handle_context(place->handle), unused, &size, NULL);
    free(path);
    return rc;
}

/* We stand at `at`: tells so and watches whom it depends on. */
static int take_place(struct place *place, const struct recipe_children *children, size_t at)
{
    bool was_first = place->is_first, is_first = at == 0;
    int rc = watch(place, children->items[is_first ? at : at - 1].name);
    if (rc != ZOK)
        return rc;
    place->id = keep_name(place, children->items[at].name);
    place->first = keep_name(place, children->items[0].name);
    place->is_first = is_first;
    publish(place);
    if (is_first && !was_first)
        note(place, 0);
    return ZOK;
}

/* One look: ZOK when we stand in line; ZNONODE when something changed meanwhile and another look is due. */
static int look_once(struct place *place)
{
    struct recipe_children children;
    int rc = list(place, &children);
    if (rc == ZNONODE) {
        rc = recipe_make_path(place->rules.zh, place->path, place->rules.acl);
        return rc == ZOK ? ZNONODE : rc;
    }
    if (rc != ZOK)
        return rc;
    make_prefix(place);
    size_t at = find_own(place, &children);
    if (at < children.count) {
        rc = take_place(place, &children, at);
    } else {
        if (place->id != NULL)
            lose(place);    /* somebody deleted it */
        rc = create_own(place);
        rc = rc == ZOK ? ZNONODE : rc;
    }
    recipe_children_release(&children);
    return rc;
}

/* Until we stand in line. */
static int look(struct place *place)
{
    int rc = ZNONODE;
    for (int attempt = 0; attempt < ATTEMPTS; attempt += recipe_is_transient(rc)) {
        rc = look_once(place);
        if (rc == ZOK || (rc != ZNONODE && !recipe_is_transient(rc)))
            break;
    }
    return rc;
}

/* ---- leaving ---- */

static int delete_child(struct place *place, const char *name)
{
    char *path = recipe_join(place->path, name);
    int rc = ZCONNECTIONLOSS;
    for (int attempt = 0; attempt < ATTEMPTS && recipe_is_transient(rc); attempt++)
        rc = zoo_delete(place->rules.zh, path, -1);
    free(path);
    return rc == ZNONODE ? ZOK : rc;
}

/* Whatever is ours, though we never heard its name. */
static int delete_unseen(struct place *place)
{
    struct recipe_children children;
    int rc = list(place, &children);
    if (rc != ZOK)
        return rc == ZNONODE ? ZOK : rc;
    for (size_t i = 0; i < children.count && rc == ZOK; i++) {
        if (is_own(place, children.items[i].name))
            rc = delete_child(place, children.items[i].name);
    }
    recipe_children_release(&children);
    return rc;
}

static int get_out(struct place *place)
{
    int rc = place->id != NULL ? delete_child(place, place->id) : delete_unseen(place);
    if (rc != ZOK)
        return rc;
    place->may_have_node = false;
    lose(place);
    return ZOK;
}

/* ---- going on ---- */

static void on_retry(int rc, const struct Stat *stat, const void *context);

/* (4). False: the session is over. */
static bool send_retry(struct place *place)
{
    if (!place->is_retry_sent) {
        place->is_retry_sent = zoo_aexists(place->rules.zh, place->path, 0, on_retry,
                                           recipe_handle_context(place->handle)) == ZOK;
    }
    return place->is_retry_sent;
}

/* The session is over, or we are not permitted: nothing more will come. */
static void give_up(struct place *place)
{
    place->is_wanted = place->may_have_node = false;
    lose(place);
}

/* Takes the next step to what is wanted. */
static int go_on(struct place *place)
{
    if (!place->is_wanted && !place->may_have_node)
        return ZOK;
    int rc = place->is_wanted ? look(place) : get_out(place);
    if (rc == ZOK)
        return ZOK;
    if (!recipe_is_transient(rc) || !send_retry(place))
        give_up(place);
    return rc;
}

static void look_again(struct place *place, struct recipe_visit *visit)
{
    pthread_mutex_lock(&place->lock);
    go_on(place);
    pthread_mutex_unlock(&place->lock);
    tell(place, visit);
    if (recipe_visit_is_void(visit))
        return;
    pthread_mutex_lock(&place->lock);
    bool is_done = place->is_abandoned && !place->may_have_node;
    pthread_mutex_unlock(&place->lock);
    if (is_done)
        free_place(place);
}

static void on_retry(int rc, const struct Stat *stat, const void *context)
{
    (void)stat;
    struct recipe_visit visit;
    struct place *place = recipe_visit_context(&visit, context);
    if (place == NULL)
        return;
    pthread_mutex_lock(&place->lock);
    place->is_retry_sent = false;
    bool is_waiting = recipe_is_transient(rc) && send_retry(place);
    pthread_mutex_unlock(&place->lock);
    if (!is_waiting)
        look_again(place, &visit);
    recipe_visit_end(&visit);
}

/* ---- the place ---- */

struct place *place_new(const struct place_rules *rules)
{
    struct place *place = recipe_alloc(sizeof(*place));
    place->rules = *rules;
    place->path = recipe_copy(rules->path);
    if (rules->data != NULL) {
        size_t size = rules->data_size > 0 ? (size_t)rules->data_size : 0;
        place->data = recipe_alloc(size);
        memcpy(place->data, rules->data, size);
    }
    place->rules.path = place->path;
    pthread_mutex_init(&place->lock, NULL);
    pthread_cond_init(&place->told, NULL);
    place->handle = recipe_handle_new(place);
    return place;
}

static void free_place(struct place *place)
{
    recipe_handle_end(place->handle);
    pthread_mutex_destroy(&place->lock);
    pthread_cond_destroy(&place->told);
    for (size_t i = 0; i < place->name_count; i++)
        free(place->names[i]);
    free(place->names);
    free(place->notices);
    free(place->data);
    free(place->path);
    free(place);
}

void place_free(struct place *place)
{
    if (place == NULL)
        return;
    struct recipe_visit visit;
    recipe_visit_handle(&visit, place->handle);
    pthread_mutex_lock(&place->lock);
    place->is_abandoned = !place->is_wanted && place->may_have_node;
    bool is_abandoned = place->is_abandoned;
    while (is_abandoned && place->is_telling && !pthread_equal(place->teller, pthread_self()))
        pthread_cond_wait(&place->told, &place->lock);
    pthread_mutex_unlock(&place->lock);
    recipe_visit_end(&visit);
    if (!is_abandoned)
        free_place(place);
}

int place_join(struct place *place)
{
    struct recipe_visit visit;
    recipe_visit_handle(&visit, place->handle);
    pthread_mutex_lock(&place->lock);
    place->is_wanted = true;
    int rc = go_on(place);
    pthread_mutex_unlock(&place->lock);
    tell(place, &visit);
    recipe_visit_end(&visit);
    return rc;
}

int place_leave(struct place *place)
{
    struct recipe_visit visit;
    int rc = ZSYSTEMERROR;
    recipe_visit_handle(&visit, place->handle);
    pthread_mutex_lock(&place->lock);
    bool was_wanted = place->is_wanted;
    place->is_wanted = false;
    if (place->may_have_node)
        rc = go_on(place);
    else if (was_wanted)
        rc = ZOK;    /* a join that had not come so far */
    pthread_mutex_unlock(&place->lock);
    tell(place, &visit);
    recipe_visit_end(&visit);
    return rc;
}

bool place_is_first(struct place *place)
{
    return place->is_first;
}
