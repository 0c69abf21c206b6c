/* The statements on the resources, prepared once, and their parameters bound by a format. */
#pragma once

#include "store/database.h"

#include <stdbool.h>
#include <stdint.h>

struct id;

enum statement {
	/* those that only read, which a reader has, too */
	FIND,
	FIND_PARENT,
	HAS_VALUE,
	HAS_REMOVAL,
	IS_REMOVED,
	FIND_ABOVE,
	STATEMENT_READ_COUNT,

	/* the writer's */
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
	struct database *database; /* NULL: a reader's, whose failures are all -EIO */
	sqlite3_stmt *list[STATEMENT_COUNT];
};

/* Prepares those of the writer; those of a reader, on its connection.  -errno; what was prepared is to be finalized
 * all the same. */
__attribute__((warn_unused_result)) int statements_prepare(
	struct statements *statements, struct database *database);
__attribute__((warn_unused_result)) int statements_prepare_reads(
	struct statements *statements, sqlite3 *handle);
void statements_finalize(struct statements *statements);

/*
 * Run a statement with parameters by a format, a letter each: i an int64_t, t a text, I a struct id, P one that may
 * be none (NULL).
 *
 * statements_run is for those whose rows nobody wants.  statements_ask gives the first row: 1 if there is one, then
 * the caller reads and resets it; 0 if there is none.  Both fail with -errno of the database, never with a refusal
 * (resources.h).
 */
__attribute__((warn_unused_result)) int statements_run(
	struct statements *statements, enum statement which, const char *format, ...);
__attribute__((warn_unused_result)) int statements_ask(
	struct statements *statements, enum statement which, const char *format, ...);

/* Whether error is a refusal of a change (resources.h), which leaves the transaction as it was. */
bool statements_is_refusal(int error);

/* A failure of the database, as it may be told: those that would look like refusals are none. */
int statements_hide(int error);

/* A step of a judgement or a write: goes on unless it failed. */
#define TRY(expression) \
	do { \
		int try_rc = (expression); \
		if (try_rc < 0) \
			return try_rc; \
	} while (0)
