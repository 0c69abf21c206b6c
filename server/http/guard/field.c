/*
 * The wire guard's header and trailer lines (RFC 9112, 5): a name, a colon, blanks, a value, blanks, CRLF.
 *
 * Trailer lines go the same way and are dropped; of their section evhttp sees only the empty line at its end.
 */
#include "http/guard/private.h"

#include <string.h>

void
guard_field_begin_section(struct guard *guard)
{
	guard->line_count = 0;
	guard->section_left = guard->limits->max_header_bytes;
	guard->state = GUARD_LINE;
}

static enum guard_verdict
refuse_length(struct guard *guard)
{
	return guard_refuse(guard, PROBLEM_HEADER_TOO_LARGE,
		guard->trailers ? "The trailer section is longer than allowed."
				: "The header section is longer than allowed.");
}

/* The empty line: the CR is next. */
static enum guard_verdict
end_section(struct guard *guard, struct guard_run *run)
{
	if (!guard->has_host && !guard->version_1_0)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "The request has no Host field.");
	run->at++;
	guard->state = guard->trailers ? GUARD_TRAILER_LF : GUARD_HEADER_LF;
	return GUARD_PASS;
}

static void
note_name(struct guard *guard, const uint8_t *at)
{
	struct guard_note *note = guard->note;

	if (note->field_count == GUARD_NOTE_FIELDS)
		note->is_plain = false;
	else
		note->fields[note->field_count++] =
			(struct guard_field_note){.name = guard_offset(guard, at)};
}

/* The last field that was noted.  If the note is full it may be another field's, and the note is not used. */
static struct guard_field_note *
last_note(struct guard *guard)
{
	return &guard->note->fields[guard->note->field_count - 1];
}

static enum guard_verdict
begin_line(struct guard *guard, const uint8_t *at)
{
	size_t most = guard->limits->max_line_bytes;

	if (guard->line_count == guard->limits->max_header_count)
		return guard_refuse(guard, PROBLEM_HEADER_TOO_LARGE, "There are more fields than allowed.");
	guard->line_count++;
	guard->left = most < guard->section_left ? most : guard->section_left;
	guard->section_left -= guard->left;
	guard->word_len = 0;
	guard->state = GUARD_NAME;
	if (guard->note)
		note_name(guard, at);
	return GUARD_PASS;
}

enum guard_verdict
guard_field_line(struct guard *guard, struct guard_run *run)
{
	uint8_t c = *run->at;
	bool drop = guard->trailers && c != '\r';

	if (drop != guard->drop) {
		guard->drop = drop;
		return GUARD_PASS;
	}
	if (c == '\r')
		return end_section(guard, run);
	if (guard_is(c, BYTE_TOKEN))
		return begin_line(guard, run->at);
	return guard_refuse(guard, PROBLEM_BAD_REQUEST,
		guard_is(c, BYTE_BLANK)
			? "A field line is folded, or the first one begins with a blank."
			: "A field line begins with a byte that is not allowed in a field name.");
}

/* The colon has been read. */
static enum guard_verdict
end_name(struct guard *guard, const uint8_t *colon)
{
	guard->part = 0;
	guard->number = 0;
	guard->state = GUARD_BLANKS;
	guard->rule = &guard_rule_plain;
	if (!guard->trailers) {
		guard->rule = guard_rule_find(guard->word, guard->word_len);
		if (guard->note) {
			last_note(guard)->name_len = guard_offset(guard, colon) - last_note(guard)->name;
			guard->note->is_plain = guard->note->is_plain && !guard->rule->frames;
		}
		return guard->rule->begin(guard);
	}
	if (guard_rule_bars_trailer(guard->word, guard->word_len))
		return guard_refuse(
			guard, PROBLEM_BAD_REQUEST, "This field is not allowed in a trailer section.");
	return GUARD_PASS;
}

static void
remember_name(struct guard *guard, const uint8_t *name, size_t len)
{
	size_t room = sizeof(guard->word) - guard->word_len;
	size_t kept = len < room ? len : room;

	memcpy(guard->word + guard->word_len, name, kept);
	guard->word_len += (uint8_t)kept;
}

enum guard_verdict
guard_field_name(struct guard *guard, struct guard_run *run)
{
	struct guard_run name = guard_within_left(guard, run);
	const uint8_t *end = guard_skip(name.at, name.end, BYTE_TOKEN);

	remember_name(guard, name.at, (size_t)(end - name.at));
	guard_take(guard, run, end);
	if (run->at == run->end)
		return GUARD_PASS;
	if (guard->left == 0)
		return refuse_length(guard);
	if (*run->at != ':')
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			guard_is(*run->at, BYTE_BLANK)
				? "There is a blank in a field name or before the colon."
				: "A field name is not a token and a colon.");
	if (end_name(guard, run->at) != GUARD_PASS)
		return GUARD_REFUSE;
	guard_take(guard, run, run->at + 1);
	return GUARD_PASS;
}

enum guard_verdict
guard_field_blanks(struct guard *guard, struct guard_run *run)
{
	struct guard_run blanks = guard_within_left(guard, run);

	while (blanks.at < blanks.end && *blanks.at == ' ')
		blanks.at++;
	guard_take(guard, run, blanks.at);
	if (run->at == run->end)
		return GUARD_PASS;
	if (*run->at == '\t' && guard->left > 0) {
		guard->drop = true;
		guard->state = GUARD_TABS;
	} else {
		if (guard->note)
			last_note(guard)->value = guard_offset(guard, run->at);
		guard->state = GUARD_VALUE;
	}
	return GUARD_PASS;
}

enum guard_verdict
guard_field_tabs(struct guard *guard, struct guard_run *run)
{
	struct guard_run tabs = guard_within_left(guard, run);

	guard_take(guard, run, guard_skip(tabs.at, tabs.end, BYTE_BLANK));
	if (run->at < run->end) {
		guard->drop = guard->trailers;
		guard->state = GUARD_VALUE;
	}
	return GUARD_PASS;
}

/* A run of the value has ended at a byte that does not belong to it. */
static enum guard_verdict
end_value(struct guard *guard, struct guard_run *run)
{
	uint8_t c = *run->at;

	if (c != '\r' && guard->left == 0)
		return refuse_length(guard);
	if (c != '\r' && !guard_is(c, BYTE_VALUE))
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "A field value has a control byte.");
	if ((c != '\r' && !guard_is(c, BYTE_BLANK)) || !guard->rule->is_whole(guard))
		return guard->rule->refuse(guard, c);
	if (c == '\r') {
		if (guard->note)
			last_note(guard)->value_len = guard_offset(guard, run->at) - last_note(guard)->value;
		run->at++;
		guard->state = GUARD_LINE_LF;
	} else {
		guard->state = GUARD_TAIL;
	}
	return GUARD_PASS;
}

enum guard_verdict
guard_field_value(struct guard *guard, struct guard_run *run)
{
	struct guard_run value = guard_within_left(guard, run);
	enum guard_verdict verdict = guard->rule->read(guard, &value);

	guard_take(guard, run, value.at);
	if (verdict != GUARD_PASS || run->at == run->end)
		return verdict;
	return end_value(guard, run);
}

enum guard_verdict
guard_field_tail(struct guard *guard, struct guard_run *run)
{
	struct guard_run tail = guard_within_left(guard, run);

	guard_take(guard, run, guard_skip(tail.at, tail.end, BYTE_BLANK));
	return run->at < run->end ? end_value(guard, run) : GUARD_PASS;
}

enum guard_verdict
guard_field_line_end(struct guard *guard, struct guard_run *run)
{
	guard->section_left += guard->left;
	return guard_expect(guard, run, '\n', GUARD_LINE, "A CR is not followed by an LF.");
}
