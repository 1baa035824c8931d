/*
 * Checks a request, numbers it and makes its transaction. Mirrors PrepRequestProcessor; thread
 * "ProcessThread(sid:<id> cport:<port>):", queue Q3.
 */
#ifndef ZKC_SERVER_REQUEST_PREP_REQUEST_PROCESSOR_H
#define ZKC_SERVER_REQUEST_PREP_REQUEST_PROCESSOR_H

#include "server/request/server_core.h"

/* Starts its thread. Core and next are borrowed. process() and flush() may be called by any thread. */
struct request_processor *prep_request_processor_start(struct server_core *core, int client_port,
                                                       struct request_processor *next);

#endif
