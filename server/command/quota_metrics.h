/* Quotas and what they are used up, by the first name of their path. Mirrors QuotaMetricsUtils. */
#ifndef ZKC_SERVER_COMMAND_QUOTA_METRICS_H
#define ZKC_SERVER_COMMAND_QUOTA_METRICS_H

#include "server/tree/data_tree.h"

/*
 * Calls `row` with "<namespace>_quota_count_limit_per_namespace" and so on, for all four sets, in the order of Java's
 * maps. A namespace is summed over the quotas in it. A node that holds no quota is left out, where Java breaks off.
 */
void quota_metrics_list(struct data_tree *tree, void (*row)(void *context, const char *name, int64_t value),
                        void *context);

#endif
