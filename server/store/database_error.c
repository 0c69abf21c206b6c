/*
 * What SQLite's failures mean: see database_error.
 *
 * When a sync fails, the kernel may have dropped what was to be written and will say so only once; a page
 * that is damaged says that the disk does not keep what it was given.  From then on the database counts as
 * broken, and nothing is written any more.  Opening it again is safe: what the log has is copied to the
 * database, is written and synced anew, and only then does the log go.
 */
#include "store/database_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Which failures say that the disk does not have, or does not give back, what it was given. */
static bool
breaks(int result_code)
{
	switch (result_code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return true;
	case SQLITE_IOERR:
		return result_code == SQLITE_IOERR_FSYNC || result_code == SQLITE_IOERR_DIR_FSYNC ||
		       result_code == SQLITE_IOERR_CORRUPTFS;
	default:
		return false;
	}
}

/* Of failures that the system has given a reason for. */
static int
error_of_system(const struct database *database)
{
	int error = sqlite3_system_errno(database->handle);

	return error == EDQUOT || error == EFBIG ? -ENOSPC : -EIO;
}

static int
error_of(const struct database *database, int result_code)
{
	switch (result_code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:
		return -EINVAL;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return error_of_system(database);
	}
}

int
database_error(struct database *database, int result_code)
{
	if (result_code == SQLITE_OK || result_code == SQLITE_ROW || result_code == SQLITE_DONE)
		return 0;
	int system = sqlite3_system_errno(database->handle);
	bool by_system = system != 0 &&
			 ((result_code & 0xff) == SQLITE_IOERR || (result_code & 0xff) == SQLITE_CANTOPEN);
	snprintf(database->message, sizeof database->message, "%s (%d%s%s)",
		sqlite3_errstr(result_code & 0xff), result_code, by_system ? ", " : "",
		by_system ? strerror(system) : "");
	database->broken |= breaks(result_code);
	return error_of(database, result_code);
}

const char *
database_message(const struct database *database)
{
	return database->message;
}

bool
database_is_broken(const struct database *database)
{
	return database->broken;
}
