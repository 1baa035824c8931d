/* pending_request.c - requests that wait for their answers, and the order they wait in. */
#include "client/pending_request.h"

#include "common/base/memory.h"

struct pending_request *pending_request_new(enum completion_type type, union completion completion, const void *data)
{
    struct pending_request *request = MEMORY_NEW(struct pending_request);
    request->type = type;
    request->completion = completion;
    request->data = data;
    request->deadline_ms = INT64_MAX;
    return request;
}

void pending_request_free(struct pending_request *request)
{
    if (request == NULL)
        return;
    memory_free(request->watch.path);
    memory_free(request->multi);
    blob_unref(request->reply);
    memory_free(request);
}

void pending_list_add(struct pending_list *list, struct pending_request *request)
{
    request->next = NULL;
    if (list->last != NULL)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
    list->count++;
}

void pending_list_add_first(struct pending_list *list, struct pending_request *request)
{
    request->next = list->first;
    list->first = request;
    if (list->last == NULL)
        list->last = request;
    list->count++;
}

struct pending_request *pending_list_take(struct pending_list *list)
{
    struct pending_request *request = list->first;
    if (request == NULL)
        return NULL;
    list->first = request->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    request->next = NULL;
    return request;
}
