/* The transport of requests that evhttp has read whole (transport.h).  Loop thread only. */
#pragma once

struct evhttp_request;

/* evhttp's callback for a request that has come in whole; its argument is the dispatch. */
void http_evhttp_begin(struct evhttp_request *evhttp, void *dispatch);
