/* Tests of deferctl/ticket.c. */
#include "deferctl/ticket.h"

#include "common/cleanup.h"
#include "common/json/json.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	long status;
	const char *wire, *body;
	enum monitor_kind kind;
	const char *url, *result; /* url NULL: no ticket */
} cases[] = {
	{202, "Location: /m\r\n", NULL, MONITOR_PLAIN, "http://a/m", NULL},
	{202, "Location: /m\r\nContent-Location: /c\r\n", NULL, MONITOR_PLAIN, "http://a/c", NULL},
	{202, "Location: /self\r\nLink: </x>; rel=\"self\", </m>; rel=\"monitor\"\r\n", NULL, MONITOR_PLAIN,
		"http://a/m", NULL},
	{202, "Link: </x>; rel=next\r\n", NULL, MONITOR_PLAIN, NULL, NULL},
	{202, "Link: </x\r\n", NULL, MONITOR_PLAIN, NULL, NULL},
	{202, "GW-Async-Location: /async/v1/requests/1\r\n", NULL, MONITOR_PLAIN,
		"http://a/async/v1/requests/1/response", NULL},
	{202, "Operation-Location: /o\r\nLocation: /l\r\n", NULL, MONITOR_STATUS, "http://a/o", "http://a/l"},
	{201, "Azure-AsyncOperation: http://b/o\r\n", NULL, MONITOR_STATUS, "http://b/o", NULL},
	{202, "", "{\"asyncOperation\":{\"token\":\"t-1\"}}", MONITOR_TOKEN,
		"http://a/call/poll?asyncOperationToken=t-1", NULL},
	{202, "", "{\"asyncOperation\":{\"token\":\"t&x\"}}", MONITOR_TOKEN, NULL, NULL},
	{202, "Location: /s\r\n", "{\"operationId\":1}", MONITOR_STATUS, "http://a/s", NULL},
	{201, "", "{\"status\":\"starting\",\"urls\":{\"get\":\"/p/1\"}}", MONITOR_STATUS, "http://a/p/1",
		NULL},
	{201, "Content-Location: /c\r\n", "{\"status\":\"starting\"}", MONITOR_PLAIN, "http://a/c", NULL},
	{200, "", "{\"name\":\"operations/1\",\"done\":false}", MONITOR_LONG_RUNNING,
		"http://a/v1/operations/1", NULL},
	{200, "", "{\"name\":\"operations/1\",\"done\":true}", MONITOR_LONG_RUNNING, NULL, NULL},
	{200, "Location: /m\r\n", "{}", MONITOR_PLAIN, NULL, NULL},
	{202, "", NULL, MONITOR_PLAIN, NULL, NULL},
	{202, "Location: file:///etc/passwd\r\n", NULL, MONITOR_PLAIN, NULL, NULL},
	{404, "Location: /m\r\n", NULL, MONITOR_PLAIN, NULL, NULL},
};

static void
check(size_t i)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	CLEANUP(cleanup_json) struct json_object *body = NULL;
	CLEANUP(ticket_fini) struct ticket ticket = {0};
	struct json_mistake mistake;

	assert_int_equal(fields_from_wire(&fields, cases[i].wire, strlen(cases[i].wire)), 0);
	if (cases[i].body)
		assert_int_equal(json_parse(cases[i].body, strlen(cases[i].body), &body, &mistake), 0);
	bool is_ticket = ticket_read("http://a/call?x=1", cases[i].status, &fields, body, &ticket);
	assert_int_equal(is_ticket, cases[i].url != NULL);
	if (!is_ticket)
		return;
	assert_string_equal(ticket.url, cases[i].url);
	assert_int_equal(ticket.kind, cases[i].kind);
	assert_string_equal(
		ticket.result ? ticket.result : "none", cases[i].result ? cases[i].result : "none");
}

static void
test_read(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check(i);
}

static void
test_of_url(void **state)
{
	static const struct {
		const char *given, *url;
		enum monitor_kind kind;
	} urls[] = {
		{"http://a/operations/1", "http://a/operations/1", MONITOR_PLAIN},
		{"http://a/async/v1/requests/1", "http://a/async/v1/requests/1/response", MONITOR_PLAIN},
		{"http://a/async/v1/requests/1/response", "http://a/async/v1/requests/1/response",
			MONITOR_PLAIN},
		{"http://a/v1/operationStatus/1", "http://a/v1/operationStatus/1", MONITOR_STATUS},
		{"http://a/azure/operations/1", "http://a/azure/operations/1", MONITOR_STATUS},
		{"http://a/v1/operations/1", "http://a/v1/operations/1", MONITOR_LONG_RUNNING},
	};

	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		CLEANUP(ticket_fini) struct ticket ticket;
		ticket_of_url(urls[i].given, &ticket);
		assert_string_equal(ticket.url, urls[i].url);
		assert_int_equal(ticket.kind, urls[i].kind);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_of_url)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
