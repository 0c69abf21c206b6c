/* Programs that run as another user. */
#include "work/process/user.h"

#include "common/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETPRIV "/usr/bin/setpriv"

/* The largest entry of a user that is taken for one. */
#define ENTRY_MAX (1 << 20)

static int
find_entry(const char *name, struct program_user *ret_user)
{
	for (size_t size = 1024; size <= ENTRY_MAX; size *= 4) {
		struct passwd entry, *found = NULL;
		char *buffer = xcalloc(size, 1);
		int error = getpwnam_r(name, &entry, buffer, size, &found);

		if (found)
			*ret_user = (struct program_user){.uid = found->pw_uid, .gid = found->pw_gid};
		free(buffer);
		if (found)
			return 0;
		if (error != ERANGE)
			break;
	}
	return -ENOENT;
}

static bool
has_capability(const struct __user_cap_data_struct *sets, unsigned capability)
{
	return sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* Root, and root with all that is needed: a service manager may have taken some of it away. */
static bool
may_switch(void)
{
	static const unsigned needed[] = {CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_SYS_PTRACE};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (geteuid() != 0 || syscall(SYS_capget, &header, sets) < 0)
		return false;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!has_capability(sets, needed[i]))
			return false;
	return access(SETPRIV, X_OK) == 0;
}

int
program_user_find(const char *name, struct program_user *ret_user)
{
	struct program_user user;
	int rc = find_entry(name, &user);

	if (rc < 0)
		return rc;
	if (!program_user_is_own(&user) && !may_switch())
		return -EPERM;
	*ret_user = user;
	return 0;
}

bool
program_user_is_own(const struct program_user *user)
{
	return user->uid == geteuid();
}

void
program_user_add_command(const struct program_user *user, struct string_list *argv)
{
	string_list_take(argv, xstrdup(SETPRIV));
	string_list_take(argv, xasprintf("--reuid=%u", user->uid));
	string_list_take(argv, xasprintf("--regid=%u", user->gid));
	string_list_take(argv, xstrdup("--init-groups"));
	string_list_take(argv, xstrdup("--inh-caps=-all"));
	string_list_take(argv, xstrdup("--"));
}
