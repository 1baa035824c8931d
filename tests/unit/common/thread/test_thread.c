/* test_thread.c - named threads and their signals. */
#include "common/thread/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

struct facts {
    char *name, *myid;
    char kernel_name[16];
    sigset_t blocked;
};

static void look_around(void *arg)
{
    struct facts *facts = arg;
    facts->name = string_copy(thread_current_name());
    facts->myid = string_copy(log_myid());
    pthread_getname_np(pthread_self(), facts->kernel_name, sizeof(facts->kernel_name));
    pthread_sigmask(SIG_SETMASK, NULL, &facts->blocked);
}

static void facts_release(struct facts *facts)
{
    memory_free(facts->name);
    memory_free(facts->myid);
}

static const struct { const char *name, *kernel_name; } names[] = {
    { "SyncThread:1", "SyncThread:1" },
    { "NIOServerCxnFactory.AcceptThread", "AcceptThread" },
    { "NIOServerCxnFactory.SelectorThread-0", "Selectorhread-0" },
    { "QuorumPeer[myid=1](plain=127.0.0.1:2181)", "QuorumPe1:2181)" },
    { "exactly fifteen", "exactly fifteen" },
    { "", "" },
};
START_TEST(a_thread_has_its_name)
{
    struct facts facts;
    thread_join(thread_start(names[_i].name, look_around, &facts));
    ck_assert_str_eq(facts.name, names[_i].name);
    ck_assert_str_eq(facts.kernel_name, names[_i].kernel_name);
    ck_assert_str_eq(thread_current_name(), "main");
    facts_release(&facts);
}
END_TEST

START_TEST(a_thread_has_the_myid_of_its_maker)
{
    struct facts facts;
    log_set_myid("3");
    thread_join(thread_start("a", look_around, &facts));
    ck_assert_str_eq(facts.myid, "3");
    facts_release(&facts);
}
END_TEST

START_TEST(a_thread_blocks_the_signals_of_the_process)
{
    struct facts facts;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    thread_join(thread_start("a", look_around, &facts));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert(sigismember(&facts.blocked, SIGTERM));
    ck_assert(sigismember(&facts.blocked, SIGHUP));
    ck_assert(!sigismember(&facts.blocked, SIGSEGV));
    ck_assert(!sigismember(&facts.blocked, SIGABRT));
    ck_assert_int_eq(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    facts_release(&facts);
}
END_TEST

struct self {
    struct thread *_Atomic thread;
    bool is_known;
};

static void know_oneself(void *arg)
{
    struct self *self = arg;
    while (self->thread == NULL)
        sched_yield();    /* until the one that started us has said who we are */
    self->is_known = thread_is_current(self->thread);
}

START_TEST(a_thread_knows_itself)
{
    struct self self = { .thread = NULL };
    struct thread *thread = thread_start("a", know_oneself, &self);
    ck_assert(!thread_is_current(thread));
    ck_assert(!thread_is_current(NULL));
    self.thread = thread;
    thread_join(thread);
    ck_assert(self.is_known);
    thread_join(NULL);
}
END_TEST

START_TEST(there_is_a_processor)
{
    ck_assert_int_ge(thread_processors(), 1);
}
END_TEST

static void give_way(void *arg)
{
    int *nice_value = arg;
    thread_give_way();
    *nice_value = getpriority(PRIO_PROCESS, 0);
}

/* From where the test is run, from beyond the ten steps, and from the last one, behind which there is none. */
START_TEST(a_thread_gives_way_alone)
{
    const int last = 19, least[] = { -20, 12, last };
    if (getpriority(PRIO_PROCESS, 0) < least[_i])
        setpriority(PRIO_PROCESS, 0, least[_i]);    /* this process is for the one test */
    int before = getpriority(PRIO_PROCESS, 0), inside = -100;
    thread_join(thread_start("giver", give_way, &inside));
    ck_assert_int_eq(inside, before + 10 < last ? before + 10 : last);
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), before);
}
END_TEST

START_TEST(a_signal_is_waited_for)
{
    static const int signals[] = { SIGTERM, SIGHUP };
    thread_block_signals(signals, 2);
    ck_assert_int_eq(thread_wait_signal(signals, 2, 0), 0);
    ck_assert_int_eq(thread_wait_signal(signals, 2, 3), 0);
    kill(getpid(), SIGHUP);
    ck_assert_int_eq(thread_wait_signal(signals, 2, 0), SIGHUP);
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(thread_wait_signal(signals, 2, -1), SIGTERM);
}
END_TEST

static Suite *thread_suite(void)
{
    Suite *suite = suite_create("thread");
    TCase *tcase = tcase_create("thread");
    tcase_add_loop_test(tcase, a_thread_has_its_name, 0, ARRAY_SIZE(names));
    tcase_add_test(tcase, a_thread_has_the_myid_of_its_maker);
    tcase_add_test(tcase, a_thread_blocks_the_signals_of_the_process);
    tcase_add_test(tcase, a_thread_knows_itself);
    tcase_add_test(tcase, there_is_a_processor);
    tcase_add_loop_test(tcase, a_thread_gives_way_alone, 0, 3);
    tcase_add_test(tcase, a_signal_is_waited_for);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(thread_suite)
