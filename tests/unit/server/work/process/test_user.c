/* Users that programs run as: who there is, whom we may switch to, and how. */
#include "common/cleanup.h"
#include "common/text.h"
#include "work/process/user.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_unknown(void **state)
{
	struct program_user user = {.uid = 7, .gid = 8};

	(void)state;
	assert_int_equal(program_user_find("nobody-of-that-name", &user), -ENOENT);
	assert_int_equal(program_user_find("", &user), -ENOENT);
	assert_int_equal(user.uid, 7);
	assert_int_equal(user.gid, 8);
}

/* Whoever we are may run programs as that user. */
static void
test_own(void **state)
{
	const struct passwd *own = getpwuid(geteuid());
	struct program_user user;

	(void)state;
	if (!own)
		skip();
	CLEANUP_FREE char *name = xstrdup(own->pw_name);
	assert_int_equal(program_user_find(name, &user), 0);
	assert_true(program_user_is_own(&user));
}

/* What program_user_find answers for root in a child that has lowered itself in one way; 100: it could
 * not. */
static int
find_lowered(int (*lower)(void))
{
	struct program_user user;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(lower() < 0 ? 100 : -program_user_find("nobody", &user));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
stay(void)
{
	return 0;
}

static int
leave_root(void)
{
	return setresuid(1, 1, 1);
}

/* Root by number alone. */
static int
lose_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	sets[CAP_TO_INDEX(CAP_KILL)].effective &= ~CAP_TO_MASK(CAP_KILL);
	return (int)syscall(SYS_capset, &header, sets);
}

static void
test_switching(void **state)
{
	(void)state;
	if (geteuid() != 0 || !getpwnam("nobody"))
		skip();
	assert_int_equal(find_lowered(stay), 0);
	assert_int_equal(find_lowered(leave_root), EPERM);
	assert_int_equal(find_lowered(lose_capabilities), EPERM);
}

static void
test_command(void **state)
{
	const struct program_user user = {.uid = 12, .gid = 34};
	struct string_list argv = {0};
	struct text words = {0};

	(void)state;
	program_user_add_command(&user, &argv);
	for (size_t i = 0; i < argv.count; i++)
		text_addf(&words, "%s ", argv.items[i]);
	assert_string_equal(
		words.data, "/usr/bin/setpriv --reuid=12 --regid=34 --init-groups --inh-caps=-all -- ");
	text_fini(&words);
	string_list_fini(&argv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_switching),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests_name("program_user", tests, NULL, NULL);
}
