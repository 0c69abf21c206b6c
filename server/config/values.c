/* Checks of string settings: URLs, patterns, methods, names and media types. */
#include "config/values.h"

#include "common/cleanup.h"
#include "config/pattern.h"
#include "http/message/router.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define COLLECTION_NAME_MAX 64

const char *const config_methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};

static bool
is_graphic(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Whether libcurl accepts url, and url has no user, password, query or fragment. */
static bool
parses_as_url(const char *url)
{
	static const CURLUPart unwanted[] = {
		CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
	CURLU *parsed = curl_url();
	char *part = NULL;

	if (!parsed)
		abort();
	bool good = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK;
	for (size_t i = 0; good && i < sizeof unwanted / sizeof *unwanted; i++)
		good = curl_url_get(parsed, unwanted[i], &part, 0) != CURLUE_OK;
	curl_free(part);
	curl_url_cleanup(parsed);
	return good;
}

char *
config_convert_url(struct settings *settings, const char *url)
{
	const char *host = strstr(url, "://");
	size_t len = strlen(url);
	bool has_scheme = host && (text_equal_nocase(url, (size_t)(host - url), "http") ||
					  text_equal_nocase(url, (size_t)(host - url), "https"));

	if (!has_scheme || host[3] == '/' || !is_graphic(url) || strpbrk(url, "?#\"<>\\^`{|}") ||
		!parses_as_url(url)) {
		mistakes_add_string(&settings->mistakes, url,
			"is not a URL: http or https with a host, without user, query and fragment");
		return NULL;
	}
	while (url[len - 1] == '/')
		len--;
	return xstrndup(url, len);
}

char *
config_convert_pattern(struct settings *settings, const char *pattern)
{
	CLEANUP_FREE char *mistake = pattern_mistake(pattern);

	if (!mistake)
		return xstrdup(pattern);
	mistakes_add_string(&settings->mistakes, pattern, "%s", mistake);
	return NULL;
}

char *
config_convert_base_path(struct settings *settings, const char *path)
{
	CLEANUP_FREE char *mistake = *path ? pattern_mistake(path) : NULL;

	if (mistake)
		mistakes_add_string(&settings->mistakes, path, "%s", mistake);
	else if (*path && pattern_count_names(path) > 0)
		mistakes_add_string(&settings->mistakes, path, "has a parameter");
	else if (*path && path[strlen(path) - 1] == '/')
		mistakes_add_string(&settings->mistakes, path, "ends with a slash");
	else
		return xstrdup(path);
	return NULL;
}

char *
config_convert_method(struct settings *settings, const char *method)
{
	if (http_method_find(method))
		return xstrdup(method);
	const char *meant = text_nearest(method, config_methods);
	if (meant)
		mistakes_add_string(
			&settings->mistakes, method, "is not a method (did you mean \"%s\"?)", meant);
	else
		mistakes_add_string(&settings->mistakes, method, "is not a method");
	return NULL;
}

char *
config_convert_query_name(struct settings *settings, const char *name)
{
	if (!pattern_is_name(name, strlen(name)))
		mistakes_add_string(&settings->mistakes, name, "is not a name: letters, digits and \"_\"");
	else if (strcmp(name, "async") == 0)
		mistakes_add_string(&settings->mistakes, name, "is reserved: the work never sees it");
	else
		return xstrdup(name);
	return NULL;
}

char *
config_convert_collection_name(struct settings *settings, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	if (strchr(letters, *name) && name[strspn(name, others)] == '\0' &&
		strlen(name) <= COLLECTION_NAME_MAX)
		return xstrdup(name);
	mistakes_add_string(&settings->mistakes, name,
		"is not a name: a letter, then letters, digits, \"_\" and \"-\", %d at most",
		COLLECTION_NAME_MAX);
	return NULL;
}

/* Whether the len bytes are "token/token". */
static bool
is_media_type(const char *data, size_t len)
{
	const char *slash = memchr(data, '/', len);
	size_t before = slash ? (size_t)(slash - data) : 0;

	return slash && text_is_token(data, before) && text_is_token(slash + 1, len - before - 1);
}

static bool
has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

char *
config_convert_media_type(struct settings *settings, const char *type)
{
	size_t len = strcspn(type, ";");

	while (len > 0 && type[len - 1] == ' ')
		len--;
	if (is_media_type(type, len) && !memchr(type, '*', len) && !has_control(type))
		return xstrdup(type);
	mistakes_add_string(&settings->mistakes, type, "is not a media type");
	return NULL;
}

char *
config_convert_media_range(struct settings *settings, const char *range)
{
	const char *star = strchr(range, '*');
	bool is_range =
		star && (strcmp(range, "*/*") == 0 || (star > range && star[-1] == '/' && star[1] == '\0'));

	if (is_media_type(range, strlen(range)) && (!star || is_range))
		return xstrdup(range);
	mistakes_add_string(&settings->mistakes, range, "is not a media type");
	return NULL;
}

char *
config_convert_plain(struct settings *settings, const char *text)
{
	if (!has_control(text))
		return xstrdup(text);
	mistakes_add_string(&settings->mistakes, text, "has a control character");
	return NULL;
}
