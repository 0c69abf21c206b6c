/* A reader: a thread with its own connection that answers reads while the writer writes. */
#pragma once

#include "store/resources.h"

struct reader;

/* Opens the database at path for reading, and starts the thread.  -errno. */
__attribute__((warn_unused_result)) int reader_new(
	const char *path, struct mailbox *mailbox, struct reader **ret_reader);

/* Answers everything that was handed over and ends the thread.  The completions are then in the mailbox.
 * NULL is allowed. */
void reader_free(struct reader *reader);

/* Loop thread. */
void reader_read(struct reader *reader, struct store_read *read);
void reader_judge(struct reader *reader, struct store_judgement *judgement);
void reader_list(struct reader *reader, struct store_list *list);

/* The two readers of a store: one for single resources and judgements, one for lists, so that a long list
 * does not delay reads of one resource. */
struct readers {
	struct reader *items; /* both are NULL until there is a collection */
	struct reader *lists;
};

/* Opens both unless they are open.  -errno. */
__attribute__((warn_unused_result)) int readers_open(
	struct readers *readers, const char *path, struct mailbox *mailbox);
void readers_close(struct readers *readers);
