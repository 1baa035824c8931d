/* flavour_st.c - this is libzookeeper_st. */
#include "client/flavour.h"

const bool flavour_has_threads = false;
