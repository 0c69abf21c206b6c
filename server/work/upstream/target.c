/* URLs of the two sides. */
#include "work/upstream/target.h"

#include "common/cleanup.h"
#include "work/work.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

/* Relative references are resolved as they stand, and ports are told even where they are the scheme's own. */
#define PARSE_FLAGS CURLU_PATH_AS_IS
#define PORT_FLAGS CURLU_DEFAULT_PORT

static void
cleanup_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void
cleanup_part(char **part)
{
	curl_free(*part);
}

#define CLEANUP_URL CLEANUP(cleanup_url)
#define CLEANUP_PART CLEANUP(cleanup_part)

static CURLU *
make_url(void)
{
	CURLU *url = curl_url();

	if (!url)
		abort();
	return url;
}

/* A part of a URL, NULL if it has none of that kind. */
static char *
get_part(CURLU *url, CURLUPart what, unsigned flags)
{
	char *part = NULL;

	return curl_url_get(url, what, &part, flags) == CURLUE_OK ? part : NULL;
}

/* "http://127.0.0.1:9000" of a URL of http or https (malloc'ed), NULL of any other. */
static char *
get_origin(CURLU *url)
{
	CLEANUP_PART char *scheme = get_part(url, CURLUPART_SCHEME, 0);
	CLEANUP_PART char *host = get_part(url, CURLUPART_HOST, 0);
	CLEANUP_PART char *port = get_part(url, CURLUPART_PORT, PORT_FLAGS);

	if (!scheme || !host || !port || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return NULL;
	return xasprintf("%s://%s:%s", scheme, host, port);
}

static bool
has_part(CURLU *url, CURLUPart what)
{
	CLEANUP_PART char *part = get_part(url, what, 0);

	return part != NULL;
}

int
upstream_target_init(struct upstream_target *target, const char *text)
{
	CLEANUP_URL CURLU *url = make_url();

	if (curl_url_set(url, CURLUPART_URL, text, PARSE_FLAGS) != CURLUE_OK)
		return -EINVAL;
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_QUERY) ||
		has_part(url, CURLUPART_FRAGMENT))
		return -EINVAL;
	char *origin = get_origin(url);
	if (!origin)
		return -EINVAL;
	CLEANUP_PART char *path = get_part(url, CURLUPART_PATH, 0);
	size_t len = path ? strlen(path) : 0;
	while (len > 0 && path[len - 1] == '/')
		len--;
	*target = (struct upstream_target){.origin = origin, .path = xstrndup(path ? path : "", len)};
	return 0;
}

void
upstream_target_fini(struct upstream_target *target)
{
	free(target->origin);
	free(target->path);
	*target = (struct upstream_target){0};
}

/* How many segments the literal beginning of a pattern has: of "/a/b/{c}/d" two, of "/a/b" two. */
static size_t
count_literals(const char *pattern)
{
	size_t count = 0;

	for (; *pattern == '/' && pattern[1] != '{'; pattern += strcspn(pattern, "/"), count++)
		pattern++;
	return count;
}

/* Where the path goes on behind its first count segments: at a slash or the end. */
static const char *
skip_segments(const char *path, size_t count)
{
	for (; *path == '/' && count > 0; count--) {
		path++;
		path += strcspn(path, "/");
	}
	return path;
}

/* The rest of the request's path behind what the upstream's path stands for. */
static const char *
rest_of(const struct work_input *input)
{
	return skip_segments(input->path, count_literals(input->route));
}

void
upstream_target_add(
	const struct upstream_target *target, const struct work_input *input, struct text *ret_text)
{
	if (*target->path) {
		text_add_string(ret_text, target->path);
		text_add_string(ret_text, rest_of(input));
	} else {
		text_add_string(ret_text, input->path);
	}
	if (input->query) {
		text_add_char(ret_text, '?');
		text_add_string(ret_text, input->query);
	}
}

/* What of the path of a Location lies under the upstream's: "" or from a slash on; NULL if it does not lie
 * there. */
static const char *
rest_under(const struct upstream_target *target, const char *path)
{
	size_t len = strlen(target->path);

	if (strncmp(path, target->path, len) != 0 || (path[len] != '\0' && path[len] != '/'))
		return NULL;
	return path + len;
}

/* Whether a path has segments that stand for others, so that where it leads cannot be told by its
 * beginning. */
static bool
has_dot_segments(const char *path)
{
	for (; *path == '/'; path += strcspn(path, "/")) {
		path++;
		size_t len = strcspn(path, "/");
		if (len > 0 && len <= 2 && strspn(path, ".") >= len)
			return true;
	}
	return false;
}

static void
add_ours(const struct upstream_target *target, const struct work_input *input, const char *rest,
	struct text *text)
{
	text_add_string(text, input->base);
	if (*target->path)
		text_add(text, input->path, (size_t)(rest_of(input) - input->path));
	text_add_string(text, rest);
}

static void
add_part(struct text *text, CURLU *url, CURLUPart what, char mark)
{
	CLEANUP_PART char *part = get_part(url, what, 0);

	if (part) {
		text_add_char(text, mark);
		text_add_string(text, part);
	}
}

/* The Location, seen from what was asked for; -EINVAL if that makes no URL. */
static int
resolve(const struct upstream_target *target, const struct work_input *input, const char *location,
	CURLU *url)
{
	struct text asked = {0};

	text_add_string(&asked, target->origin);
	upstream_target_add(target, input, &asked);
	CURLUcode code = curl_url_set(url, CURLUPART_URL, asked.data, PARSE_FLAGS);
	text_fini(&asked);
	if (code == CURLUE_OK)
		code = curl_url_set(url, CURLUPART_URL, location, 0);
	return code == CURLUE_OK ? 0 : -EINVAL;
}

char *
upstream_target_map_back(
	const struct upstream_target *target, const struct work_input *input, const char *location)
{
	CLEANUP_URL CURLU *url = make_url();
	struct text ours = {0};

	if (*location == '\0' || resolve(target, input, location, url) < 0)
		return NULL;
	CLEANUP_FREE char *origin = get_origin(url);
	CLEANUP_PART char *path = get_part(url, CURLUPART_PATH, 0);
	if (!origin || !path || has_part(url, CURLUPART_USER) || strcasecmp(origin, target->origin) != 0 ||
		has_dot_segments(path))
		return NULL;
	const char *rest = rest_under(target, path);
	if (!rest)
		return NULL;
	add_ours(target, input, rest, &ours);
	add_part(&ours, url, CURLUPART_QUERY, '?');
	add_part(&ours, url, CURLUPART_FRAGMENT, '#');
	return text_take(&ours);
}
