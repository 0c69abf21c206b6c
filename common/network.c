/* Networks of IP addresses.  IPv4 addresses are compared in their IPv4-mapped form. */
#include "common/network.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAPPED_BITS 96

/* Sets *ret_first to the number of bits that stand before the address's own: 96 for IPv4. */
static bool
parse_address(const char *text, unsigned char ret_address[16], unsigned *ret_first)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	*ret_first = 0;
	if (inet_pton(AF_INET6, text, ret_address) == 1)
		return true;
	*ret_first = MAPPED_BITS;
	memcpy(ret_address, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, ret_address + sizeof mapped) == 1;
}

static bool
has_bit(const unsigned char *address, unsigned bit)
{
	return address[bit / 8] & 0x80 >> bit % 8;
}

static bool
ends_in_zeros(const struct network *network)
{
	for (unsigned bit = network->bits; bit < 128; bit++)
		if (has_bit(network->address, bit))
			return false;
	return true;
}

int
network_parse(const char *text, struct network *ret_network)
{
	char address[INET6_ADDRSTRLEN];
	struct network network;
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned first;
	uint64_t bits;

	if (len >= sizeof address)
		return -EINVAL;
	snprintf(address, sizeof address, "%.*s", (int)len, text);
	if (!parse_address(address, network.address, &first))
		return -EINVAL;
	bits = 128 - first;
	if (slash && text_parse_uint(slash + 1, strlen(slash + 1), 128 - first, &bits) < 0)
		return -EINVAL;
	network.bits = first + (unsigned)bits;
	if (!ends_in_zeros(&network))
		return -EINVAL;
	*ret_network = network;
	return 0;
}

bool
network_has(const struct network *network, const char *text)
{
	unsigned char address[16];
	unsigned first;

	if (!parse_address(text, address, &first))
		return false;
	for (unsigned bit = 0; bit < network->bits; bit++)
		if (has_bit(address, bit) != has_bit(network->address, bit))
			return false;
	return true;
}
