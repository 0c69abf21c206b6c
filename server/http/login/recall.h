/*
 * Authorization fields that were good a short while ago: the next request with the same field needs no decoding
 * and no digest.  Without it polls with a token cost an eighth more processor time with ten tokens, and four
 * times as much with a thousand.  Only 128 bits of a field are kept, hashed under keys that only this process
 * knows.  Bounded: a new entry replaces the one in its place.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct login_recall;

struct login_recall *login_recall_new(void);
void login_recall_free(struct login_recall *recall); /* NULL is allowed */

/* The name that belongs to the field, lent until the next call; NULL: not remembered. */
const char *login_recall_find(struct login_recall *recall, const char *field);

/* Remembers until until_ms (monotonic) that the field is good.  Copies name. */
void login_recall_add(struct login_recall *recall, const char *field, const char *name, int64_t until_ms);

/* Forgets all: the users have changed. */
void login_recall_clear(struct login_recall *recall);
