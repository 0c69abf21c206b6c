/*
 * Programs that run as another user than the server.  The switch is made by setpriv(1), which becomes the
 * program: a child that still shares our memory must not be another user's.
 */
#pragma once

#include "common/string_list.h"

#include <stdbool.h>
#include <sys/types.h>

struct program_user {
	uid_t uid;
	gid_t gid; /* the user's own group */
};

/*
 * Looks a user up by name.  0; -ENOENT if there is no such user; -EPERM if programs cannot be run as that
 * user: the server must be root, with the capabilities to switch, to look at such processes and to kill them,
 * or that user itself.
 */
__attribute__((warn_unused_result)) int program_user_find(const char *name, struct program_user *ret_user);

/* Whether that is the user that the server runs as. */
bool program_user_is_own(const struct program_user *user);

/* What is put before the arguments of a program to have it run as that user, with that user's groups and no
 * capabilities. */
void program_user_add_command(const struct program_user *user, struct string_list *argv);
