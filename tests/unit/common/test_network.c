/* Networks: which texts are networks, and which addresses they have. */
#include "common/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *network, *address;
	bool has;
} cases[] = {
	{"10.0.0.0/8", "10.255.0.1", true},
	{"10.0.0.0/8", "11.0.0.1", false},
	{"10.0.0.0/8", "::ffff:10.0.0.1", true},
	{"192.0.2.7", "192.0.2.7", true},
	{"192.0.2.7", "192.0.2.6", false},
	{"192.0.2.4/31", "192.0.2.5", true},
	{"192.0.2.4/31", "192.0.2.6", false},
	{"0.0.0.0/0", "255.255.255.255", true},
	{"0.0.0.0/0", "2001:db8::1", false},
	{"::/0", "2001:db8::1", true},
	{"2001:db8::/33", "2001:db8:7fff::1", true},
	{"2001:db8::/33", "2001:db8:8000::1", false},
	{"::1", "::1", true},
	{"127.0.0.0/8", "", false},
	{"127.0.0.0/8", "localhost", false},
	{"127.0.0.0/8", "127.1", false},
};

static void
addresses_are_in_networks(void **state)
{
	struct network network;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(network_parse(cases[i].network, &network), 0);
		assert_int_equal(network_has(&network, cases[i].address), cases[i].has);
	}
}

static void
others_are_no_networks(void **state)
{
	static const char *const texts[] = {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8",
		"::/129", "2001:db8::1/64", "localhost", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0 /8",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct network network;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(network_parse(texts[i], &network), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_in_networks),
		cmocka_unit_test(others_are_no_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
