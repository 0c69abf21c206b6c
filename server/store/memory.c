/* The store that keeps nothing ("state": "memory"): every write completes at the next turn of the loop. */
#include "store/backend.h"

#include "common/list.h"

#include <stdlib.h>

struct memory {
	struct store store; /* first: see backend.h */
	struct mailbox *mailbox;
	uint64_t writes; /* handed over so far */
};

/* A completion on its way to the loop. */
struct completion {
	struct mail mail;
	store_done_fn done;
	void *arg;
};

static void
on_mail(struct mail *mail)
{
	struct completion *completion = container_of(mail, struct completion, mail);

	completion->done(completion->arg, 0);
	free(completion);
}

static int
memory_load(struct store *store, store_load_fn fn, void *arg, char **ret_why)
{
	return 0;
}

static int
memory_start(struct store *store)
{
	return 0;
}

static void
memory_write(struct store *store, enum store_verb verb, const struct store_operation *operation,
	store_done_fn done, void *arg)
{
	struct memory *memory = (struct memory *)store;

	memory->writes++;
	if (!done)
		return;
	struct completion *completion = xcalloc(1, sizeof *completion);
	completion->mail.deliver = on_mail;
	completion->done = done;
	completion->arg = arg;
	mailbox_post(memory->mailbox, &completion->mail);
}

static int
memory_spool_fd(const struct store *store)
{
	return -1;
}

static bool
memory_is_healthy(const struct store *store)
{
	return true;
}

static void
memory_get_stats(struct store *store, struct store_stats *ret_stats)
{
	*ret_stats = (struct store_stats){.writes = ((struct memory *)store)->writes};
}

static void
memory_close(struct store *store)
{
	free(store);
}

static const struct store_backend memory_backend = {
	.load = memory_load,
	.start = memory_start,
	.write = memory_write,
	.spool_fd = memory_spool_fd,
	.is_healthy = memory_is_healthy,
	.get_stats = memory_get_stats,
	.close = memory_close,
};

int
store_open_memory(const struct store_config *config, struct store **ret_store, char **ret_why)
{
	struct memory *memory = xcalloc(1, sizeof *memory);

	memory->store.backend = &memory_backend;
	memory->mailbox = config->mailbox;
	*ret_store = &memory->store;
	return 0;
}
