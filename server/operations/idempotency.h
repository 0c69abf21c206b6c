/*
 * Idempotency keys (contract, 7; IETF draft idempotency-key-header): the same key with the same request joins
 * the first operation.  A key lives as long as its operation, tombstone included.
 */
#pragma once

#include "operations/operations.h"

struct op_key {
	struct hash_node node;
	char *scope;	    /* route, principal and key, separated by line feeds */
	char *text;	    /* the key as the client meant it, without quotes */
	uint8_t digest[32]; /* of method, path, query and body */
	struct op *op;
};

/* Makes a key for a submission.  Copies all. */
struct op_key *op_key_new(const struct op_route *route, const char *principal, const char *text,
	const uint8_t digest[static 32]);
void op_key_free(struct op_key *key); /* NULL is allowed */

/* The operation that was submitted with an equal key, NULL if there is none; *ret_same says whether the
 * request was the same. */
struct op *op_key_find(struct operations *operations, const struct op_key *key, bool *ret_same);

/* For the layer: enters op's key into the index, and takes it out. */
void op_key_add(struct op *op, struct op_key *key);
void op_key_remove(struct op *op);

/* Reads the value of an Idempotency-Key field, a structured-field String or a bare key of visible characters,
 * into ret_text.  -EINVAL if it is empty, too long, or neither. */
#define IDEMPOTENCY_KEY_SIZE 256
__attribute__((warn_unused_result)) int idempotency_key_parse(
	const char *value, char ret_text[static IDEMPOTENCY_KEY_SIZE]);
