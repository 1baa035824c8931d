/* Applies, answers. Mirrors FinalRequestProcessor; runs on its caller's thread. */
#ifndef ZKC_SERVER_REQUEST_FINAL_REQUEST_PROCESSOR_H
#define ZKC_SERVER_REQUEST_FINAL_REQUEST_PROCESSOR_H

#include "server/request/server_core.h"

struct request_processor *final_request_processor_new(struct server_core *core);

#endif
