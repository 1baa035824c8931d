/* flavour_mt.c - this is libzookeeper_mt. */
#include "client/flavour.h"

const bool flavour_has_threads = true;
