/* The wire guard's rules for Host, Content-Length, Transfer-Encoding, Expect and Connection. */
#include "tests/unit/server/http/guard/guard_cases.h"

#include "http/guard/private.h"

#define WITH_HOST(value) GET "Host: " value "\r\n" END

static void
test_host(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, WITH_HOST("example.com")),
		GOOD(1, WITH_HOST("EXAMPLE.com:8080  ")),
		GOOD(1, WITH_HOST("127.0.0.1:0")),
		GOOD(1, WITH_HOST("a:65535")),
		GOOD(1, WITH_HOST("a:000000065535")),
		GOOD(1, WITH_HOST("a:")),
		GOOD(1, WITH_HOST("a_b.c-d~!$&'()*+,;=")),
		GOOD(1, WITH_HOST("%41b%2e")),
		GOOD(1, WITH_HOST("[::1]")),
		GOOD(1, WITH_HOST("[::1]:80")),
		GOOD(1, WITH_HOST("[::FFFF:127.0.0.1]")),
		GOOD(1, WITH_HOST("[0123:4567:89ab:cdef:0123:4567:255.255.255.255]:1")),
		GOOD(1, GET "hOsT:a\r\n" END),
		GOOD(1, "GET / HTTP/1.0\r\n" END),
		GOOD(1, "GET / HTTP/1.0\r\nHost: a\r\n" END),
		BAD(GET "Host:", "\r\n", BAD_REQUEST),
		BAD(GET "Host: ", "\r\n", BAD_REQUEST),
		BAD(GET "Host: ", ":80\r\n", BAD_REQUEST),
		BAD(GET "Host: a ", "b\r\n", BAD_REQUEST),
		BAD(GET "Host: a", "/\r\n", BAD_REQUEST),
		BAD(GET "Host: ", "/\r\n", BAD_REQUEST),
		BAD(GET "Host: http:", "//a\r\n", BAD_REQUEST),
		BAD(GET "Host: u", "@a\r\n", BAD_REQUEST),
		BAD(GET "Host: a", "\xc3\xa9\r\n", BAD_REQUEST),
		BAD(GET "Host: a", "\0\r\n", BAD_REQUEST),
		BAD(GET "Host: a", "\"\r\n", BAD_REQUEST),
		BAD(GET "Host: a:", "b\r\n", BAD_REQUEST),
		BAD(GET "Host: a:6553", "6\r\n", BAD_REQUEST),
		BAD(GET "Host: a:65535", "0\r\n", BAD_REQUEST),
		BAD(GET "Host: a:1", ":2\r\n", BAD_REQUEST),
		BAD(GET "Host: a:", "+1\r\n", BAD_REQUEST),
		BAD(GET "Host: %", "\r\n", BAD_REQUEST),
		BAD(GET "Host: %4", "\r\n", BAD_REQUEST),
		BAD(GET "Host: %4", " \r\n", BAD_REQUEST),
		BAD(GET "Host: a%0", "0\r\n", BAD_REQUEST),
		BAD(GET "Host: a%", "zz\r\n", BAD_REQUEST),
		BAD(GET "Host: [::1", "\r\n", BAD_REQUEST),
		BAD(GET "Host: [", "]\r\n", BAD_REQUEST),
		BAD(GET "Host: [::1]", "a\r\n", BAD_REQUEST),
		BAD(GET "Host: [::1]", "[\r\n", BAD_REQUEST),
		BAD(GET "Host: [1:2", "]\r\n", BAD_REQUEST),
		BAD(GET "Host: [::12345", "]\r\n", BAD_REQUEST),
		BAD(GET "Host: [::", "g]\r\n", BAD_REQUEST),
		BAD(GET "Host: [fe80::1", "%25eth0]\r\n", BAD_REQUEST),
		BAD(GET "Host: [", "v1.a]\r\n", BAD_REQUEST),
		BAD(GET "Host: [00000000000000000000000000000000000000000000000", "0", BAD_REQUEST),
		BAD(GET "Host: a", "[::1]\r\n", BAD_REQUEST),
		BAD(GET "Host: ", "::1\r\n", BAD_REQUEST),
		BAD(GET HOST "Host", ": a\r\n", BAD_REQUEST),
		BAD("GET / HTTP/1.0\r\n" HOST "Host", ": a\r\n", BAD_REQUEST),
		BAD(GET, END, BAD_REQUEST),
		BAD(GET "Hos: a\r\n", END, BAD_REQUEST),
		BAD(GET "Hosts: a\r\n", END, BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_content_length(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, POST HOST "Content-Length: 0\r\n" END),
		GOOD(1, POST HOST "content-length:2 \t\r\n" END "ab"),
		GOOD(1, POST HOST "Content-Length: 0000000000000000000000000002\r\n" END "ab"),
		GOOD(1, GET HOST "Content-Length: 2\r\n" END "ab"),
		GOOD(1, "DELETE / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END "ab"),
		GOOD(1, "OPTIONS / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END "ab"),
		GOOD(1, "POST / HTTP/1.0\r\nContent-Length: 2\r\n" END "ab"),
		GOOD(1, "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END),
		GOOD(0, POST HOST "Content-Length: 100\r\n" END "ab"),
		BAD("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 0", "1\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length:", "\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length:   ", "\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: ", "+2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: ", "-0\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 0", "x2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2", ", 2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2 ", ", 2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2 ", "2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2", ".0\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: ", "\"2\"\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2", "\0\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: ",
			"\x0b"
			"2\r\n",
			BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2", "\xb2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2\r\nContent-Length", ": 2\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 2\r\nTransfer-Encoding", ": chunked\r\n", BAD_REQUEST),
		BAD(POST HOST "Content-Length: 10", "1\r\n", CONTENT_TOO_LARGE),
		BAD(POST HOST "Content-Length: 100", "0\r\n", CONTENT_TOO_LARGE),
		BAD(POST HOST "Content-Length: 18", "446744073709551618\r\n", CONTENT_TOO_LARGE),
	};

	guard_check_cases(cases);
}

static void
test_content_length_never_overflows(void **state)
{
	struct guard_limits limits = guard_test_limits;

	limits.max_body_bytes = UINT64_MAX;
	guard_check_case(&(struct guard_case)GOOD(0, POST HOST "Content-Length: 9223372036854775807\r\n" END),
		&limits);
	guard_check_case(&(struct guard_case)BAD(
				 POST HOST "Content-Length: 922337203685477580", "8\r\n", CONTENT_TOO_LARGE),
		&limits);
	guard_check_case(&(struct guard_case)BAD(
				 POST HOST "Content-Length: 1844674407370955161", "6\r\n", CONTENT_TOO_LARGE),
		&limits);
	limits.max_body_bytes = 0;
	guard_check_case(&(struct guard_case)GOOD(1, POST HOST "Content-Length: 00\r\n" END), &limits);
	guard_check_case(
		&(struct guard_case)BAD(POST HOST "Content-Length: ", "1\r\n", CONTENT_TOO_LARGE), &limits);
	guard_check_case(&(struct guard_case)GOOD(1, CHUNKED "0\r\n\r\n"), &limits);
	guard_check_case(&(struct guard_case)BAD(CHUNKED, "1\r\n", CONTENT_TOO_LARGE), &limits);
}

static void
test_transfer_encoding(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, POST HOST "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n"),
		GOOD(1, POST HOST "TRANSFER-ENCODING:cHUNKED  \r\n" END "0\r\n\r\n"),
		GOOD(1, GET HOST "Transfer-Encoding: chunked\r\n" END "1\r\na\r\n0\r\n\r\n"),
		BAD(POST HOST "Transfer-Encoding:", "\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: ", "gzip\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: ", "gzip, chunked\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: ", "identity\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: ", "xchunked\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: chunked", "x\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: chunke", "\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: c", ",chunked\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: chunke", " d\r\n", NOT_IMPLEMENTED),
		BAD(POST HOST "Transfer-Encoding: ", ", chunked\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", ", chunked\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", ",\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", ";q=1\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked ", ", identity\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: ", "\"chunked\"\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: ",
			"\x0b"
			"chunked\r\n",
			BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", "\x0b\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chu", "\0nked\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", "\0\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked", "\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked\r\n", " , gzip\r\n", BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding", ": chunked\r\n",
			BAD_REQUEST),
		BAD(POST HOST "Transfer-Encoding: chunked\r\nContent-Length", ": 2\r\n", BAD_REQUEST),
		BAD("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding", ": chunked\r\n", BAD_REQUEST),
		BAD("HEAD / HTTP/1.1\r\n" HOST "Transfer-Encoding", ": chunked\r\n", BAD_REQUEST),
		/* what only looks like it is an ordinary field */
		GOOD(1, POST HOST "Transfer_Encoding: gzip\r\nTransfer-Encodin: x\r\n" END),
	};

	guard_check_cases(cases);
}

static void
test_expect(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, POST HOST "Expect: 100-continue\r\nContent-Length: 2\r\n" END "ab"),
		GOOD(1, POST HOST "expect:100-CONTINUE \r\n" END),
		GOOD(1, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n" END),
		BAD(POST HOST "Expect:", "\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 100-", "\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 100-continu", "ous\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 100-continue", "d\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 100-continue", ", 100-continue\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 100-continue ", "x\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: ", "x\r\n", EXPECTATION_FAILED),
		BAD(POST HOST "Expect: 1", "\0", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_connection(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, GET HOST "Connection: close\r\n" END),
		GOOD(1, GET HOST "Connection: Keep-Alive, Upgrade\r\nUpgrade: h2c\r\n" END),
		GOOD(1, GET HOST "connection: ,, a\t ,b , ,\r\n" END),
		GOOD(1, GET HOST "Connection:\r\n" END),
		GOOD(1, GET HOST "Connection: a\r\nConnection: b\r\n" END),
		BAD(GET HOST "Connection: close ", "x\r\n", BAD_REQUEST),
		BAD(GET HOST "Connection: a", ";b\r\n", BAD_REQUEST),
		BAD(GET HOST "Connection: ", "\"a\"\r\n", BAD_REQUEST),
		BAD(GET HOST "Connection: a, ", "\x80\r\n", BAD_REQUEST),
		BAD(GET HOST "Connection: a,", "\0\r\n", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_rules_are_found_by_whole_names(void **state)
{
	static const char *const ruled[] = {
		"host", "EXPECT", "Connection", "content-Length", "Transfer-Encoding"};
	static const char *const plain[] = {"", "hos", "hosts", "accept", "user-agent", "content-type",
		"expectx", "conTentxlength", "transfer-encodingx",
		"x-forwarded-for-x-forwarded-for-x-forwarded-for"};

	for (size_t i = 0; i < sizeof(ruled) / sizeof(ruled[0]); i++)
		assert_ptr_not_equal(guard_rule_find(ruled[i], strlen(ruled[i])), &guard_rule_plain);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		assert_ptr_equal(guard_rule_find(plain[i], strlen(plain[i])), &guard_rule_plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_content_length),
		cmocka_unit_test(test_content_length_never_overflows),
		cmocka_unit_test(test_transfer_encoding),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_rules_are_found_by_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
