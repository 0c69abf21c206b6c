/* A judge of JSON texts that builds nothing: one state, and a bit for each level of nesting. */
#include "common/json/validator.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
in_object(const struct json_validator *validator)
{
	unsigned level = validator->depth - 1;

	return validator->depth > 0 && (validator->objects[level / 8] >> level % 8 & 1);
}

static enum json_validator_state
open_level(struct json_validator *validator, bool object)
{
	unsigned level = validator->depth;
	uint8_t bit = (uint8_t)(1 << level % 8);

	if (level == JSON_VALIDATOR_DEPTH_MAX)
		return JSON_WRONG;
	validator->depth++;
	if (object)
		validator->objects[level / 8] |= bit;
	else
		validator->objects[level / 8] &= (uint8_t)~bit;
	if (level == 0)
		validator->is_object = object;
	return object ? JSON_NAME_OR_END : JSON_VALUE_OR_END;
}

static enum json_validator_state
close_level(struct json_validator *validator, bool object)
{
	if (validator->depth == 0 || in_object(validator) != object)
		return JSON_WRONG;
	validator->depth--;
	return JSON_AFTER;
}

static enum json_validator_state
begin_string(struct json_validator *validator, bool is_name)
{
	validator->in_name = is_name;
	return JSON_STRING;
}

static enum json_validator_state
begin_literal(struct json_validator *validator, const char *rest)
{
	validator->literal = rest;
	return JSON_LITERAL;
}

static enum json_validator_state
begin_value(struct json_validator *validator, char c)
{
	switch (c) {
	case '{':
		return open_level(validator, true);
	case '[':
		return open_level(validator, false);
	case '"':
		return begin_string(validator, false);
	case 't':
		return begin_literal(validator, "rue");
	case 'f':
		return begin_literal(validator, "alse");
	case 'n':
		return begin_literal(validator, "ull");
	case '-':
		return JSON_MINUS;
	case '0':
		return JSON_ZERO;
	default:
		return is_digit(c) ? JSON_DIGITS : JSON_WRONG;
	}
}

static enum json_validator_state
after_value(struct json_validator *validator, char c)
{
	if (is_blank(c))
		return JSON_AFTER;
	if (c == ',' && validator->depth > 0)
		return in_object(validator) ? JSON_NAME : JSON_VALUE;
	return c == '}' || c == ']' ? close_level(validator, c == '}') : JSON_WRONG;
}

/* Behind the digits of a number: its fraction, its exponent, or what comes after it. */
static enum json_validator_state
after_digits(struct json_validator *validator, char c, bool may_have_fraction)
{
	if (c == '.' && may_have_fraction)
		return JSON_POINT;
	return c == 'e' || c == 'E' ? JSON_EXPONENT : after_value(validator, c);
}

static enum json_validator_state
in_number(struct json_validator *validator, char c)
{
	switch (validator->state) {
	case JSON_MINUS:
		return c == '0' ? JSON_ZERO : is_digit(c) ? JSON_DIGITS : JSON_WRONG;
	case JSON_ZERO:
		return after_digits(validator, c, true);
	case JSON_DIGITS:
		return is_digit(c) ? JSON_DIGITS : after_digits(validator, c, true);
	case JSON_POINT:
		return is_digit(c) ? JSON_FRACTION : JSON_WRONG;
	case JSON_FRACTION:
		return is_digit(c) ? JSON_FRACTION : after_digits(validator, c, false);
	case JSON_EXPONENT:
		if (c == '+' || c == '-')
			return JSON_EXPONENT_SIGN;
		return is_digit(c) ? JSON_EXPONENT_DIGITS : JSON_WRONG;
	case JSON_EXPONENT_SIGN:
		return is_digit(c) ? JSON_EXPONENT_DIGITS : JSON_WRONG;
	default:
		return is_digit(c) ? JSON_EXPONENT_DIGITS : after_value(validator, c);
	}
}

static enum json_validator_state
in_string(struct json_validator *validator, char c)
{
	if (c == '"')
		return validator->in_name ? JSON_COLON : JSON_AFTER;
	if (c == '\\')
		return JSON_ESCAPE;
	return (unsigned char)c < 0x20 ? JSON_WRONG : JSON_STRING;
}

static enum json_validator_state
in_escape(struct json_validator *validator, char c)
{
	validator->hex = 4;
	if (c == 'u')
		return JSON_HEX;
	return c != '\0' && strchr("\"\\/bfnrt", c) ? JSON_STRING : JSON_WRONG;
}

static enum json_validator_state
in_literal(struct json_validator *validator, char c)
{
	if (c != *validator->literal)
		return JSON_WRONG;
	return *++validator->literal ? JSON_LITERAL : JSON_AFTER;
}

static enum json_validator_state
in_hex(struct json_validator *validator, char c)
{
	if (!is_hex(c))
		return JSON_WRONG;
	return --validator->hex > 0 ? JSON_HEX : JSON_STRING;
}

static enum json_validator_state
next_state(struct json_validator *validator, char c)
{
	switch (validator->state) {
	case JSON_VALUE:
		return is_blank(c) ? JSON_VALUE : begin_value(validator, c);
	case JSON_VALUE_OR_END:
		if (is_blank(c))
			return JSON_VALUE_OR_END;
		return c == ']' ? close_level(validator, false) : begin_value(validator, c);
	case JSON_NAME_OR_END:
		if (c == '}')
			return close_level(validator, true);
		__attribute__((fallthrough));
	case JSON_NAME:
		if (is_blank(c))
			return validator->state;
		return c == '"' ? begin_string(validator, true) : JSON_WRONG;
	case JSON_COLON:
		return is_blank(c) ? JSON_COLON : c == ':' ? JSON_VALUE : JSON_WRONG;
	case JSON_AFTER:
		return after_value(validator, c);
	case JSON_STRING:
		return in_string(validator, c);
	case JSON_ESCAPE:
		return in_escape(validator, c);
	case JSON_HEX:
		return in_hex(validator, c);
	case JSON_LITERAL:
		return in_literal(validator, c);
	case JSON_WRONG:
		return JSON_WRONG;
	default:
		return in_number(validator, c);
	}
}

/* The first byte of a sequence says how many follow, and bounds the first of them: no overlong forms, no surrogates,
 * nothing beyond U+10FFFF. */
static void
begin_sequence(struct json_validator *validator, unsigned char c)
{
	validator->lowest = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	validator->highest = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c >= 0xc2 && c <= 0xdf)
		validator->more = 1;
	else if (c >= 0xe0 && c <= 0xef)
		validator->more = 2;
	else if (c >= 0xf0 && c <= 0xf4)
		validator->more = 3;
	else
		validator->is_not_utf8 = true;
}

static void
feed_utf8(struct json_validator *validator, unsigned char c)
{
	if (validator->more == 0) {
		validator->has_nul |= c == 0;
		if (c >= 0x80)
			begin_sequence(validator, c);
		return;
	}
	if (c < validator->lowest || c > validator->highest)
		validator->is_not_utf8 = true;
	validator->more--;
	validator->lowest = 0x80;
	validator->highest = 0xbf;
}

void
json_validator_feed(struct json_validator *validator, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !validator->is_not_utf8; i++) {
		feed_utf8(validator, (unsigned char)data[i]);
		validator->state = next_state(validator, data[i]);
	}
}

static bool
is_utf8(const struct json_validator *validator)
{
	return !validator->is_not_utf8 && validator->more == 0;
}

/* A number at the end of the text has no character behind it that would end it. */
bool
json_validator_is_json(const struct json_validator *validator)
{
	static const bool ends[JSON_WRONG + 1] = {[JSON_AFTER] = true,
		[JSON_ZERO] = true,
		[JSON_DIGITS] = true,
		[JSON_FRACTION] = true,
		[JSON_EXPONENT_DIGITS] = true};

	return is_utf8(validator) && validator->depth == 0 && ends[validator->state];
}

bool
json_validator_is_object(const struct json_validator *validator)
{
	return validator->is_object && json_validator_is_json(validator);
}

bool
json_validator_is_text(const struct json_validator *validator)
{
	return is_utf8(validator) && !validator->has_nul;
}
