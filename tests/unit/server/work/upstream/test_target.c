/* URLs of an upstream's side and of ours. */
#include "work/upstream/target.h"

#include "work/work.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *url, *origin, *path; /* origin NULL: refused */
} urls[] = {
	{"http://h", "http://h:80", ""},
	{"https://h/", "https://h:443", ""},
	{"HTTP://h:8080/a/b//", "http://h:8080", "/a/b"},
	{"http://[::1]:90/x%20y", "http://[::1]:90", "/x%20y"},
	{"ftp://h/", NULL, NULL},
	{"file:///etc/passwd", NULL, NULL},
	{"http://user@h/", NULL, NULL},
	{"http://h/?a", NULL, NULL},
	{"http://h/#a", NULL, NULL},
	{"http://", NULL, NULL},
	{"http://h:99999", NULL, NULL},
	{"h", NULL, NULL},
	{"", NULL, NULL},
};

static void
a_url_has_parts(void **state)
{
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct upstream_target target;
		int rc = upstream_target_init(&target, urls[i].url);

		if (!urls[i].origin) {
			assert_int_equal(rc, -EINVAL);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(target.origin, urls[i].origin);
		assert_string_equal(target.path, urls[i].path);
		upstream_target_fini(&target);
	}
}

static struct work_input *
make_input(const char *route, const char *path, const char *query)
{
	struct work_input *input = work_input_new();

	free(input->route);
	free(input->path);
	free(input->query);
	free(input->base);
	input->route = xstrdup(route);
	input->path = xstrdup(path);
	input->query = xstrdup(query);
	input->base = xstrdup("https://our.example/in");
	return input;
}

static const struct {
	const char *url, *route, *path, *query, *wanted;
} targets[] = {
	{"http://h", "/api/{rest...}", "/api/x/y", NULL, "/api/x/y"},
	{"http://h", "/api/{rest...}", "/api/x/y", "a=b&c=%20", "/api/x/y?a=b&c=%20"},
	{"http://h", "/api", "/api", "", "/api?"},
	{"http://h/base", "/api/{rest...}", "/api/x/y", NULL, "/base/x/y"},
	{"http://h/base/", "/api/{rest...}", "/api/x/", NULL, "/base/x/"},
	{"http://h/base", "/api/{rest...}", "/api/", NULL, "/base/"},
	{"http://h/base", "/{rest...}", "/x", "q", "/base/x?q"},
	{"http://h/base/hold", "/tok/hold", "/tok/hold", NULL, "/base/hold"},
	{"http://h/base", "/a/{b}/c", "/a/x%2fy/c", NULL, "/base/x%2fy/c"},
	{"http://h/base", "/bc/rest/a/{b}", "/bc/rest/a/1", NULL, "/base/1"},
	{"http://h/base", "/a/{b}", "/%61/1", NULL, "/base/1"},
	{"http://h/base", "/", "/", NULL, "/base"},
};

static void
a_path_becomes_the_upstreams(void **state)
{
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct work_input *input = make_input(targets[i].route, targets[i].path, targets[i].query);
		struct upstream_target target;
		struct text text = {0};

		assert_int_equal(upstream_target_init(&target, targets[i].url), 0);
		upstream_target_add(&target, input, &text);
		assert_string_equal(text.data, targets[i].wanted);
		text_fini(&text);
		upstream_target_fini(&target);
		work_input_free(input);
	}
}

static const struct {
	const char *url, *route, *path, *location, *wanted; /* wanted NULL: stays */
} locations[] = {
	{"http://h/base", "/api/{rest...}", "/api/x", "http://h/base/y?a=b#c",
		"https://our.example/in/api/y?a=b#c"},
	{"http://h/base", "/api/{rest...}", "/api/x", "http://H:80/base", "https://our.example/in/api"},
	{"http://h/base", "/api/{rest...}", "/api/x", "//h/base/y", "https://our.example/in/api/y"},
	{"http://h/base", "/api/{rest...}", "/api/x", "/base/y%2Fz", "https://our.example/in/api/y%2Fz"},
	{"http://h/base", "/api/{rest...}", "/api/x/z", "y", "https://our.example/in/api/x/y"},
	{"http://h/base", "/api/{rest...}", "/api/x/z", "../y", "https://our.example/in/api/y"},
	{"http://h/base", "/api/{rest...}", "/api/x", "?a=b", "https://our.example/in/api/x?a=b"},
	{"http://h/base/hold", "/tok/hold", "/tok/hold", "/base/hold/7", "https://our.example/in/tok/hold/7"},
	{"http://h", "/api/{rest...}", "/api/x", "/other/y", "https://our.example/in/other/y"},
	{"http://h/base", "/api/{rest...}", "/api/x", "http://h:81/base/y", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "https://h/base/y", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "http://u@h/base/y", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "/basement", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "/base/../y", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "mailto:a@b", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "http://h/a b", NULL},
	{"http://h/base", "/api/{rest...}", "/api/x", "", NULL},
};

static void
a_location_becomes_ours(void **state)
{
	for (size_t i = 0; i < sizeof locations / sizeof *locations; i++) {
		struct work_input *input = make_input(locations[i].route, locations[i].path, NULL);
		struct upstream_target target;

		assert_int_equal(upstream_target_init(&target, locations[i].url), 0);
		char *ours = upstream_target_map_back(&target, input, locations[i].location);
		if (locations[i].wanted) {
			assert_non_null(ours);
			assert_string_equal(ours, locations[i].wanted);
		} else {
			assert_null(ours);
		}
		free(ours);
		upstream_target_fini(&target);
		work_input_free(input);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_has_parts),
		cmocka_unit_test(a_path_becomes_the_upstreams),
		cmocka_unit_test(a_location_becomes_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
