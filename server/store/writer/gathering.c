/* Collects writes until the loop has finished its current turn. */
#include "store/writer/gathering.h"

#include "common/text.h"

#include <stdlib.h>

/* The end of a turn.  It stays in the mailbox if gathering_end came first, and then does nothing. */
struct turn {
	struct mail mail;
	struct gathering *gathering; /* NULL: the writes have been handed over */
};

static void
on_turn(struct mail *mail)
{
	struct turn *turn = container_of(mail, struct turn, mail);

	if (turn->gathering)
		gathering_end(turn->gathering);
	free(turn);
}

void
gathering_init(struct gathering *gathering, struct mailbox *mailbox,
	void (*hand_over)(void *arg, struct list *writes), void *arg)
{
	*gathering = (struct gathering){.mailbox = mailbox, .hand_over = hand_over, .arg = arg};
	list_init(&gathering->writes);
}

void
gathering_add(struct gathering *gathering, struct store_write *write)
{
	list_add_tail(&gathering->writes, &write->link);
	if (gathering->turn)
		return;
	gathering->turn = xcalloc(1, sizeof *gathering->turn);
	gathering->turn->gathering = gathering;
	gathering->turn->mail.deliver = on_turn;
	mailbox_defer(gathering->mailbox, &gathering->turn->mail);
}

void
gathering_end(struct gathering *gathering)
{
	if (!gathering->turn)
		return;
	gathering->turn->gathering = NULL;
	gathering->turn = NULL;
	gathering->hand_over(gathering->arg, &gathering->writes);
}
