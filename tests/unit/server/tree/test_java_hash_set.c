/* test_java_hash_set.c - orders that java.util.HashSet of JDK 17 gave. */
#include "server/tree/java_hash_set.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

struct name {
    struct java_hash_link link;
    const char *text;
};

struct names {
    struct java_hash_set set;
    struct name items[64];
    size_t count;
};

static void names_init(struct names *names, uint32_t capacity)
{
    java_hash_set_init(&names->set, capacity);
    names->count = 0;
}

static int compare(const struct java_hash_link *a, const struct java_hash_link *b)
{
    const char *text = container_of(a, const struct name, link)->text;
    const char *other = container_of(b, const struct name, link)->text;
    return string_java_compare(text, strlen(text), other, strlen(other));
}

static void add(struct names *names, const char *text)
{
    struct name *name = &names->items[names->count++];
    *name = (struct name){.link.hash = string_java_hash(text, strlen(text)), .text = text};
    java_hash_set_add(&names->set, &name->link, compare);
}

static void drop(struct names *names, const char *text)
{
    size_t at = 0;
    while (strcmp(names->items[at].text, text) != 0)
        at++;
    java_hash_set_remove(&names->set, &names->items[at].link);
    names->items[at].text = "";
}

/* "a b -a": a and b come, then a goes. */
static void add_words(struct names *names, char *words)
{
    char *state;
    for (char *word = strtok_r(words, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state)) {
        if (*word == '-')
            drop(names, word + 1);
        else
            add(names, word);
    }
}

static const char *text_of(struct java_hash_link *link)
{
    return container_of(link, struct name, link)->text;
}

static void assert_order(const struct java_hash_set *set, const char *expected)
{
    struct buffer order = {0};
    for (struct java_hash_link *link = java_hash_set_first(set); link != NULL; link = java_hash_set_after(set, link))
        buffer_printf(&order, "%s%s", order.size > 0 ? " " : "", text_of(link));
    ck_assert_str_eq(buffer_string(&order), expected);
    buffer_release(&order);
}

#define LOCK "/app/lock-000000000"

static const struct {
    const char *fact;
    uint32_t capacity;
    const char *words;
    const char *order;
} orders[] = {
    {"one bucket after another, in a table that was doubled twice", 8,
     "n0 n37 n74 n111 n148 n185 n222 n259 n296 n333 n370 n407 n444 n481 n518 n555 n592 n629 n666 n703",
     "n0 n74 n370 n481 n111 n185 n592 n37 n296 n444 n148 n555 n222 n333 n259 n666 n518 n629 n703 n407"},
    {"the thirteenth doubles a table of sixteen", 16,
     LOCK "0 " LOCK "1 " LOCK "2 " LOCK "3 " LOCK "4 " LOCK "5 " LOCK "6 " LOCK "7 " LOCK "8 " LOCK "9 " LOCK "10 " LOCK
          "11 " LOCK "12",
     LOCK "7 " LOCK "8 " LOCK "9 " LOCK "3 " LOCK "4 " LOCK "5 " LOCK "6 " LOCK "0 " LOCK "1 " LOCK "12 " LOCK "2 " LOCK
          "10 " LOCK "11"},
    {"equal hashes stay in the order they came", 8,
     "AaAaAa BBAaAa AaBBAa BBBBAa AaAaBB BBAaBB AaBBBB BBBBBB AaAaZZ AaAaC#",
     "AaAaAa BBAaAa AaBBAa BBBBAa AaAaBB BBAaBB AaBBBB BBBBBB AaAaZZ AaAaC#"},
    {"the ninth of a chain doubles a small table", 8,
     "AaAaAaAa BBAaAaAa AaBBAaAa BBBBAaAa AaAaBBAa BBAaBBAa AaBBBBAa BBBBBBAa AaAaAaBB k0 k9 k18",
     "k0 AaAaAaAa BBAaAaAa AaBBAaAa BBBBAaAa AaAaBBAa BBAaBBAa AaBBBBAa BBBBBBAa AaAaAaBB k9 k18"},
    {"the ninth of a chain makes a tree in a table of sixty-four", 64,
     "AaAaAaAa BBBBBBBB AaBBAaAa BBBBAaAa AaAaBBAa BBAaBBAa AaBBBBAa BBBBBBAa AaAaAaBB BBAaAaAa AaBBBBBB "
     "BBAaAaBB",
     "BBAaAaAa AaBBAaAa AaAaAaAa BBBBBBBB BBBBAaAa AaAaBBAa BBAaBBAa BBAaAaBB AaBBBBAa AaBBBBBB BBBBBBAa "
     "AaAaAaBB"},
    {"a tree that loses elements is balanced anew", 64,
     "AaAaAaAa BBBBBBBB AaBBAaAa BBBBAaAa AaAaBBAa BBAaBBAa AaBBBBAa BBBBBBAa AaAaAaBB BBAaAaAa AaBBBBBB "
     "BBAaAaBB -BBBBAaAa -AaAaAaAa -BBAaAaBB AaAaBBBB -AaBBBBAa AaBBAaBB",
     "BBAaAaAa AaBBAaAa BBBBBBBB AaAaBBAa AaAaBBBB BBAaBBAa AaBBBBBB AaBBAaBB BBBBBBAa AaAaAaBB"},
    {"a small tree is a chain again", 64,
     "AaAaAaAa BBBBBBBB AaBBAaAa BBBBAaAa AaAaBBAa BBAaBBAa AaBBBBAa BBBBBBAa AaAaAaBB BBAaAaAa AaBBBBBB "
     "BBAaAaBB -BBBBAaAa -AaAaAaAa -BBAaAaBB -AaBBBBAa -BBBBBBBB -BBBBBBAa -AaAaAaBB -BBAaAaAa AaAaAaAa "
     "AaAaBBBB",
     "AaBBAaAa AaAaBBAa AaAaBBBB AaAaAaAa BBAaBBAa AaBBBBBB"},
    {"growth divides a tree into a tree and a chain", 64,
     "d77 d99 d11 d153 d175 d131 d252 d197 d274 d55 d351 d33 d230 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 "
     "f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35",
     "f10 d99 d153 d11 d55 d230 d197 d274 d351 f12 f11 f14 f13 f0 f16 f1 f15 f2 f18 f3 f17 f4 f5 f19 f6 f7 f8 "
     "f9 f21 f20 f23 f22 f25 f24 f27 f26 f29 f28 f30 f32 d77 d33 d175 d131 f31 d252 f34 f33 f35"},
};

START_TEST(elements_come_in_javas_order)
{
    struct names names;
    char words[512];
    snprintf(words, sizeof(words), "%s", orders[_i].words);
    names_init(&names, orders[_i].capacity);
    add_words(&names, words);
    assert_order(&names.set, orders[_i].order);
    java_hash_set_release(&names.set);
}
END_TEST

START_TEST(a_table_never_shrinks)
{
    struct names names;
    names_init(&names, 8);
    char words[] = "a b c d e f g h i j k l m n";
    add_words(&names, words);
    uint32_t capacity = names.set.capacity;
    ck_assert_uint_eq(capacity, 32);
    for (size_t i = 0; i < names.count; i++)
        java_hash_set_remove(&names.set, &names.items[i].link);
    ck_assert_uint_eq(names.set.count, 0);
    ck_assert_ptr_null(java_hash_set_first(&names.set));
    ck_assert_ptr_null(java_hash_set_chain(&names.set, 0));
    ck_assert_uint_eq(names.set.capacity, capacity);
    java_hash_set_release(&names.set);
}
END_TEST

START_TEST(a_copy_has_the_order_of_its_own_table)
{
    struct names names;
    names_init(&names, 8);
    char words[] = "n0 n37 n74 n111 n148 n185 n222 n259";
    add_words(&names, words);
    for (size_t i = 0; i < 6; i++)
        java_hash_set_remove(&names.set, &names.items[i].link);
    struct java_hash_link **order = java_hash_set_copy_order(&names.set, java_hash_clone_capacity(names.set.count),
                                                             compare);
    assert_order(&names.set, "n222 n259");
    ck_assert_str_eq(text_of(order[0]), "n222");    /* 4 buckets: 2 and 3 */
    ck_assert_str_eq(text_of(order[1]), "n259");
    memory_free(order);
    java_hash_set_release(&names.set);
}
END_TEST

/* How often each name was visited, by its place in `items`. */
struct visits {
    const struct names *names;
    int count[64];
};

static void count_visit(struct java_hash_link *link, void *arg)
{
    struct visits *visits = arg;
    visits->count[container_of(link, struct name, link) - visits->names->items]++;
}

START_TEST(parts_show_once_what_stays_while_the_table_grows)
{
    static const uint32_t buckets_before[] = {0, 1, 5, 8};
    struct names names;
    struct visits visits = {&names, {0}};
    struct java_hash_cursor cursor = {0};
    names_init(&names, 8);
    char first[] = "a b c d n0 n37", later[] = "n74 n111 n148 n185 e f g h i j k l m -b";
    add_words(&names, first);
    for (uint32_t bucket = 0; bucket < buckets_before[_i]; bucket++)
        ck_assert(java_hash_set_visit_next(&names.set, &cursor, count_visit, &visits));
    add_words(&names, later);
    ck_assert_uint_ge(names.set.capacity, 32);
    while (java_hash_set_visit_next(&names.set, &cursor, count_visit, &visits))
        continue;
    for (size_t i = 0; i < names.count; i++)
        if (i < 6 && i != 1)
            ck_assert_int_eq(visits.count[i], 1);
        else
            ck_assert_int_le(visits.count[i], 1);
    java_hash_set_release(&names.set);
}
END_TEST

static void append_visit(struct java_hash_link *link, void *arg)
{
    struct buffer *order = arg;
    buffer_printf(order, "%s%s", order->size > 0 ? " " : "", text_of(link));
}

START_TEST(parts_have_javas_order)
{
    struct names names;
    struct java_hash_cursor cursor = {0};
    struct buffer order = {0};
    names_init(&names, 8);
    ck_assert(!java_hash_set_visit_next(&names.set, &cursor, append_visit, &order));
    char words[] = "a b c d e f g h i j k l m n n0 n37 n74";
    add_words(&names, words);
    while (java_hash_set_visit_next(&names.set, &cursor, append_visit, &order))
        continue;
    assert_order(&names.set, buffer_string(&order));
    buffer_release(&order);
    java_hash_set_release(&names.set);
}
END_TEST

static const struct {
    uint32_t count, clone, copy;
} capacities[] = {{1, 2, 16}, {2, 4, 16}, {3, 8, 16}, {11, 16, 16}, {12, 32, 32}, {24, 64, 64}, {1000, 2048, 2048}};

START_TEST(copies_are_made_with_javas_capacities)
{
    ck_assert_uint_eq(java_hash_clone_capacity(capacities[_i].count), capacities[_i].clone);
    ck_assert_uint_eq(java_hash_copy_capacity(capacities[_i].count), capacities[_i].copy);
}
END_TEST

static Suite *java_hash_set_suite(void)
{
    Suite *suite = suite_create("java_hash_set");
    TCase *tcase = tcase_create("java_hash_set");
    tcase_add_loop_test(tcase, elements_come_in_javas_order, 0, ARRAY_SIZE(orders));
    tcase_add_test(tcase, a_table_never_shrinks);
    tcase_add_test(tcase, a_copy_has_the_order_of_its_own_table);
    tcase_add_loop_test(tcase, parts_show_once_what_stays_while_the_table_grows, 0, 4);
    tcase_add_test(tcase, parts_have_javas_order);
    tcase_add_loop_test(tcase, copies_are_made_with_javas_capacities, 0, ARRAY_SIZE(capacities));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(java_hash_set_suite)
