/* Tests of upstream work and of the transfers' threads, against a server in the test. */
#include "work/upstream/upstream.h"

#include "common/cleanup.h"
#include "common/list.h"
#include "transfer/transfers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define PATIENCE_MS 10000
#define MANY 70 /* more than two threads take */

/* A server that reads one request a connection; what it answers the test says, one text after the other. */
struct server {
	int listener;
	char url[64];
	const char *const *answers; /* ended by NULL, where the last one goes on for all that follow; NULL
				       itself: none */
	pthread_t thread;
	_Atomic unsigned requests;
	_Atomic unsigned left; /* connections that the other side has closed without an answer */
	char first[2048];      /* the first request; to be read once it was answered */
};

struct fixture {
	struct event_base *base;
	struct mailbox *mailbox;
	struct transfers *transfers;
	struct server server;
	struct upstream_config config;
	struct work *work;
	bool is_stopped;
};

struct one {
	struct work_run run;
	struct work_control control;
	struct work_result result;
	struct work_input *input;
	unsigned mails;
};

struct visit {
	struct server *server;
	int fd;
};

static void *
serve_visit(void *arg)
{
	struct visit visit = *(struct visit *)arg;
	struct server *server = visit.server;
	char request[2048] = "";
	size_t len = 0;
	ssize_t n = 1;

	free(arg);
	while (!strstr(request, "\r\n\r\n") && n > 0) {
		n = recv(visit.fd, request + len, sizeof request - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	unsigned number = atomic_fetch_add(&server->requests, 1);
	if (number == 0)
		memcpy(server->first, request, sizeof request);
	if (server->answers) {
		const char *const *answer = server->answers;
		for (unsigned i = 0; i < number && answer[1]; i++)
			answer++;
		assert_true(send(visit.fd, *answer, strlen(*answer), MSG_NOSIGNAL) >= 0);
	} else {
		while (recv(visit.fd, request, sizeof request, 0) > 0)
			;
		atomic_fetch_add(&server->left, 1);
	}
	close(visit.fd);
	return NULL;
}

static void *
serve(void *arg)
{
	struct server *server = arg;
	pthread_t threads[2 * MANY];
	size_t count = 0;

	for (int fd; count < sizeof threads / sizeof *threads;) {
		fd = accept(server->listener, NULL, NULL);
		if (fd < 0)
			break;
		struct visit *visit = malloc(sizeof *visit);
		*visit = (struct visit){server, fd};
		pthread_create(&threads[count++], NULL, serve_visit, visit);
	}
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return NULL;
}

static void
start_server(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(bind(server->listener, (struct sockaddr *)&address, len) == 0);
	assert_true(listen(server->listener, 2 * MANY) == 0);
	assert_true(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/base", ntohs(address.sin_port));
	pthread_create(&server->thread, NULL, serve, server);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->base = event_base_new();
	assert_int_equal(mailbox_new(f->base, &f->mailbox), 0);
	f->transfers = transfers_new(f->mailbox);
	start_server(&f->server);
	f->config = (struct upstream_config){.url = f->server.url, .connect_timeout_ms = PATIENCE_MS};
	*state = f;
	return 0;
}

static void
stop_transfers(struct fixture *f)
{
	if (!f->is_stopped)
		transfers_stop(f->transfers);
	f->is_stopped = true;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	stop_transfers(f);
	mailbox_drain(f->mailbox);
	transfers_free(f->transfers);
	shutdown(f->server.listener, SHUT_RDWR);
	pthread_join(f->server.thread, NULL);
	close(f->server.listener);
	work_unref(f->work);
	mailbox_free(f->mailbox);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void
on_mail(struct mail *mail)
{
	container_of(mail, struct one, run.mail)->mails++;
}

static void
begin(struct fixture *f, struct one *one, const char *method)
{
	if (!f->work)
		assert_int_equal(upstream_new(&f->config, &f->work), 0);
	one->input = work_input_new();
	one->input->method = xstrdup(method);
	one->input->path = xstrdup("/api/x");
	one->input->query = xstrdup("");
	one->input->route = xstrdup("/api/{rest...}");
	one->input->base = xstrdup("http://ours");
	one->input->scheme = xstrdup("http");
	one->input->authority = xstrdup("ours");
	one->input->remote_address = xstrdup("::1");
	if (!one->control.wake_fd)
		work_control_init_begun(&one->control);
	one->run.input = one->input;
	one->run.control = &one->control;
	one->run.result = &one->result;
	one->run.transfers = f->transfers;
	one->run.mail.deliver = on_mail;
	f->work->type->begin(f->work, &one->run);
}

/* Lets the loop run until condition holds. */
#define UNTIL(condition) \
	do { \
		for (int waited_ms = 0; !(condition); waited_ms++) { \
			assert_true(waited_ms < PATIENCE_MS); \
			event_base_loop(f->base, EVLOOP_NONBLOCK); \
			poll(NULL, 0, 1); \
		} \
	} while (0)

static void
end(struct one *one)
{
	assert_int_equal(one->mails, 1);
	work_result_fini(&one->result);
	work_input_free(one->input);
	work_control_fini(&one->control);
}

static void
mistakes_are_told(void **state)
{
	char no_colon[] = "X-Own", bad_name[] = "X Own: 1", bad_value[] = "X-Own: a\nb";
	char *const headers[] = {no_colon, bad_name, bad_value};
	char ftp[] = "ftp://h", user[] = "http://u:p@h", good[] = "http://h";
	char *const urls[] = {ftp, user};
	struct work *work = NULL;

	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct upstream_config config = {.url = urls[i]};
		assert_int_equal(upstream_new(&config, &work), -EINVAL);
	}
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		char *list[] = {headers[i], NULL};
		struct upstream_config config = {.url = good, .headers = list};
		assert_int_equal(upstream_new(&config, &work), -EINVAL);
	}
	assert_null(work);
}

static void
an_answer_becomes_the_result(void **state)
{
	static const char *const answers[] = {"HTTP/1.1 201 Created\r\nLocation: /base/y\r\nContent-Length: "
					      "2\r\nConnection: close\r\n\r\nok",
		NULL};
	struct fixture *f = *state;
	struct one one = {0};

	f->server.answers = answers;
	begin(f, &one, "POST");
	UNTIL(one.mails);
	assert_int_equal(one.result.status, 201);
	assert_int_equal(one.result.problem, PROBLEM_NONE);
	assert_memory_equal(blob_data(one.result.body), "ok", 2);
	CLEANUP_FREE char *location = fields_dup_value(&one.result.fields, "Location");
	assert_string_equal(location, "http://ours/api/y");
	assert_ptr_equal(strstr(f->server.first, "POST /base/x? HTTP/1.1\r\n"), f->server.first);
	assert_non_null(strstr(f->server.first, "\r\nForwarded: for=\"[::1]\";host=\"ours\";proto=http\r\n"));
	assert_null(strstr(f->server.first, "\r\nAccept:"));
	end(&one);
}

static _Atomic unsigned checks;

static void
count_check(struct work_run *run)
{
	assert_int_equal(run->result->status, 200);
	checks++;
}

static void
another_kind_of_work_may_stand_before_it(void **state)
{
	static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL};
	struct fixture *f = *state;
	struct one one = {.run = {.method = "POST", .check = count_check}};

	f->server.answers = answers;
	checks = 0;
	begin(f, &one, "DELETE");
	UNTIL(one.mails);
	assert_int_equal(checks, 1);
	assert_ptr_equal(strstr(f->server.first, "POST "), f->server.first);
	end(&one);
}

static void
what_is_busy_is_tried_again(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", NULL};
	struct fixture *f = *state;
	struct upstream_stats stats;
	struct one one = {0};

	f->server.answers = answers;
	f->config.retry = (struct retry_config){.times = 3, .for_ms = PATIENCE_MS};
	begin(f, &one, "PUT");
	UNTIL(one.mails);
	assert_int_equal(one.result.status, 200);
	assert_null(one.result.body);
	assert_true(upstream_get_stats(f->work, &stats));
	assert_int_equal(stats.retries, 1);
	assert_int_equal(stats.breaker.calls, 2);
	end(&one);
}

static void
what_is_stopped_before_its_turn_reaches_nobody(void **state)
{
	struct fixture *f = *state;
	struct one one = {0};

	work_control_init_begun(&one.control);
	work_control_stop(&one.control, WORK_STOP);
	begin(f, &one, "POST");
	UNTIL(one.mails);
	assert_int_equal(one.result.problem, PROBLEM_CANCELLED);
	assert_int_equal(f->server.requests, 0);
	end(&one);
}

static void
what_rests_can_be_stopped(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		NULL};
	struct fixture *f = *state;
	struct one one = {0};

	f->server.answers = answers;
	f->config.retry = (struct retry_config){.times = 3, .for_ms = INT64_C(86400000)};
	begin(f, &one, "GET");
	UNTIL(f->server.requests == 1);
	work_control_stop(&one.control, WORK_STOP);
	UNTIL(one.mails);
	assert_int_equal(one.result.problem, PROBLEM_CANCELLED);
	assert_int_equal(f->server.requests, 1);
	end(&one);
}

static void
many_wait_and_each_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct one *many = calloc(MANY, sizeof *many);
	unsigned ended = 0;

	for (unsigned i = 0; i < MANY; i++)
		begin(f, &many[i], "POST");
	UNTIL(f->server.requests == MANY);
	for (unsigned i = 0; i < MANY; i += 2)
		work_control_stop(&many[i].control, WORK_STOP);
	UNTIL(f->server.left == MANY / 2);
	for (unsigned i = 0; i < MANY; i += 2)
		UNTIL(many[i].mails);
	for (unsigned i = 0; i < MANY; i++)
		ended += many[i].mails;
	assert_int_equal(ended, MANY / 2);

	/* The rest at the end of the process: nothing is left behind. */
	for (unsigned i = 1; i < MANY; i += 2)
		work_control_stop(&many[i].control, WORK_KILL);
	stop_transfers(f);
	mailbox_drain(f->mailbox);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(many[i].result.problem, PROBLEM_CANCELLED);
		end(&many[i]);
	}
	free(many);
}

static void
nobody_there(void **state)
{
	struct fixture *f = *state;
	char url[] = "http://127.0.0.1:1";
	struct one one = {0};

	f->config.url = url;
	f->config.breaker = (struct breaker_config){.failures = 1, .pause_ms = INT64_C(3600000)};
	begin(f, &one, "POST");
	UNTIL(one.mails);
	assert_int_equal(one.result.problem, PROBLEM_UPSTREAM_UNREACHABLE);
	assert_int_equal(one.result.status, 502);
	end(&one);

	struct one refused = {0};
	begin(f, &refused, "POST");
	UNTIL(refused.mails);
	assert_int_equal(refused.result.problem, PROBLEM_UPSTREAM_UNREACHABLE);
	assert_int_equal(refused.result.status, 503);
	end(&refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test_setup_teardown(an_answer_becomes_the_result, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_kind_of_work_may_stand_before_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_busy_is_tried_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_stopped_before_its_turn_reaches_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_rests_can_be_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_wait_and_each_can_be_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_there, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
