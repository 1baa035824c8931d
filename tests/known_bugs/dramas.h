/* All dramas there are. */
#ifndef ZKC_TESTS_KNOWN_BUGS_DRAMAS_H
#define ZKC_TESTS_KNOWN_BUGS_DRAMAS_H

#include "tests/known_bugs/stage.h"

extern const struct drama dramas[];    /* the last one has no name */

void play_diff_and_power(struct cluster *cluster);
void play_snap_and_power(struct cluster *cluster);
void play_slow_log(struct cluster *cluster);
void play_phantom(struct cluster *cluster);
void play_phantom_that_stays(struct cluster *cluster);
void play_disk_error(struct cluster *cluster);
void play_killed_before_sync(struct cluster *cluster);
void play_failed_at_start(struct cluster *cluster);
void play_power_of_all(struct cluster *cluster);
void play_leader_lost_in_snap(struct cluster *cluster);
void play_leader_lost_in_diff(struct cluster *cluster);
void play_join_under_load(struct cluster *cluster);
void play_heir_of_a_diff(struct cluster *cluster);

#endif
