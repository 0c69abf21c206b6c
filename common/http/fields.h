/*
 * Header fields (RFC 9110, 5) in their original order, kept as they go over the wire:
 * "Name: value\r\n" one after the other in one allocation.  Names compare without regard to case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How many header fields a program or an upstream may answer. */
#define FIELDS_OF_RESULT_MAX 1000

/* All zero is the empty list. */
struct fields {
	char *wire; /* len bytes, no NUL promised */
	size_t len;
	size_t size; /* allocated; 0: wire is lent, or NULL */
};

/* One field of a walk; name and value are not NUL-terminated and live as long as the list is unchanged. */
struct field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* An entry of a constant list of names: {FIELD_NAME("Host"), FIELD_NAME("Date")}. */
struct field_name {
	const char *text;
	size_t len;
};

#define FIELD_NAME(text) \
	{ \
		text, sizeof(text) - 1 \
	}

/* Whether field's name is one of the count names. */
bool field_is_one_of(const struct field *field, const struct field_name *names, size_t count);

/* Adds a field.  -EINVAL if name is no token or value has control characters other than a tab, or blanks at
 * its ends are stripped as RFC 9110 says; the list is then unchanged. */
__attribute__((warn_unused_result)) int fields_add(
	struct fields *fields, const char *name, const char *value);
__attribute__((warn_unused_result)) int fields_add_bytes(
	struct fields *fields, const char *name, size_t name_len, const char *value, size_t value_len);

/* The same for names and values of our own, which are known to be good, without blanks at their ends where
 * they are formatted: aborts if they are not. */
void fields_put(struct fields *fields, const char *name, const char *value);
__attribute__((format(printf, 3, 4))) void fields_putf(
	struct fields *fields, const char *name, const char *format, ...);

/* Removes every field of that name. */
void fields_remove(struct fields *fields, const char *name);

/* Removes every field that is_unwanted, in one pass. */
void fields_remove_if(struct fields *fields, bool (*is_unwanted)(const struct field *field, const void *arg),
	const void *arg);

/* The first field of that name; false if there is none. */
bool fields_find(const struct fields *fields, const char *name, struct field *ret_field);

/* A copy of the first value of that name, NULL if there is none. */
char *fields_dup_value(const struct fields *fields, const char *name);

/* Walks: start with an all-zero field, false at the end. */
bool fields_next(const struct fields *fields, struct field *field);

#define fields_for_each(field, fields) for (struct field field = {0}; fields_next((fields), &(field));)

void fields_copy(struct fields *ret_to, const struct fields *from);
/* Takes wire text that fields_* made before (from the store). -EINVAL if it is not well-formed. */
__attribute__((warn_unused_result)) int fields_from_wire(
	struct fields *ret_fields, const char *wire, size_t len);
/* Frees the unused end of the list's memory: for a list that is kept. */
void fields_trim(struct fields *fields);
void fields_fini(struct fields *fields);
