/*
 * Whose a process is.
 *
 * Each server draws an identity at its start.  It stands in the lock file of the state, together with the
 * server's own process, and in the environment of every program.  Every run of a program also has a mark: a
 * number that holds a part of the identity and the number of the run.  The kernel hands it down from process to
 * process, whatever session, group, parent or environment a descendant has.
 */
#pragma once

#include "common/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct identity {
	struct id id;
	pid_t pid; /* of the server */
	uint64_t start_time;
	struct id boot; /* of the machine, so that pid and start_time tell one process from all others */
};

/* The length of an identity's text without its NUL.  All texts have the same length. */
#define IDENTITY_TEXT_LEN 112

/* Draws the identity of this process.  Call it at start, before there is a program. */
void identity_start(void);
const struct identity *identity_own(void);

/* Writes an identity as one line without its end.  identity_parse reads it; -EINVAL if it is no such line. */
void identity_format(const struct identity *identity, char ret_text[static IDENTITY_TEXT_LEN + 1]);
__attribute__((warn_unused_result)) int identity_parse(
	const char *text, size_t len, struct identity *ret_identity);

enum identity_state {
	IDENTITY_ENDED,	    /* the server has ended, and its programs may be left */
	IDENTITY_LIVES,	    /* it is another process, which lives */
	IDENTITY_ELSEWHERE, /* another machine, or before a restart of this one: no process of it can be here */
};

enum identity_state identity_state(const struct identity *identity);

/* Whether this process can give marks: it has none itself. */
bool identity_can_mark(void);

/* Makes the mark of a new run of this server, never 0.  Any thread. */
uint64_t identity_new_mark(void);

/* Whether a mark is of a run of that server. */
bool identity_has_mark(const struct identity *identity, uint64_t mark);

/* Gives the calling process the mark, and every process that it starts later.  Only a system call: it is made
 * for a child that shares its parent's memory.  -EPERM if this process has a lower mark already and is not
 * privileged, -errno. */
__attribute__((warn_unused_result)) int identity_set_mark(uint64_t mark);

/* Returns the mark of a process, 0 if it has none or is gone. */
uint64_t identity_read_mark(pid_t pid);
