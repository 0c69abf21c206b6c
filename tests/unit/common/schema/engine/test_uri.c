/* URI references: RFC 3986's own examples, and what schemas do with them. */
#include "common/schema/engine/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
resolves(void **state)
{
	static const struct {
		const char *base, *reference, *resolved;
	} cases[] = {
		/* 5.4.1 and 5.4.2, without fragments */
		{"http://a/b/c/d;p?q", "g:h", "g:h"},
		{"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", "./g", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"},
		{"http://a/b/c/d;p?q", "/g", "http://a/g"},
		{"http://a/b/c/d;p?q", "//g", "http://g"},
		{"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
		{"http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y"},
		{"http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q"},
		{"http://a/b/c/d;p?q", "g#s", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", ";x", "http://a/b/c/;x"},
		{"http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"},
		{"http://a/b/c/d;p?q", ".", "http://a/b/c/"},
		{"http://a/b/c/d;p?q", "./", "http://a/b/c/"},
		{"http://a/b/c/d;p?q", "..", "http://a/b/"},
		{"http://a/b/c/d;p?q", "../g", "http://a/b/g"},
		{"http://a/b/c/d;p?q", "../..", "http://a/"},
		{"http://a/b/c/d;p?q", "../../../g", "http://a/g"},
		{"http://a/b/c/d;p?q", "/./g", "http://a/g"},
		{"http://a/b/c/d;p?q", "/../g", "http://a/g"},
		{"http://a/b/c/d;p?q", "g.", "http://a/b/c/g."},
		{"http://a/b/c/d;p?q", "..g", "http://a/b/c/..g"},
		{"http://a/b/c/d;p?q", "./../g", "http://a/b/g"},
		{"http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/"},
		{"http://a/b/c/d;p?q", "g/./h", "http://a/b/c/g/h"},
		{"http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h"},
		{"http://a/b/c/d;p?q", "g;x=1/../y", "http://a/b/c/y"},
		{"http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x"},
		{"http://a/b/c/d;p?q", "http:g", "http:g"},
		/* bases that schemas have */
		{"", "", ""},
		{"", "a.json", "a.json"},
		{"", "/x/a.json#f", "/x/a.json"},
		{"/x/a.json", "b.json", "/x/b.json"},
		{"a.json", "#", "a.json"},
		{"http://h", "a", "http://h/a"},
		{"urn:uuid:1", "#a", "urn:uuid:1"},
		{"urn:uuid:1", "urn:uuid:2", "urn:uuid:2"},
		{"http://h/foo/bar/../baz", "x", "http://h/foo/x"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *resolved = schema_uri_resolve(cases[i].base, cases[i].reference);
		if (strcmp(resolved, cases[i].resolved) != 0)
			fail_msg("%s of %s: %s", cases[i].reference, cases[i].base, resolved);
		free(resolved);
	}
}

static void
judges(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"http://example.com", true},
		{"a:", true},
		{"a+b-c.9:x", true},
		{"http://u:p@h:80/a;b=c/d?e=f/?#g/?", true},
		{"http://h:/", true},
		{"http://[::1]:80/", true},
		{"http://[v1.a:b]/", true},
		{"http://[::1]", true},
		{"http:///path", true},
		{"mailto:a@b", true},
		{"x:%41%aF", true},
		{"", false},
		{":a", false},
		{"1a:b", false},
		{"a b:c", false},
		{"//h/p", false},
		{"x:a b", false},
		{"x:%4", false},
		{"x:%zz", false},
		{"x:%", false},
		{"x:a#b#c", false},
		{"x:a[b]", false},
		{"http://h:80a/", false},
		{"http://a<b@c/", false},
		{"http://a:b@c/", true},
		{"http://a@b@c/", false},
		{"http://[::g]/", false},
		{"http://[]/", false},
		{"http://[v.a]/", false},
		{"http://[v1]/", false},
		{"http://[v1.]/", false},
		{"http://[v1.%41]/", false},
		{"http://[::1%25eth0]/", false},
		{"http://[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]/", false},
		{"http://a[::1]/", false},
		{"x:\"", false},
		{"x:\xc3\xa4", false},
		{"x:?\\", false},
		{"x:#^", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (schema_uri_is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
			fail_msg("%s", cases[i].text);
	assert_false(schema_uri_is_valid("x:a\0b", 5));
	assert_false(schema_uri_is_valid("http://[::1\0]/", 14));
	assert_false(schema_uri_is_valid("x\0:a", 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves),
		cmocka_unit_test(judges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
