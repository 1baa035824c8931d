/* Elapsed and wall time. Mirrors org.apache.zookeeper.common.Time. Any thread. */
#ifndef ZKC_COMMON_BASE_CLOCK_H
#define ZKC_COMMON_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic time; never goes back, has no date. Deadlines everywhere are in this time. */
int64_t clock_elapsed_ms(void);
int64_t clock_elapsed_ns(void);
/* Elapsed time as of the last tick of the kernel, some milliseconds ago at the most: a fraction of the price, for sums
 * of many durations and for what is rounded to ticks. Not to be mixed with the exact one in one difference. */
int64_t clock_coarse_ms(void);
/* For who has to see whether the process itself stood still: when a sleep begins, and by how many ms it became longer
 * than it was to be. 0 where a test has frozen the clock, as time is then what the test says. */
int64_t clock_sleep_begins_ms(void);
int64_t clock_overslept_ms(int64_t begin_ms, int64_t wanted_ms);

/* Wall time in milliseconds since 1970: ctime, mtime, TTLs, log lines, and nothing else. */
int64_t clock_wall_ms(void);
/* Milliseconds since a wall time that somebody else gave; 0 for one that no clock can show. */
int64_t clock_wall_ms_since(int64_t wall_ms);

/* Time of day of the wall clock, local, for people. */
void clock_local_time(int64_t wall_ms, struct tm *ret_time);

/* Sleeps; for tests and tools, roles wait on their queue or poller. */
void clock_sleep_ms(int64_t ms);

/*
 * For those who wait: nanoseconds one may really sleep before the deadline (elapsed ms) has to be looked at again; 0
 * when it has come. At most an hour, and at most 2 ms while the clock is frozen, so that who waits sees it advance.
 */
int64_t clock_nap_ns(int64_t deadline_ms);

/* Tests: from clock_freeze() to clock_thaw() both clocks stand and go only by clock_advance_ms(). */
void clock_freeze(int64_t elapsed_ms, int64_t wall_ms);
void clock_advance_ms(int64_t ms);
void clock_set_wall_ms(int64_t wall_ms);
void clock_thaw(void);

#endif
