/* The wire guard as its caller sees it: verdicts, pieces, pipelines, and floods that are cut. */
#include "tests/unit/server/http/guard/guard_cases.h"

static void
check_feed(struct guard *guard, const char *data, enum guard_verdict verdict, size_t used)
{
	size_t now_used = SIZE_MAX;

	assert_int_equal(guard_feed(guard, data, strlen(data), &now_used), verdict);
	assert_int_equal(now_used, used);
}

/* One call for the head, and one for the body if there is one. */
static void
check_request(struct guard *guard, const char *request)
{
	size_t head_len = (size_t)(strstr(request, "\r\n\r\n") + 4 - request);

	if (request[head_len]) {
		check_feed(guard, request, GUARD_PASS, head_len);
		assert_true(guard->in_body);
		request += head_len;
	}
	check_feed(guard, request, GUARD_COMPLETE, strlen(request));
}

static void
test_one_call_for_one_request(void **state)
{
	static const char *const requests[] = {
		GET HOST END,
		"HEAD /a/b.c?d=%20 HTTP/1.0\r\nAccept: */*\r\nUser-Agent: x\r\n" END,
		POST HOST "Content-Length: 5\r\n" END "hello",
		CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
	};
	struct guard guard;

	guard_init(&guard, &guard_test_limits);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		check_request(&guard, requests[i]);
}

static void
test_verdicts_are_of_one_kind_each(void **state)
{
	struct guard guard;

	guard_init(&guard, &guard_test_limits);
	check_feed(&guard, "\r\n" CHUNKED, GUARD_DROP, 2);
	check_feed(&guard, CHUNKED "1;a\r\n", GUARD_PASS, strlen(CHUNKED));
	check_feed(&guard, "1;a\r\n", GUARD_PASS, 1);
	check_feed(&guard, ";a\r\nx", GUARD_DROP, 2);
	check_feed(&guard, "\r\nx\r\n0\r\nA: b\r\n", GUARD_PASS, 8);
	check_feed(&guard, "A: b\r\n\r\nGET", GUARD_DROP, 6);
	check_feed(&guard, "\r\nGET", GUARD_COMPLETE, 2);
	check_feed(&guard, "GET /\r\n", GUARD_PASS, 5);
	check_feed(&guard, "\r\n", GUARD_REFUSE, 0);
	assert_int_equal(guard.problem, PROBLEM_BAD_REQUEST);
	check_feed(&guard, "GET / HTTP/1.1\r\n", GUARD_REFUSE, 0);
}

static void
test_began(void **state)
{
	struct guard guard;

	guard_init(&guard, &guard_test_limits);
	assert_false(guard.began);
	check_feed(&guard, "\r\n", GUARD_DROP, 2);
	assert_false(guard.began);
	check_feed(&guard, "G", GUARD_PASS, 1);
	assert_true(guard.began);
	check_feed(&guard, "ET / HTTP/1.0\r\n\r\n", GUARD_COMPLETE, 17);
	assert_false(guard.began);
}

static void
test_pipelines(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(3, GET HOST END GET HOST END GET HOST END),
		GOOD(3, CHUNKED "1\r\na\r\n0\r\n\r\n" POST HOST "Content-Length: 1\r\n" END "b" GET HOST END),
		GOOD_AS(3, GET HOST END "\r\n" CHUNKED "0\r\nA: b\r\n\r\n\r\n" GET HOST END,
			GET HOST END CHUNKED "0\r\n\r\n" GET HOST END),
		/* what one request said is forgotten at the next */
		GOOD(2, "HEAD / HTTP/1.0\r\n\r\n" POST HOST "Content-Length: 1\r\n" END "b"),
		GOOD(2, "GET / HTTP/1.0\r\n\r\n" CHUNKED "0\r\n\r\n"),
		{.good = GET HOST END GET HOST END "POST /a",
			.good_len = sizeof(GET HOST END GET HOST END "POST /a") - 1,
			.bad = "#\r\n",
			.bad_len = 3,
			.problem = PROBLEM_BAD_REQUEST,
			.requests = 2},
		{.good = GET HOST END GET,
			.good_len = sizeof(GET HOST END GET) - 1,
			.bad = "\r\n",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.requests = 1},
		/* a body that looks like a request is one only after its end */
		GOOD(2, POST HOST "Content-Length: 18\r\n" END "GET /a HTTP/1.1\r\n\r" GET HOST END),
		/* a body that was not announced is the next request */
		{.good = POST HOST END,
			.good_len = sizeof(POST HOST END) - 1,
			.bad = "{}",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.requests = 1},
	};

	guard_check_cases(cases);
}

/* What goes on for ever is refused within its limit, wherever it goes on. */
static void
test_floods_are_cut(void **state)
{
	static const struct {
		const char *before;
		const char *flood;
		size_t most;
	} cases[] = {
		{"", "\r\n", 2},
		{"", "A", 7},
		{"GET /", "a", 63},
		{"GET /", "a/", 63},
		{"GET /", "%41", 63},
		{"GET /?", "%41", 62},
		{"GET / HTTP/1.1\r\n", "a", 96},
		{"GET / HTTP/1.1\r\n", "a:\r\n", 24},
		{"GET / HTTP/1.1\r\nA:", " ", 94},
		{"GET / HTTP/1.1\r\nA:", "\t", 94},
		{"GET / HTTP/1.1\r\nA:", "b", 94},
		{"GET / HTTP/1.1\r\nA: b", " ", 92},
		{"GET / HTTP/1.1\r\nHost: a", " ", 89},
		{"GET / HTTP/1.1\r\nHost: a:", "0", 88},
		{"GET / HTTP/1.1\r\nConnection:", ",", 85},
		{POST "Content-Length:", "0", 81},
		{CHUNKED, "0", 16},
		{CHUNKED "1", " ", 24},
		{CHUNKED "1;", "a", 23},
		{CHUNKED "1;a=\"", "b", 20},
		{CHUNKED "", "1\r\na\r\n", 600},
		{CHUNKED "0\r\n", "a:\r\n", 24},
		{CHUNKED "0\r\na:", "b", 94},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guard_trace trace;
		size_t before_len = strlen(cases[i].before);

		guard_trace_init(&trace, &guard_test_limits);
		if (before_len > 0)
			guard_trace_feed(&trace, cases[i].before, before_len);
		for (int k = 0; k < 1000 && !trace.refused; k++)
			guard_trace_feed(&trace, cases[i].flood, strlen(cases[i].flood));
		if (!trace.refused || trace.fed - before_len != cases[i].most)
			fail_msg("\"%s\" and then \"%s\" for ever: %zu bytes instead of %zu", cases[i].before,
				cases[i].flood, trace.fed - before_len, cases[i].most);
		guard_trace_fini(&trace);
	}
}

/* Every byte at every place of a request: all of it must be the same in any pieces. */
static void
test_any_byte_anywhere(void **state)
{
	static const char request[] =
		"POST /a/%2e.c?b=%41 HTTP/1.1\r\nHost: a:80\r\nA: \tb\r\n"
		"Transfer-Encoding: chunked\r\n\r\n1 ;a=\"b\\c\"\r\nx\r\n0\r\nC: d\r\n\r\n" GET HOST END;
	struct guard_limits limits = guard_test_limits;

	limits.max_chunk_ext_bytes = 9;
	for (size_t at = 0; at < sizeof(request) - 1; at++)
		for (int byte = 0; byte < 256; byte++) {
			char wire[sizeof(request)];
			struct guard_trace whole;

			memcpy(wire, request, sizeof(wire));
			wire[at] = (char)byte;
			guard_trace_init(&whole, &limits);
			guard_trace_feed(&whole, wire, sizeof(wire) - 1);
			guard_trace_check_pieces(&whole, wire, sizeof(wire) - 1, at, 2);
			guard_trace_check_pieces(&whole, wire, sizeof(wire) - 1, 0, 1);
			if (!whole.refused)
				assert_true(whole.fed == sizeof(wire) - 1);
			else
				assert_true(whole.fed >= at);
			guard_trace_fini(&whole);
		}
}

/* What is noted of a request that comes whole. */
static void
test_note(void **state)
{
	static const char wire[] = "HEAD /a?b HTTP/1.1\r\nHost:a\r\nX-Y:  c d \t\r\nZ:\r\n\r\n";
	static const char *const spoils[] = {"GET / HTTP/1.0\r\n\r\n", GET HOST "content-length: 0\r\n\r\n",
		GET HOST "Expect: 100-continue\r\n\r\n", GET HOST "Transfer-Encoding: chunked\r\n\r\n"};
	static const char *const parts[][2] = {{"Host", "a"}, {"X-Y", "c d \t"}, {"Z", ""}};
	struct guard guard;
	struct guard_note note;
	size_t used;

	(void)state;
	guard_init(&guard, &guard_test_limits);
	guard.note = &note;
	assert_int_equal(guard_feed(&guard, wire, strlen(wire), &used), GUARD_COMPLETE);
	assert_true(note.is_plain && !guard.note && note.field_count == 3);
	assert_memory_equal(wire + note.target, "/a?b ", 5);
	assert_int_equal(note.target_len, 4);
	for (unsigned i = 0; i < 3; i++) {
		const struct guard_field_note *field = &note.fields[i];
		assert_int_equal(field->name_len, strlen(parts[i][0]));
		assert_memory_equal(wire + field->name, parts[i][0], field->name_len);
		assert_int_equal(field->value_len, strlen(parts[i][1]));
		assert_memory_equal(wire + field->value, parts[i][1], field->value_len);
	}
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		guard_init(&guard, &guard_test_limits);
		guard.note = &note;
		(void)guard_feed(&guard, spoils[i], strlen(spoils[i]), &used);
		assert_false(note.is_plain);
	}
}

/* Once it is known what a request is for, its chunks may come to less than the limits say; whatever has come
 * of a size by then. */
static void
test_lower_limit(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const struct {
		const char *before, *after;
		enum guard_verdict verdict; /* of after */
		size_t used;		    /* before the byte that is refused */
	} cases[] = {
		{"", "a\r\n", GUARD_PASS, 3},
		{"", "b\r\n", GUARD_REFUSE, 0},
		{"", "10\r\n", GUARD_REFUSE, 1},
		{"a", "\r\n", GUARD_PASS, 2},
		{"f", "\r\n", GUARD_REFUSE, 1},
		{"f\r", "\n", GUARD_REFUSE, 0},
		{"4\r\nabcd\r\n", "6\r\n", GUARD_PASS, 3},
		{"4\r\nabcd\r\n", "7\r\n", GUARD_REFUSE, 0},
		{"a\r\nabcdefghij\r\n", "0\r\n\r\n", GUARD_COMPLETE, 5},
		{"a\r\nabcdefghij\r\n", "1\r\n", GUARD_REFUSE, 0},
	};
	struct guard guard;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = cases[i].after;
		size_t used, left = strlen(at), passed = 0;
		enum guard_verdict verdict;

		guard_init(&guard, &guard_test_limits);
		assert_int_equal(guard_feed(&guard, head, strlen(head), &used), GUARD_PASS);
		for (size_t fed = 0; fed < strlen(cases[i].before); fed += used)
			assert_int_not_equal(guard_feed(&guard, cases[i].before + fed,
						     strlen(cases[i].before) - fed, &used),
				GUARD_REFUSE);
		guard_limit_body(&guard, 10);
		do {
			verdict = guard_feed(&guard, at + passed, left - passed, &used);
			passed += used;
		} while (passed < left && verdict != GUARD_REFUSE && verdict != GUARD_COMPLETE);
		assert_int_equal(verdict == GUARD_DROP ? GUARD_PASS : verdict, cases[i].verdict);
		assert_int_equal(passed, cases[i].used);
		if (verdict == GUARD_REFUSE)
			assert_int_equal(guard.problem, PROBLEM_CONTENT_TOO_LARGE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lower_limit),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_one_call_for_one_request),
		cmocka_unit_test(test_verdicts_are_of_one_kind_each),
		cmocka_unit_test(test_began),
		cmocka_unit_test(test_pipelines),
		cmocka_unit_test(test_floods_are_cut),
		cmocka_unit_test(test_any_byte_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
