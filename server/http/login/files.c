/* Lines of htpasswd and token files: reads them and says which passwords are too weak or too costly. */
#include "http/login/files.h"

#include "common/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The alphabet of hashes (crypt(5)). */
static const char hash_alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Kinds of hashes by their prefix; tail is the length of the part behind the last '$', 0: any. */
static const struct {
	const char *prefix;
	size_t tail;
	const char *refusal; /* the mistake; NULL: good */
} kinds[] = {
	{"$2a$", 53, NULL},
	{"$2b$", 53, NULL},
	{"$2y$", 53, NULL},
	{"$y$", 43, NULL},
	{"$gy$", 43, NULL},
	{"$7$", 43, NULL},
	{"$5$", 43, NULL},
	{"$6$", 86, NULL},
	{"$2x$", 0, "the password is bcrypt of a broken kind ($2x$); make it again with htpasswd -B"},
	{"$apr1$", 0, "the password is MD5 ($apr1$), which is too weak; make it again with htpasswd -B"},
	{"$1$", 0, "the password is MD5 ($1$), which is too weak; make it again with htpasswd -B"},
	{"$md5", 0, "the password is MD5 ($md5), which is too weak; make it again with htpasswd -B"},
	{"$3$", 0, "the password is an NT hash ($3$), which is too weak; make it again with htpasswd -B"},
	{"$sha1$", 0, "the password is SHA-1 ($sha1$), which is too weak; make it again with htpasswd -B"},
	{"{SHA}", 0,
		"the password is SHA-1 without salt ({SHA}), which is too weak; make it again with htpasswd "
		"-B"},
	{"{SSHA}", 0, "the password is SHA-1 ({SSHA}), which is too weak; make it again with htpasswd -B"},
	{"$", 0, "the password is of a kind that is not known"},
	{"", 0, "the password is plain text or DES; make it a hash with htpasswd -B"},
};

int
login_name_check(const char *name, size_t len, const char **ret_why)
{
	if (len == 0)
		*ret_why = "the name is empty";
	else if (len > LOGIN_NAME_MAX)
		*ret_why = "the name is too long";
	else if (!text_is_utf8(name, len))
		*ret_why = "the name is not UTF-8";
	else if (memchr(name, ':', len))
		*ret_why = "the name has a colon";
	else {
		for (size_t i = 0; i < len; i++) {
			if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) {
				*ret_why = "the name has a control character";
				return -EINVAL;
			}
		}
		return 0;
	}
	return -EINVAL;
}

/* Splits "NAME:REST", without a carriage return at the end. */
static int
split(const char *line, size_t *len, size_t *ret_colon, const char **ret_why)
{
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	if (*len == 0 || line[0] == '#')
		return -ENOENT;
	const char *colon = memchr(line, ':', *len);
	if (!colon) {
		*ret_why = "there is no colon behind the name";
		return -EINVAL;
	}
	*ret_colon = (size_t)(colon - line);
	return login_name_check(line, *ret_colon, ret_why);
}

static bool
is_of_alphabet(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\0' || !strchr(hash_alphabet, data[i]))
			return false;
	return true;
}

/* Checks that the cost of "$2b$12$..." or "$6$rounds=N$..." lets a check end in reasonable time. */
static const char *
check_cost(const char *hash, size_t len)
{
	static const char rounds[] = "rounds=";
	const size_t at = strlen("$6$"), rounds_len = strlen(rounds);
	uint64_t cost;

	if (hash[1] == '2') {
		if (len < 7 || hash[6] != '$' || text_parse_uint(hash + 4, 2, 31, &cost) < 0 || cost < 4)
			return "the password has no cost of bcrypt";
		return cost > LOGIN_BCRYPT_COST_MAX ? "the password costs too much time to check" : NULL;
	}
	if ((hash[1] != '5' && hash[1] != '6') || len < at + rounds_len ||
		memcmp(hash + at, rounds, rounds_len) != 0)
		return NULL;
	const char *number = hash + at + rounds_len;
	const char *end = memchr(number, '$', len - at - rounds_len);
	if (!end || text_parse_uint(number, (size_t)(end - number), UINT64_MAX, &cost) < 0)
		return "the password has no number of rounds";
	return cost > LOGIN_SHA_ROUNDS_MAX ? "the password costs too much time to check" : NULL;
}

static const char *
check_hash(const char *hash, size_t len)
{
	size_t i = 0;

	if (len == 0)
		return "the password is missing";
	if (len > LOGIN_HASH_MAX)
		return "the password is too long";
	while (len < strlen(kinds[i].prefix) || memcmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
		i++;
	if (kinds[i].refusal)
		return kinds[i].refusal;
	for (size_t at = 0; at < len; at++)
		if (hash[at] <= 0x20 || hash[at] >= 0x7f || strchr(":;*!\\", hash[at]))
			return "the password has a character that no hash has";
	const char *tail = (const char *)memrchr(hash, '$', len) + 1;
	size_t tail_len = (size_t)(hash + len - tail);
	if (tail_len != kinds[i].tail || !is_of_alphabet(tail, tail_len))
		return "the password is not whole";
	return check_cost(hash, len);
}

int
htpasswd_parse_line(const char *line, size_t len, struct htpasswd_line *ret_line, const char **ret_why)
{
	size_t colon = 0;
	int rc = split(line, &len, &colon, ret_why);

	if (rc < 0)
		return rc;
	struct htpasswd_line parsed = {
		.name = line, .name_len = colon, .hash = line + colon + 1, .hash_len = len - colon - 1};
	const char *wrong = check_hash(parsed.hash, parsed.hash_len);
	if (wrong) {
		*ret_why = wrong;
		return -EINVAL;
	}
	*ret_line = parsed;
	return 0;
}

int
token_parse_line(const char *line, size_t len, struct token_line *ret_line, const char **ret_why)
{
	size_t colon = 0;
	int rc = split(line, &len, &colon, ret_why);

	if (rc < 0)
		return rc;
	struct token_line parsed = {.name = line, .name_len = colon};
	const char *hex = line + colon + 1;
	bool good = len - colon - 1 == (size_t)2 * LOGIN_DIGEST_BYTES;
	for (size_t i = 0; good && i < LOGIN_DIGEST_BYTES; i++) {
		int high = text_hex_value(hex[2 * i]), low = text_hex_value(hex[2 * i + 1]);
		good = high >= 0 && low >= 0;
		parsed.digest[i] = good ? (uint8_t)(high << 4 | low) : 0;
	}
	if (!good) {
		*ret_why = "behind the name are not the 64 hexadecimal digits of a SHA-256 digest";
		return -EINVAL;
	}
	*ret_line = parsed;
	return 0;
}
