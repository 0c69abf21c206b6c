/* An intrusive doubly linked list: a ring through a head that is a node itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define container_of(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define LIST_INIT(name) \
	{ \
		&(name), &(name) \
	}

static inline void
list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

/* Whether the list has no node; of a node: whether it is on no list (it must have been through list_init). */
static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void
list_add_tail(struct list *list, struct list *node)
{
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

static inline void
list_add_head(struct list *list, struct list *node)
{
	list_add_tail(list->next, node);
}

/* Takes node off its list, if it is on one; leaves it initialised. */
static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Moves all nodes of from to the tail of to; leaves from empty. */
static inline void
list_splice(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_for_each(node, head) for (struct list *node = (head)->next; node != (head); node = node->next)

/* The node itself may be removed in the body; others may not. */
#define list_for_each_safe(node, head) \
	for (struct list *node = (head)->next, *node##_after = node->next; node != (head); \
		node = node##_after, node##_after = node->next)
