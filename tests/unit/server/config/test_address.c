/* Tests of server/config_address.c. */
#include "config/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/server/config/config_cases.h"

static void
test_addresses(void **state)
{
	static const struct config_value_case cases[] = {
		{"127.0.0.1:8580", "127.0.0.1:8580", NULL},
		{"0.0.0.0:0", "0.0.0.0:0", NULL},
		{"127.0.0.1:65535", "127.0.0.1:65535", NULL},
		{"[::]:8580", "[::]:8580", NULL},
		{"[::1]:8580", "[::1]:8580", NULL},
		{"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", NULL},
		{"[0000:0000:0000:0000:0000:ffff:192.168.100.100]:1",
			"[0000:0000:0000:0000:0000:ffff:192.168.100.100]:1", NULL},
		{"localhost:0", "localhost:0", NULL},
		{"unix:/run/deferd.sock", "unix:/run/deferd.sock", NULL},
		{"unix:deferd.sock", "unix:/etc/deferd/deferd.sock", NULL},
		{"unix:", NULL, "has no path"},
		{"unix:/run/"
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		 "89012345678901",
			"unix:/run/"
			"012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
			"456789"
			"012345678901",
			NULL},
		{"unix:/run/"
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		 "890123456789012",
			NULL, "is too long for the path of a socket"},
		{"127.0.0.1", NULL, "is not an address"},
		{"127.0.0.1:", NULL, NULL},
		{"127.0.0.1:http", NULL, NULL},
		{"127.0.0.1:-1", NULL, NULL},
		{"127.0.0.1:+1", NULL, NULL},
		{"127.0.0.1: 1", NULL, NULL},
		{"127.0.0.1:65536", NULL, NULL},
		{"127.0.0.1:99999999999999999999", NULL, NULL},
		{"127.0.0.256:1", NULL, NULL},
		{"127.1:1", NULL, NULL},
		{":8580", NULL, NULL},
		{"*:8580", NULL, NULL},
		{"8580", NULL, NULL},
		{"::1:8580", NULL, NULL},
		{"[::1]", NULL, NULL},
		{"[::1:8580", NULL, NULL},
		{"[]:8580", NULL, NULL},
		{"[:8580", NULL, NULL},
		{"]:8580", NULL, NULL},
		{"[::1%lo]:8580", NULL, NULL},
		{"[127.0.0.1]:8580", NULL, NULL},
		{"Localhost:80", NULL, NULL},
		{"example.com:80", NULL, NULL},
		{"http://127.0.0.1:80", NULL, NULL},
		{":", NULL, NULL},
		{"0123456789012345678901234567890123456789012345678901234567890123456789:1", NULL, NULL},
	};

	CONFIG_VALUES_CHECK(config_convert_address, cases);
}

static void
test_local_addresses(void **state)
{
	static const char *const local[] = {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1", "localhost:1",
		"unix:/run/x", "[::ffff:127.0.0.1]:1"};
	static const char *const other[] = {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "128.0.0.1:1",
		"126.255.255.255:1", "[::2]:1", "[::127.0.0.1]:1", "[::ffff:128.0.0.1]:1", "[fe80::1]:1"};

	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		assert_true(config_address_is_local(local[i]));
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		assert_false(config_address_is_local(other[i]));
	assert_true(config_address_is_any_port("127.0.0.1:0"));
	assert_true(config_address_is_any_port("[::1]:00"));
	assert_false(config_address_is_any_port("127.0.0.1:10"));
	assert_false(config_address_is_any_port("unix:/a:0"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_local_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
