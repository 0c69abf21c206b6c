/*
 * Authorization fields that were good a short while ago, so that the next request with the same one costs
 * neither decoding nor a digest of its token or password.  Nothing of a field is kept but 128 bits of it
 * under keys that only this process knows.  Bounded: an entry gives way to another one that falls into its
 * place.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct login_recall;

struct login_recall *login_recall_new(void);
void login_recall_free(struct login_recall *recall); /* NULL is allowed */

/* Whom the field names: lent until the next call but this one; NULL: it is not remembered. */
const char *login_recall_find(struct login_recall *recall, const char *field);

/* The field has been found good, and is so until until_ms (monotonic).  Copies name. */
void login_recall_add(struct login_recall *recall, const char *field, const char *name, int64_t until_ms);

/* Others may log in from now on. */
void login_recall_clear(struct login_recall *recall);
