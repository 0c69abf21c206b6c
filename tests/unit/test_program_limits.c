/* Limits of a program: the commands that set them. */
#include "common/text.h"
#include "work/program_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	struct program_limits limits;
	unsigned nice;
	const char *command; /* its words, each with a blank behind it */
} cases[] = {
	{{0}, 0, ""},
	{{0}, 19, "/usr/bin/nice -n19 "},
	{{.cpu_time_ms = 1}, 0, "/usr/bin/prlimit --cpu=1 -- "},
	{{.cpu_time_ms = 1000}, 0, "/usr/bin/prlimit --cpu=1 -- "},
	{{.cpu_time_ms = 1001}, 0, "/usr/bin/prlimit --cpu=2 -- "},
	{{.processes = 7}, 3, "/usr/bin/nice -n3 /usr/bin/prlimit --nproc=7 -- "},
	{{1000, 2, 3, 4, 5}, 0, "/usr/bin/prlimit --cpu=1 --as=2 --fsize=3 --nofile=4 --nproc=5 -- "},
	{{.address_space_bytes = 1ULL << 40}, 0, "/usr/bin/prlimit --as=1099511627776 -- "},
};

static void
test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct string_list argv = {0};
		struct text words = {0};

		program_limits_add_command(&cases[i].limits, cases[i].nice, &argv);
		text_add_string(&words, "");
		for (size_t word = 0; word < argv.count; word++)
			text_addf(&words, "%s ", argv.items[word]);
		assert_string_equal(words.len ? words.data : "", cases[i].command);
		text_fini(&words);
		string_list_fini(&argv);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_commands)};

	return cmocka_run_group_tests_name("program_limits", tests, NULL, NULL);
}
