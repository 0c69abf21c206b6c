/* Tests of common/list.h. */
#include "common/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct letter {
	int before; /* so that the node is not the first member */
	struct list link;
	char name;
};

static struct letter letters[8];

static void
setup_letters(void)
{
	for (int i = 0; i < 8; i++) {
		letters[i].name = (char)('a' + i);
		list_init(&letters[i].link);
	}
}

/* The letters of the list, read forwards and, as a check, backwards. */
static const char *
spell(const struct list *list)
{
	static char forwards[16];
	size_t len = 0, back;

	list_for_each(node, list)
		forwards[len++] = container_of(node, struct letter, link)->name;
	forwards[len] = '\0';
	back = len;
	for (const struct list *node = list->prev; node != list; node = node->prev) {
		assert_true(back > 0);
		assert_int_equal(container_of(node, struct letter, link)->name, forwards[--back]);
	}
	assert_int_equal(back, 0);
	return forwards;
}

static void
fill(struct list *list, const char *names)
{
	list_init(list);
	for (; *names; names++)
		list_add_tail(list, &letters[*names - 'a'].link);
}

static void
test_empty(void **state)
{
	struct list list = LIST_INIT(list), other;

	list_init(&other);
	assert_true(list_is_empty(&list));
	assert_true(list_is_empty(&other));
	assert_string_equal(spell(&list), "");
	list_for_each_safe(node, &list)
		fail();
}

static void
test_add(void **state)
{
	struct list list = LIST_INIT(list);

	setup_letters();
	list_add_tail(&list, &letters[1].link);
	list_add_tail(&list, &letters[2].link);
	list_add_head(&list, &letters[0].link);
	assert_string_equal(spell(&list), "abc");
	assert_false(list_is_empty(&list));
	assert_false(list_is_empty(&letters[0].link));
}

static void
test_remove(void **state)
{
	static const struct {
		const char *before;
		char name;
		const char *after;
	} cases[] = {{"a", 'a', ""}, {"abc", 'a', "bc"}, {"abc", 'b', "ac"}, {"abc", 'c', "ab"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct letter *letter = &letters[cases[i].name - 'a'];
		struct list list;

		setup_letters();
		fill(&list, cases[i].before);
		list_remove(&letter->link);
		assert_string_equal(spell(&list), cases[i].after);
		assert_true(list_is_empty(&letter->link));
		list_remove(&letter->link);
		assert_string_equal(spell(&list), cases[i].after);
	}
}

static void
test_splice(void **state)
{
	static const struct {
		const char *to, *from, *after;
	} cases[] = {
		{"", "", ""}, {"ab", "", "ab"}, {"", "cd", "cd"}, {"ab", "c", "abc"}, {"a", "bcd", "abcd"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct list to, from;

		setup_letters();
		fill(&to, cases[i].to);
		fill(&from, cases[i].from);
		list_splice(&to, &from);
		assert_string_equal(spell(&to), cases[i].after);
		assert_string_equal(spell(&from), "");
		list_add_tail(&to, &letters[7].link);
		list_add_tail(&from, &letters[6].link);
		assert_string_equal(spell(&from), "g");
		assert_int_equal(spell(&to)[strlen(cases[i].after)], 'h');
	}
}

/* Every subset may leave during a walk, and the walk still sees everybody. */
static void
test_remove_in_walk(void **state)
{
	for (unsigned subset = 0; subset < 1 << 4; subset++) {
		char seen[8] = "", left[8] = "";
		struct list list;

		setup_letters();
		fill(&list, "abcd");
		list_for_each_safe(node, &list) {
			struct letter *letter = container_of(node, struct letter, link);
			char name[2] = {letter->name, '\0'};

			strcat(seen, name);
			if (subset & 1U << (letter->name - 'a')) {
				list_remove(node);
				memset(letter, 0xa5, sizeof *letter);
			} else {
				strcat(left, name);
			}
		}
		assert_string_equal(seen, "abcd");
		assert_string_equal(spell(&list), left);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_splice),
		cmocka_unit_test(test_remove_in_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
