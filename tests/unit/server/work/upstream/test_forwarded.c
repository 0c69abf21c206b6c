/* Who called, as an upstream is to know it: a table of what clients send, trusted or not. */
#include "work/upstream/forwarded.h"

#include "common/text.h"
#include "work/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OURS(address) "Forwarded: for=" address ";host=\"h\";proto=https\r\n"
#define HOST_AND_PROTO "X-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\n"
#define ALL OURS("192.0.2.7") "X-Forwarded-For: 192.0.2.7\r\n" HOST_AND_PROTO

static const struct {
	const char *trusted, *address, *wire, *wanted;
} cases[] = {
	/* nothing is trusted: what the client sent is replaced, in every spelling */
	{NULL, "192.0.2.7", "", ALL},
	{NULL, "192.0.2.7", "A: 1\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\n",
		"A: 1\r\n" ALL},
	{NULL, "192.0.2.7", "X-Forwarded-Proto: ftp\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n",
		ALL},
	{NULL, "192.0.2.7", "X_Forwarded_For: 1\r\nX-Forwarded_Proto: 2\r\nX_REAL_IP: 3\r\n", ALL},
	{NULL, "192.0.2.7", "X-Real-IP: 1\r\nForwarded: for=1\r\nTrue-Client-IP: 1\r\n", ALL},
	{NULL, "192.0.2.7", "X-Forwarded: 1\r\nForwarded2: 2\r\n", "X-Forwarded: 1\r\nForwarded2: 2\r\n" ALL},
	{NULL, "", "X-Forwarded-For: 1\r\n", OURS("unknown") "X-Forwarded-For: unknown\r\n" HOST_AND_PROTO},
	{"10.0.0.0/8", "192.0.2.7", "X-Forwarded-For: 10.0.0.1\r\n", ALL},
	{"unix", "192.0.2.7", "X-Forwarded-For: 1.1.1.1\r\n", ALL},

	/* a trusted proxy's fields are kept, in their own spelling */
	{"192.0.2.0/24", "192.0.2.7", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n",
		OURS("192.0.2.7") "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 192.0.2.7\r\n" HOST_AND_PROTO},
	{"192.0.2.0/24", "192.0.2.7", "X-Forwarded-Proto: http\r\nX-Forwarded-Host: out\r\n",
		"X-Forwarded-Proto: http\r\nX-Forwarded-Host: out\r\n" OURS(
			"192.0.2.7") "X-Forwarded-For: 192.0.2.7\r\n"},
	{"192.0.2.0/24", "192.0.2.7", "Forwarded: for=1\r\nX_Forwarded_For: 1\r\n",
		"Forwarded: for=1\r\n" ALL},
	{"unix", "", "X-Forwarded-For: 1.1.1.1\r\n",
		OURS("unknown") "X-Forwarded-For: 1.1.1.1, unknown\r\n" HOST_AND_PROTO},
	{"2001:db8::/32", "2001:db8::1", "X-Forwarded-For: 1.1.1.1\r\n",
		OURS("\"[2001:db8::1]\"") "X-Forwarded-For: 1.1.1.1, 2001:db8::1\r\n" HOST_AND_PROTO},
};

static struct work_input *
make_input(const char *wire)
{
	struct work_input *input = work_input_new();

	input->authority = xstrdup("h");
	input->scheme = xstrdup("https");
	assert_int_equal(fields_from_wire(&input->fields, wire, strlen(wire)), 0);
	return input;
}

static void
assert_wire(const struct fields *fields, const char *wanted)
{
	char *wire = xstrndup(fields->wire ? fields->wire : "", fields->len);

	assert_string_equal(wire, wanted);
	free(wire);
}

static void
only_trusted_fields_are_kept(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *names[] = {(char *)(uintptr_t)cases[i].trusted, NULL};
		struct work_input *input = make_input(cases[i].wire);
		struct trusted_proxies proxies;

		input->remote_address = xstrdup(cases[i].address);
		assert_int_equal(trusted_proxies_init(&proxies, names), 0);
		forwarded_put(&proxies, input, &input->fields);
		assert_wire(&input->fields, cases[i].wanted);
		trusted_proxies_fini(&proxies);
		work_input_free(input);
	}
}

static const struct {
	const char *principal, *wire, *wanted;
} principals[] = {
	{"alice", "", "X-Remote-User: alice\r\n"},
	{"alice", "X-Remote-User: admin\r\nx_remote_user: admin\r\nX-REMOTE_USER: admin\r\n",
		"X-Remote-User: alice\r\n"},
	{NULL, "X-Remote-User: admin\r\nX_Remote_User: admin\r\nX-Remote-Users: 1\r\n",
		"X-Remote-Users: 1\r\n"},
	{"", "X-Remote-User: admin\r\n", ""},
	{"admin ", "X-Remote-User: admin\r\n", ""},
	{"\tadmin", "", ""},
	{"a\r\nX: b", "", ""},
	{"J\xc3\xb6rg", "", "X-Remote-User: J\xc3\xb6rg\r\n"},
};

static void
no_client_names_the_principal(void **state)
{
	for (size_t i = 0; i < sizeof principals / sizeof *principals; i++) {
		struct work_input *input = make_input(principals[i].wire);

		input->principal = xstrdup(principals[i].principal);
		forwarded_put_principal("X-Remote-User", input, &input->fields);
		assert_wire(&input->fields, principals[i].wanted);
		work_input_free(input);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_trusted_fields_are_kept),
		cmocka_unit_test(no_client_names_the_principal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
