/*
 * host_provider.c - whom to connect to next.
 *
 * Mirrors StaticHostProvider, and addrvec and update_addrs() of the C binding. When the list of servers changes, every
 * client decides alone, by odds that leave all servers with the same number of clients in expectation:
 *
 *   more servers than before     connected to one that stays: move to a new one with probability 1 - before/after
 *                                else: to a new one
 *   as many or fewer             connected to one that stays: stay
 *                                else: to one that stays with probability
 *                                        staying * (before - after) / (after * (before - staying)), else to a new one
 *
 * (1) addresses come from the two halves by these odds until one half is used up, then from the other; each once.
 * (2) after that, and without a change, they come in the order of the shuffled list, behind the one that came last.
 * Departs from both: an address is IP and port (the C binding compares IPs alone, and takes two servers on one machine
 * for the same), and stands in the list once; a list with the same addresses is no change.
 */
#include "client/host_provider.h"

#include <assert.h>
#include <string.h>

#include "client/address_set.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"

#define MOST_ADDRESSES 64    /* of one name */

struct host_list {
    struct connect_host *names;
    size_t name_count;
    struct address_set all;
    size_t *name_of;         /* for each address, the number of its name */
    size_t name_capacity;    /* of `name_of` */
};

/* Of the order, those that were there before the list changed, or those that were not. */
struct half {
    struct address *items;
    size_t count;
    size_t next;    /* which comes next; count: none */
};

struct host_provider {
    struct host_list *list;
    bool is_deterministic;
    struct address_set order;    /* all of the list, shuffled */
    size_t next;                 /* which of them comes next */
    size_t tried;                /* given since somebody answered, or since a round was over */
    bool has_last;
    struct address last;         /* the one last given */

    bool is_rebalancing;
    struct half staying, coming;
    double odds_of_coming;
};

/* ---- lists ---- */

static void append_address(struct host_list *list, const struct address *address, size_t name)
{
    if (!address_set_append(&list->all, address))
        return;
    if (list->name_capacity < list->all.count) {
        list->name_capacity = 2 * list->all.count;
        list->name_of = memory_realloc(list->name_of, list->name_capacity * sizeof(*list->name_of));
    }
    list->name_of[list->all.count - 1] = name;
}

static int new_list(const struct connect_host *names, size_t count, struct host_list **ret_list, struct error *error)
{
    struct host_list *list = MEMORY_NEW(struct host_list);
    struct error last = { 0 };
    list->names = MEMORY_NEW_ARRAY(count, struct connect_host);
    list->name_count = count;
    for (size_t i = 0; i < count; i++) {
        struct address found[MOST_ADDRESSES];
        size_t found_count = 0;
        list->names[i] = (struct connect_host){ string_copy(names[i].host), names[i].port };
        if (address_resolve(names[i].host, names[i].port, found, MOST_ADDRESSES, &found_count, &last) != ZK_OK) {
            continue;
        }
        for (size_t j = 0; j < found_count; j++)
            append_address(list, &found[j], i);
    }
    if (list->all.count == 0) {
        host_list_free(list);
        return error_set(error, ZK_NOT_FOUND, "no server can be looked up: %s", last.text);
    }
    if (error != NULL)
        memcpy(error->text, last.text, sizeof(error->text));    /* who was left out */
    *ret_list = list;
    return ZK_OK;
}

int host_list_new(const struct connect_string *servers, struct host_list **ret_list, struct error *error)
{
    return new_list(servers->hosts, servers->count, ret_list, error);
}

void host_list_free(struct host_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->name_count; i++)
        memory_free(list->names[i].host);
    memory_free(list->names);
    memory_free(list->name_of);
    address_set_release(&list->all);
    memory_free(list);
}

int host_list_resolve(const struct host_list *list, struct host_list **ret_list, struct error *error)
{
    return new_list(list->names, list->name_count, ret_list, error);
}

const char *host_list_name(const struct host_list *list, const struct address *address)
{
    size_t at = address_set_find(&list->all, address);
    return at < list->all.count ? list->names[list->name_of[at]].host : NULL;
}

/* ---- one after the other ---- */

static void take_order(struct host_provider *provider)
{
    address_set_release(&provider->order);
    provider->order = address_set_copy(&provider->list->all);
    if (!provider->is_deterministic)
        address_set_shuffle(&provider->order);
}

struct host_provider *host_provider_new(struct host_list *list, bool is_deterministic)
{
    struct host_provider *provider = MEMORY_NEW(struct host_provider);
    provider->list = list;
    provider->is_deterministic = is_deterministic;
    take_order(provider);
    return provider;
}

static void half_release(struct half *half)
{
    memory_free(half->items);
    *half = (struct half){ 0 };
}

static void end_rebalancing(struct host_provider *provider)
{
    provider->is_rebalancing = false;
    half_release(&provider->staying);
    half_release(&provider->coming);
}

void host_provider_free(struct host_provider *provider)
{
    if (provider == NULL)
        return;
    end_rebalancing(provider);
    address_set_release(&provider->order);
    host_list_free(provider->list);
    memory_free(provider);
}

size_t host_provider_size(const struct host_provider *provider)
{
    return provider->order.count;
}

const struct host_list *host_provider_list(const struct host_provider *provider)
{
    return provider->list;
}

/* By the odds; false when both halves are used up. */
static bool next_in_rebalancing(struct host_provider *provider, struct address *ret_address)
{
    struct half *staying = &provider->staying, *coming = &provider->coming;
    bool is_coming = random_unit() < provider->odds_of_coming;
    bool has_coming = coming->next < coming->count, has_staying = staying->next < staying->count;
    if (has_coming && (is_coming || !has_staying)) {
        *ret_address = coming->items[coming->next++];
        return true;
    }
    if (has_staying)
        *ret_address = staying->items[staying->next++];
    return has_staying;
}

void host_provider_next(struct host_provider *provider, struct address *ret_address, bool *ret_is_round_over)
{
    struct address_set *order = &provider->order;
    *ret_is_round_over = provider->tried >= order->count;
    if (*ret_is_round_over)
        provider->tried = 0;
    provider->tried++;
    if (provider->is_rebalancing && next_in_rebalancing(provider, ret_address)) {
        provider->next = address_set_find(order, ret_address) + 1;
    } else {
        end_rebalancing(provider);
        if (provider->next >= order->count)
            provider->next = 0;
        *ret_address = order->items[provider->next++];
    }
    provider->has_last = true;
    provider->last = *ret_address;
}

void host_provider_connected(struct host_provider *provider)
{
    provider->tried = 0;
    end_rebalancing(provider);
}

/* ---- another list ---- */

/* Parts the new order into those that were there before and those that were not. */
static void part(struct host_provider *provider, const struct address_set *before)
{
    const struct address_set *order = &provider->order;
    struct half *staying = &provider->staying, *coming = &provider->coming;
    end_rebalancing(provider);
    staying->items = MEMORY_NEW_ARRAY(order->count, struct address);
    coming->items = MEMORY_NEW_ARRAY(order->count, struct address);
    for (size_t i = 0; i < order->count; i++) {
        struct half *half = address_set_contains(before, &order->items[i]) ? staying : coming;
        half->items[half->count++] = order->items[i];
    }
}

/* Whether this client should move, and if so by which odds. */
static bool decide(struct host_provider *provider, size_t before_count, const struct address *mine)
{
    double before = (double)before_count, after = (double)provider->order.count;
    double staying = (double)provider->staying.count;
    bool is_mine_there = address_set_contains(&provider->order, mine);
    provider->odds_of_coming = 1;
    if (after > before)
        return !is_mine_there || random_unit() < 1 - before / after;
    if (is_mine_there)
        return false;
    double moved = after * (before - staying);    /* 0: ours had left the list already, and nothing else changes */
    provider->odds_of_coming = moved > 0 ? 1 - staying * (before - after) / moved : 0;
    return true;
}

/* Goes on behind the one that came last. */
static void resume_order(struct host_provider *provider)
{
    size_t at = provider->has_last ? address_set_find(&provider->order, &provider->last) : provider->order.count;
    provider->next = at < provider->order.count ? at + 1 : 0;
}

static void replace_list(struct host_provider *provider, struct host_list *list)
{
    host_list_free(provider->list);
    provider->list = list;
}

bool host_provider_update(struct host_provider *provider, struct host_list *list, const struct address *current)
{
    bool is_same = address_set_equal(&list->all, &provider->order);
    replace_list(provider, list);
    if (is_same)
        return current != NULL && !address_set_contains(&provider->order, current);
    struct address_set before = provider->order;
    provider->order = (struct address_set){ 0 };
    take_order(provider);
    resume_order(provider);
    provider->tried = 0;
    part(provider, &before);
    const struct address *mine = current != NULL ? current : provider->has_last ? &provider->last : NULL;
    provider->is_rebalancing = mine != NULL && decide(provider, before.count, mine);
    if (!provider->is_rebalancing)
        end_rebalancing(provider);
    address_set_release(&before);
    return current != NULL && provider->is_rebalancing;
}

void host_provider_refresh(struct host_provider *provider, struct host_list *list)
{
    bool is_same = address_set_equal(&list->all, &provider->order);
    replace_list(provider, list);
    if (is_same)
        return;
    end_rebalancing(provider);
    take_order(provider);
    resume_order(provider);
}
