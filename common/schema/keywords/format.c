/* The formats of strings that the keyword `format` can assert. */
#include "common/schema/keywords/format.h"

#include "common/id.h"
#include "common/schema/engine/uri.h"
#include "common/schema/regex/regex.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

/* The rest of the text that is being read. */
struct reader {
	const char *at;
	const char *end;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* Takes exactly count digits, of a number from least to most. */
static bool
take_number(struct reader *reader, size_t count, unsigned least, unsigned most, unsigned *ret_number)
{
	unsigned number = 0;

	if ((size_t)(reader->end - reader->at) < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(reader->at[i]))
			return false;
		number = number * 10 + (unsigned)(reader->at[i] - '0');
	}
	reader->at += count;
	*ret_number = number;
	return number >= least && number <= most;
}

/* Takes as many digits as there are; how many. */
static size_t
take_digits(struct reader *reader)
{
	const char *start = reader->at;

	while (reader->at < reader->end && is_digit(*reader->at))
		reader->at++;
	return (size_t)(reader->at - start);
}

static unsigned
days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* full-date (RFC 3339, 5.6) */
static bool
take_date(struct reader *reader)
{
	unsigned year, month, day;

	return take_number(reader, 4, 0, 9999, &year) && take(reader, '-') &&
	       take_number(reader, 2, 1, 12, &month) && take(reader, '-') &&
	       take_number(reader, 2, 1, days_of_month(year, month), &day);
}

/* full-time (RFC 3339, 5.6); second 60 is there only where a leap second can be, at 23:59 UTC */
static bool
take_time(struct reader *reader)
{
	unsigned hour, minute, second, zone_hour = 0, zone_minute = 0;
	int sign = 1;

	if (!take_number(reader, 2, 0, 23, &hour) || !take(reader, ':') ||
		!take_number(reader, 2, 0, 59, &minute) || !take(reader, ':') ||
		!take_number(reader, 2, 0, 60, &second))
		return false;
	if (take(reader, '.') && take_digits(reader) == 0)
		return false;
	if (!take(reader, 'Z') && !take(reader, 'z')) {
		if (take(reader, '-'))
			sign = -1;
		else if (!take(reader, '+'))
			return false;
		if (!take_number(reader, 2, 0, 23, &zone_hour) || !take(reader, ':') ||
			!take_number(reader, 2, 0, 59, &zone_minute))
			return false;
	}
	int utc_minute = (int)(hour * 60 + minute) - sign * (int)(zone_hour * 60 + zone_minute);
	return second < 60 || (utc_minute + 1440) % 1440 == 23 * 60 + 59;
}

static bool
is_date(const char *data, size_t len)
{
	struct reader reader = {data, data + len};

	return take_date(&reader) && reader.at == reader.end;
}

static bool
is_time(const char *data, size_t len)
{
	struct reader reader = {data, data + len};

	return take_time(&reader) && reader.at == reader.end;
}

static bool
is_date_time(const char *data, size_t len)
{
	struct reader reader = {data, data + len};

	return take_date(&reader) && (take(&reader, 'T') || take(&reader, 't')) && take_time(&reader) &&
	       reader.at == reader.end;
}

/* Takes 1*DIGIT and a unit, for as many of the units as there are, in their order and without a gap; how
 * many. */
static size_t
take_units(struct reader *reader, const char *units)
{
	size_t count = 0;

	while (reader->at < reader->end && is_digit(*reader->at)) {
		const char *unit;
		take_digits(reader);
		if (reader->at == reader->end || *reader->at == '\0' ||
			!(unit = strchr(units, *reader->at)) || (count > 0 && unit != units))
			return 0;
		units = unit + 1;
		reader->at++;
		count++;
	}
	return count;
}

/* duration (RFC 3339, appendix A): no gap between the units, so P1Y2D is none */
static bool
is_duration(const char *data, size_t len)
{
	struct reader reader = {data, data + len};

	if (len < 2 || data[0] != 'P')
		return false;
	reader.at++;
	if (data[len - 1] == 'W')
		return take_units(&reader, "W") == 1 && reader.at == reader.end;
	if (*reader.at != 'T' && take_units(&reader, "YMD") == 0)
		return false;
	if (take(&reader, 'T') && take_units(&reader, "HMS") == 0)
		return false;
	return reader.at == reader.end;
}

static bool
is_address(int family, const char *data, size_t len)
{
	unsigned char address[16];

	return strlen(data) == len && inet_pton(family, data, address) == 1;
}

static bool
is_ipv4(const char *data, size_t len)
{
	return is_address(AF_INET, data, len);
}

static bool
is_ipv6(const char *data, size_t len)
{
	return is_address(AF_INET6, data, len);
}

/* RFC 1123, 2.1 */
static bool
is_hostname(const char *data, size_t len)
{
	size_t label = 0; /* where the one at i begins */

	if (len > 253)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && (is_alnum(data[i]) || data[i] == '-'))
			continue;
		if ((i < len && data[i] != '.') || i == label || i - label > 63 || data[label] == '-' ||
			data[i - 1] == '-')
			return false;
		label = i + 1;
	}
	return true;
}

/* Dot-string (RFC 5321, 4.1.2) */
static bool
is_dot_string(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool is_dot = data[i] == '.';
		if (!is_alnum(data[i]) && (data[i] == '\0' || !strchr("!#$%&'*+-/=?^_`{|}~.", data[i])))
			return false;
		if (is_dot && (i == 0 || i + 1 == len || data[i + 1] == '.'))
			return false;
	}
	return len > 0;
}

/* Quoted-string (RFC 5321, 4.1.2) */
static bool
is_quoted_string(const char *data, size_t len)
{
	if (len < 2 || data[0] != '"' || data[len - 1] != '"')
		return false;
	for (size_t i = 1; i < len - 1; i++) {
		if (data[i] == '"' || (data[i] == '\\' && ++i == len - 1))
			return false;
		if (data[i] < 0x20 || data[i] > 0x7e)
			return false;
	}
	return true;
}

/* "[" address "]" (RFC 5321, 4.1.3) */
static bool
is_address_literal(const char *data, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	bool is_6 = len > 7 && text_equal_nocase(data + 1, 5, "IPv6:");
	size_t prefix = is_6 ? 6 : 1;

	if (len < 3 || data[0] != '[' || data[len - 1] != ']' || len - prefix > sizeof address)
		return false;
	memcpy(address, data + prefix, len - prefix - 1);
	address[len - prefix - 1] = '\0';
	return is_address(is_6 ? AF_INET6 : AF_INET, address, len - prefix - 1);
}

/* Mailbox (RFC 5321, 4.1.2) */
static bool
is_email(const char *data, size_t len)
{
	const char *sign = memrchr(data, '@', len);

	if (!sign || sign - data > 64)
		return false;
	size_t local = (size_t)(sign - data), domain = len - local - 1;
	return (is_dot_string(data, local) || is_quoted_string(data, local)) &&
	       (is_hostname(sign + 1, domain) || is_address_literal(sign + 1, domain));
}

static bool
is_uuid(const char *data, size_t len)
{
	struct id id;

	return id_parse(data, len, &id) == 0;
}

/* RFC 6901, 3 */
static bool
is_json_pointer(const char *data, size_t len)
{
	if (len > 0 && data[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] == '~' && data[i + 1] != '0' && data[i + 1] != '1')
			return false;
	return true;
}

static const struct schema_format formats[] = {
	{"date-time", is_date_time, "a date and time (RFC 3339)", 20, 1},
	{"date", is_date, "a date (RFC 3339)", 20, 1},
	{"time", is_time, "a time with its offset (RFC 3339)", 20, 1},
	{"duration", is_duration, "a duration (RFC 3339)", 20, 1},
	{"email", is_email, "an e-mail address", 20, 1},
	{"hostname", is_hostname, "a host name", 20, 1},
	{"ipv4", is_ipv4, "an IPv4 address", 20, 1},
	{"ipv6", is_ipv6, "an IPv6 address", 20, 1},
	{"uri", schema_uri_is_valid, "a URI with a scheme (RFC 3986)", 20, 1},
	{"uuid", is_uuid, "a UUID", 20, 1},
	{"json-pointer", is_json_pointer, "a JSON Pointer (RFC 6901)", 20, 1},
	{"regex", schema_regex_is_valid, "a regular expression (ECMA-262)", 2000, 64},
};

const struct schema_format *
schema_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
