/*
 * A judge of JSON texts (RFC 8259) that builds nothing: it is fed piece by piece and needs the same memory for any text.
 * Beside that it says whether the bytes are text at all.  Unlike json_parse it accepts repeated members and deeper
 * nesting, which a document that is only passed on may have.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How deep arrays and objects may nest. */
#define JSON_VALIDATOR_DEPTH_MAX 1024

enum json_validator_state {
	JSON_VALUE,	    /* a value must come */
	JSON_VALUE_OR_END,  /* behind '[' */
	JSON_NAME,	    /* behind ',' in an object */
	JSON_NAME_OR_END,   /* behind '{' */
	JSON_COLON,	    /* behind a name */
	JSON_AFTER,	    /* behind a value */
	JSON_STRING,	    /* in a string */
	JSON_ESCAPE,	    /* behind a backslash */
	JSON_HEX,	    /* in \uXXXX */
	JSON_LITERAL,	    /* in true, false or null */
	JSON_MINUS,	    /* behind the sign of a number */
	JSON_ZERO,	    /* behind a leading zero */
	JSON_DIGITS,	    /* in the whole part */
	JSON_POINT,	    /* behind the point */
	JSON_FRACTION,	    /* in the fraction */
	JSON_EXPONENT,	    /* behind e or E */
	JSON_EXPONENT_SIGN, /* behind the sign of the exponent */
	JSON_EXPONENT_DIGITS,
	JSON_WRONG, /* it is no JSON, whatever comes */
};

/* All zero is the beginning. */
struct json_validator {
	enum json_validator_state state;
	bool in_name;	     /* the string is a member's name */
	bool is_object;	     /* the whole value is an object */
	uint8_t hex;	     /* digits of \uXXXX that are still to come */
	const char *literal; /* what is still to come of it */
	unsigned depth;
	uint8_t objects[JSON_VALIDATOR_DEPTH_MAX / 8]; /* a bit for each level: it is an object */

	/* UTF-8 (RFC 3629) */
	uint8_t more;		 /* bytes of a sequence that are still to come */
	uint8_t lowest, highest; /* of the next of them */
	bool is_not_utf8, has_nul;
};

/* Judges the next bytes. */
void json_validator_feed(struct json_validator *validator, const char *data, size_t len);

/* What the whole was, once it was fed: one JSON text; one whose value is an object; UTF-8 without NUL. */
bool json_validator_is_json(const struct json_validator *validator);
bool json_validator_is_object(const struct json_validator *validator);
bool json_validator_is_text(const struct json_validator *validator);
