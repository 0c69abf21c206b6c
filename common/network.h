/* Networks of IP addresses in CIDR notation: "10.0.0.0/8", "2001:db8::/32", "192.0.2.7".  Any thread. */
#pragma once

#include <stdbool.h>

struct network {
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;		   /* length of the prefix in address, 0..128 */
};

/* -EINVAL if text is no network, or if it has bits set behind its prefix ("10.0.0.1/8"). */
__attribute__((warn_unused_result)) int network_parse(const char *text, struct network *ret_network);

/* Whether the address ("192.0.2.7", "::ffff:192.0.2.7") is in the network; false for what is no address. */
bool network_has(const struct network *network, const char *address);
