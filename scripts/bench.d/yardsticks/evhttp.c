/* A server of nothing but evhttp: answers one body to every request.  usage: evhttp PORT BODY */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
on_request(struct evhttp_request *request, void *body)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
	struct evbuffer *buffer = evbuffer_new();

	evhttp_add_header(fields, "Content-Type", "application/json");
	evhttp_add_header(fields, "Cache-Control", "no-store");
	evbuffer_add(buffer, body, strlen(body));
	evhttp_send_reply(request, 200, "OK", buffer);
	evbuffer_free(buffer);
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);

	if (argc != 3 || evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)atoi(argv[1])) < 0)
		return 1;
	evhttp_set_gencb(http, on_request, argv[2]);
	puts("ready");
	fflush(stdout);
	return event_base_dispatch(base) < 0;
}
