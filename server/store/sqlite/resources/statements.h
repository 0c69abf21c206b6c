/* The statements on resources, prepared once; a format string binds their parameters. */
#pragma once

#include "store/sqlite/disk/database.h"

#include <stdbool.h>
#include <stdint.h>

struct id;

enum statement {
	/* statements that only read; readers have these too */
	FIND,
	FIND_PARENT,
	HAS_VALUE,
	HAS_REMOVAL,
	IS_REMOVED,
	FIND_ABOVE,
	STATEMENT_READ_COUNT,

	/* statements of the writer */
	INSERT = STATEMENT_READ_COUNT,
	UPDATE,
	MARK,
	ADD_VALUE,
	REMOVE_VALUES,
	COUNT,
	HAS_CHILD,
	FIND_CHILD,
	ADD_REMOVAL,
	FIND_REMOVAL,
	END_REMOVAL,
	REMOVE_ONE,
	REMOVE_CHANGES,
	REMOVE_COUNTS,
	ADD_CHANGE,
	FIND_CHANGE,
	REMOVE_CHANGE,
	FIND_OTHERS,
	UPDATE_CHANGE,
	FIND_PENDING,
	FIND_DAMAGED,
	FIND_DAMAGED_CHANGE,
	FIND_DAMAGED_REMOVAL,
	STATEMENT_COUNT,
};

struct statements {
	struct database *database; /* NULL: of a reader, whose failures are all -EIO */
	sqlite3_stmt *list[STATEMENT_COUNT];
};

/* Prepare all statements for the writer, or the reading ones for a reader on its connection.  -errno; also
 * after an error the caller calls statements_finalize. */
__attribute__((warn_unused_result)) int statements_prepare(
	struct statements *statements, struct database *database);
__attribute__((warn_unused_result)) int statements_prepare_reads(
	struct statements *statements, sqlite3 *handle);
void statements_finalize(struct statements *statements);

/*
 * Run a statement.  Each letter of format is a parameter: i an int64_t, t a text, I a struct id, P a struct
 * id that may be NULL.
 *
 * statements_run skips the rows. statements_ask returns the first row: 1 if there is one, and then the caller
 * reads it and resets the statement; 0 if there is none.  Both fail with -errno of the database, which is
 * never a refusal (resources.h).
 */
__attribute__((warn_unused_result)) int statements_run(
	struct statements *statements, enum statement which, const char *format, ...);
__attribute__((warn_unused_result)) int statements_ask(
	struct statements *statements, enum statement which, const char *format, ...);

/* Whether error is a refusal of a change (resources.h).  A refused change leaves the transaction as it
 * was. */
bool statements_is_refusal(int error);

/* Returns error, or -EIO if error is a failure of the database that would look like a refusal. */
int statements_hide(int error);

/* Returns from the function if expression is negative. */
#define TRY(expression) \
	do { \
		int try_rc = (expression); \
		if (try_rc < 0) \
			return try_rc; \
	} while (0)
