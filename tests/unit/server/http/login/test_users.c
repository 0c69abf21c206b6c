/* The set of those who may log in. */
#include "http/login/users.h"

#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"
#define OTHER_HASH "$5$saltsalt$JUyX9J5pA1EE4ZvGcIA.vpwPCUQ8GlJbo51r7M84au8"
#define TOK_ALICE "dde96f5b27b2298476b272c037dfd2cb5438e3495510c51035db1ef55f2994a4"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void
note(void *arg, size_t line, const char *why)
{
	text_addf(arg, "%zu: %s\n", line, why);
}

static void
test_passwords(void **state)
{
	static const char file[] = "zoe:" HASH "\n# ann:x\n\nann:" OTHER_HASH "\r\nbob:" HASH;
	struct users *users = users_new();
	struct text told = {0};

	assert_false(users_have_passwords(users));
	assert_non_null(users_any_hash(users));
	assert_null(users_find_hash(users, "ann"));
	assert_int_equal(users_add_htpasswd(users, file, strlen(file), note, &told), 0);
	assert_int_equal(told.len, 0);
	assert_true(users_have_passwords(users));
	assert_false(users_have_tokens(users));
	assert_string_equal(users_find_hash(users, "ann"), OTHER_HASH);
	assert_string_equal(users_find_hash(users, "bob"), HASH);
	assert_string_equal(users_find_hash(users, "zoe"), HASH);
	assert_null(users_find_hash(users, "# ann"));
	assert_null(users_find_hash(users, ""));
	assert_null(users_find_hash(users, "zoe "));
	assert_non_null(users_any_hash(users));
	users_unref(users);
}

static void
test_mistakes(void **state)
{
	static const char file[] = "ann:" HASH "\nbob\nann:" OTHER_HASH "\nann:" HASH "\neve:x\n";
	struct users *users = users_new();
	struct text told = {0};

	assert_int_equal(users_add_htpasswd(users, file, strlen(file), note, &told), -EINVAL);
	assert_non_null(strstr(told.data, "2: there is no colon"));
	assert_non_null(strstr(told.data, "5: the password is plain text"));
	assert_non_null(strstr(told.data, "3: the name was there before\n4: the name was there before\n"));
	text_fini(&told);
	users_unref(users);
}

static void
test_tokens(void **state)
{
	static const char file[] = "alice:" TOK_ALICE "\nalice:" ZEROS "\n";
	static const char same[] = "alice:" ZEROS "\nbob:" ZEROS "\n";
	struct users *users = users_new();
	struct text told = {0};

	assert_int_equal(users_add_tokens(users, file, strlen(file), note, &told), 0);
	assert_string_equal(users_find_bearer(users, "tok-alice"), "alice");
	assert_null(users_find_bearer(users, "tok-alic"));
	assert_null(users_find_bearer(users, ""));
	assert_null(users_find_bearer(users, TOK_ALICE));
	users_unref(users);
	users = users_new();
	assert_int_equal(users_add_tokens(users, same, strlen(same), note, &told), -EINVAL);
	assert_string_equal(told.data, "2: the token was there before\n");
	text_fini(&told);
	users_unref(users);
}

static void
test_many(void **state)
{
	struct users *users = users_new();
	struct text file = {0};
	char name[16];

	for (int i = 0; i < 1000; i++)
		text_addf(&file, "u%d:%s\n", i, i % 2 ? HASH : OTHER_HASH);
	assert_int_equal(users_add_htpasswd(users, file.data, file.len, note, &file), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "u%d", i);
		assert_string_equal(users_find_hash(users, name), i % 2 ? HASH : OTHER_HASH);
	}
	text_fini(&file);
	users_unref(users);
}

static void
test_admins(void **state)
{
	char one[] = "su", two[] = "root";
	char *names[] = {one, two, NULL};
	struct users *users = users_new();

	users_set_admins(users, NULL);
	assert_false(users_is_admin(users, "su"));
	users_set_admins(users, names);
	struct users *shared = users_ref(users);
	users_unref(users);
	assert_true(users_is_admin(shared, "su"));
	assert_true(users_is_admin(shared, "root"));
	assert_false(users_is_admin(shared, "SU"));
	assert_false(users_is_admin(shared, ""));
	users_unref(shared);
	users_unref(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_admins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
