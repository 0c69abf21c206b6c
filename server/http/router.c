/* The router: a tree of path patterns with one node for each segment. */
#include "http/router.h"

#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which they are tried. */
enum kind { LITERAL, SUFFIXED, NAME, REST };

/* One target of a node, for some methods. */
struct entry {
	struct entry *next;
	unsigned methods;
	void *target;
	char *names[ROUTER_PARAMS_MAX]; /* of the pattern's parameters, in order */
	size_t name_count;
};

struct node {
	struct node *next;     /* sibling */
	struct node *children; /* in the order of their kinds */
	struct entry *entries;
	enum kind kind;
	size_t len;
	char *segment; /* a literal, or the suffix behind a name */
};

struct router {
	struct node root;
};

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST}, {"PUT", HTTP_PUT},
	{"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};

const char *
http_method_name(enum http_method method)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "";
}

enum http_method
http_method_find(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return 0;
}

struct router *
router_new(void)
{
	return xcalloc(1, sizeof(struct router));
}

static void
free_entry(struct entry *entry)
{
	for (size_t i = 0; i < entry->name_count; i++)
		free(entry->names[i]);
	free(entry);
}

static void
free_node_content(struct node *node)
{
	while (node->children) {
		struct node *child = node->children;
		node->children = child->next;
		free_node_content(child);
		free(child);
	}
	while (node->entries) {
		struct entry *entry = node->entries;
		node->entries = entry->next;
		free_entry(entry);
	}
	free(node->segment);
}

void
router_free(struct router *router)
{
	if (!router)
		return;
	free_node_content(&router->root);
	free(router);
}

static bool
is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return len > 0;
}

/* Returns the length of the suffix ":verb" at the end of a segment "{name}:verb", or 0. */
static size_t
suffix_len(const char *segment, size_t len)
{
	const char *end = memchr(segment, '}', len);
	size_t rest = end ? (size_t)(segment + len - end) - 1 : 0;

	return rest > 1 && end[1] == ':' && !memchr(end + 1, '{', rest) && !memchr(end + 1, '}', rest) ? rest
												       : 0;
}

/* Returns the kind of a pattern's segment, or -EINVAL if it is malformed.  *ret_name is its name, without braces. */
static int
parse_segment(const char *segment, size_t len, const char **ret_name, size_t *ret_name_len)
{
	if (!memchr(segment, '{', len) && !memchr(segment, '}', len))
		return LITERAL;
	size_t suffix = suffix_len(segment, len);
	len -= suffix;
	if (len < 3 || segment[0] != '{' || segment[len - 1] != '}')
		return -EINVAL;
	enum kind kind = suffix ? SUFFIXED : NAME;
	size_t name_len = len - 2;
	if (!suffix && name_len > 3 && memcmp(segment + len - 4, "...", 3) == 0) {
		kind = REST;
		name_len -= 3;
	}
	if (!is_name(segment + 1, name_len))
		return -EINVAL;
	*ret_name = segment + 1;
	*ret_name_len = name_len;
	return kind;
}

/* Returns the child of parent for a segment of that kind; text is the literal or the suffix.  Makes it if there is
 * none. */
static struct node *
child_for(struct node *parent, enum kind kind, const char *text, size_t len)
{
	bool has_text = kind == LITERAL || kind == SUFFIXED;
	struct node **at = &parent->children;

	for (; *at && (*at)->kind <= kind; at = &(*at)->next) {
		struct node *child = *at;
		if (child->kind != kind)
			continue;
		if (!has_text || (child->len == len && memcmp(child->segment, text, len) == 0))
			return child;
	}
	struct node *child = xcalloc(1, sizeof *child);
	child->kind = kind;
	if (has_text) {
		child->segment = xstrndup(text, len);
		child->len = len;
	}
	child->next = *at;
	*at = child;
	return child;
}

static int
add_entry(struct node *node, struct entry *entry)
{
	struct entry **at = &node->entries;

	for (; *at; at = &(*at)->next)
		if ((*at)->methods & entry->methods)
			return -EEXIST;
	*at = entry;
	return 0;
}

int
router_add(struct router *router, const char *pattern, unsigned method_set, void *target)
{
	struct node *node = &router->root;
	struct entry *entry = xcalloc(1, sizeof *entry);
	int rc = pattern[0] == '/' ? 0 : -EINVAL;

	entry->methods = method_set;
	entry->target = target;
	for (const char *at = pattern; rc == 0 && *at;) {
		const char *segment = at + 1, *name = NULL;
		size_t len = strcspn(segment, "/"), name_len = 0;
		int kind = parse_segment(segment, len, &name, &name_len);

		at = segment + len;
		if (kind < 0 || (kind == REST && *at) || (name && entry->name_count == ROUTER_PARAMS_MAX)) {
			rc = -EINVAL;
			break;
		}
		if (name)
			entry->names[entry->name_count++] = xstrndup(name, name_len);
		size_t skipped = kind == SUFFIXED ? len - suffix_len(segment, len) : 0;
		node = child_for(node, (enum kind)kind, segment + skipped, len - skipped);
	}
	if (rc == 0)
		rc = add_entry(node, entry);
	if (rc < 0)
		free_entry(entry);
	return rc;
}

/* What a search carries: where it must end, what it wants, and what its parameters took so far. */
struct search {
	const char *end;
	unsigned method;
	struct router_match *match;
};

static bool
take_entry(const struct node *node, struct search *search, size_t depth)
{
	struct router_match *match = search->match;

	for (const struct entry *entry = node->entries; entry; entry = entry->next) {
		unsigned answered = entry->methods | (entry->methods & HTTP_GET ? HTTP_HEAD : 0);
		if (!(answered & search->method)) {
			match->allow |= answered;
			continue;
		}
		match->target = entry->target;
		match->param_count = depth;
		for (size_t i = 0; i < depth; i++)
			match->params[i].name = entry->names[i];
		return true;
	}
	return false;
}

/* Whether a segment of a path, which may have escapes, is that of a literal, which has none. */
static bool
is_literal(const struct node *node, const char *segment, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++, used++) {
		int octet = (unsigned char)segment[i];
		if (octet == '%' && len - i > 2) {
			octet = text_hex_value(segment[i + 1]) * 16 + text_hex_value(segment[i + 2]);
			i += 2;
		}
		if (used == node->len || (unsigned char)node->segment[used] != octet)
			return false;
	}
	return used == node->len;
}

/* Whether a segment of a path ends with the suffix of node, and has something before it. */
static bool
has_suffix(const struct node *node, const char *segment, size_t len)
{
	return len > node->len && memcmp(segment + len - node->len, node->segment, node->len) == 0;
}

/* at is the '/' before the segment that a child of node must match, or the end; depth counts the parameters
 * so far. */
static bool
descend(const struct node *node, const char *at, struct search *search, size_t depth)
{
	if (at == search->end)
		return take_entry(node, search, depth);
	const char *segment = at + 1;
	const char *slash = memchr(segment, '/', (size_t)(search->end - segment));
	const char *next = slash ? slash : search->end;
	size_t len = (size_t)(next - segment);

	for (const struct node *child = node->children; child; child = child->next) {
		if (child->kind == LITERAL) {
			if (is_literal(child, segment, len) && descend(child, next, search, depth))
				return true;
			continue;
		}
		bool rest = child->kind == REST;
		if ((len == 0 && !rest) || (child->kind == SUFFIXED && !has_suffix(child, segment, len)))
			continue;
		search->match->params[depth].value = segment;
		search->match->params[depth].value_len =
			rest ? (size_t)(search->end - segment) : len - child->len;
		if (descend(child, rest ? search->end : next, search, depth + 1))
			return true;
	}
	return false;
}

int
router_find(const struct router *router, const char *path, size_t len, enum http_method method,
	struct router_match *ret_match)
{
	struct search search = {.end = path + len, .method = method, .match = ret_match};

	ret_match->target = NULL;
	ret_match->allow = 0;
	ret_match->param_count = 0;
	if (len > 0 && path[0] == '/' && descend(&router->root, path, &search, 0))
		return 0;
	return ret_match->allow ? -EPERM : -ENOENT;
}
