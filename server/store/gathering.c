/* Writes of one pass of the loop: see gathering.h. */
#include "store/gathering.h"

#include "common/text.h"

#include <stdlib.h>

/* Its mail stays in the mailbox where the gathering has ended before it, and then means nothing. */
struct turn {
	struct mail mail;
	struct gathering *gathering; /* NULL: it has ended */
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
