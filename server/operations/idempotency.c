/* The index of idempotency keys, and how a key is parsed. */
#include "operations/idempotency.h"

#include "common/text.h"
#include "operations/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct op_key *
op_key_new(const struct op_route *route, const char *principal, const char *text,
	const uint8_t digest[static 32])
{
	struct op_key *key = xcalloc(1, sizeof *key);

	key->text = xstrdup(text);
	key->scope = xasprintf("%s\n%s\n%s", route->key, principal ? principal : "", text);
	memcpy(key->digest, digest, sizeof key->digest);
	return key;
}

void
op_key_free(struct op_key *key)
{
	if (!key)
		return;
	free(key->scope);
	free(key->text);
	free(key);
}

static uint64_t
hash_of(const struct operations *operations, const struct op_key *key)
{
	return hash_bytes(&operations->keys, key->scope, strlen(key->scope));
}

struct op *
op_key_find(struct operations *operations, const struct op_key *key, bool *ret_same)
{
	struct hash_node *node = hash_find(&operations->keys, hash_of(operations, key));

	for (; node; node = hash_find_next(node)) {
		struct op_key *other = container_of(node, struct op_key, node);
		if (strcmp(other->scope, key->scope) != 0)
			continue;
		*ret_same = memcmp(other->digest, key->digest, sizeof key->digest) == 0;
		return other->op;
	}
	return NULL;
}

void
op_key_add(struct op *op, struct op_key *key)
{
	key->op = op;
	op->key = key;
	hash_add(&op->route->operations->keys, &key->node, hash_of(op->route->operations, key));
}

void
op_key_remove(struct op *op)
{
	if (!op->key)
		return;
	hash_remove(&op->route->operations->keys, &op->key->node);
	op_key_free(op->key);
	op->key = NULL;
}

/* The inside of a structured-field String (RFC 8941, 3.3.3): from behind the first quote to the end of the
 * value. */
static int
parse_quoted(const char *at, struct text *key)
{
	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && *++at != '"' && *at != '\\')
			return -EINVAL;
		if (*at < 0x20 || *at > 0x7e)
			return -EINVAL;
		text_add_char(key, *at);
	}
	return at[0] == '"' && at[1] == '\0' ? 0 : -EINVAL;
}

static int
parse_bare(const char *at, struct text *key)
{
	for (; *at; at++) {
		if (*at <= 0x20 || *at > 0x7e || *at == '"' || *at == ',')
			return -EINVAL;
		text_add_char(key, *at);
	}
	return 0;
}

int
idempotency_key_parse(const char *value, char ret_text[static IDEMPOTENCY_KEY_SIZE])
{
	struct text key = {0};
	/* Twice the length leaves room for escapes; anything longer cannot be a key. */
	int rc = strlen(value) > 2 * (size_t)IDEMPOTENCY_KEY_SIZE ? -EINVAL : 0;

	if (rc == 0)
		rc = value[0] == '"' ? parse_quoted(value + 1, &key) : parse_bare(value, &key);
	if (rc == 0 && (key.len == 0 || key.len >= IDEMPOTENCY_KEY_SIZE))
		rc = -EINVAL;
	if (rc == 0)
		memcpy(ret_text, key.data, key.len + 1);
	text_fini(&key);
	return rc;
}
