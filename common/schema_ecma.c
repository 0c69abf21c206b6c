/*
 * Patterns of ECMA-262, rewritten for PCRE2: see schema_ecma.h.
 *
 * Most of both languages is the same.  One pass over the pattern copies that, respells what is written
 * differently (\u{..}, surrogate pairs, \cX, \v, \s, long names of properties, [ within a class), and refuses
 * what PCRE2 would take as something that ECMA-262 does not have (\A, \Q, (?i), (*COMMIT), a++ ...), so that
 * a pattern means the same here as anywhere else.
 */
#include "common/schema_ecma.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct ecma {
	const char *at;
	const char *end;
	struct text *out;
	struct text *reason;
	size_t longest_class;
	bool with_modifiers;
	bool may_repeat; /* something that a quantifier may follow came last */
	bool in_class;
};

#define BLANKS "\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_BLANKS \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

/* Escapes of one letter, as PCRE2 has them.  Within a class \s comes first, so that a hyphen before it makes
 * no range. */
static const struct {
	char letter;
	const char *outside;
	const char *in_class; /* NULL: there is no such escape in a class */
} letters[] = {
	{'d', "\\d", "\\d"},
	{'D', "\\D", "\\D"},
	{'w', "\\w", "\\w"},
	{'W', "\\W", "\\W"},
	{'s', "[\\s" BLANKS "]", "\\s" BLANKS},
	{'S', "[^\\s" BLANKS "]", NO_BLANKS},
	{'b', "\\b", "\\x{8}"},
	{'B', "\\B", NULL},
	{'t', "\\x{9}", "\\x{9}"},
	{'n', "\\x{a}", "\\x{a}"},
	{'v', "\\x{b}", "\\x{b}"},
	{'f', "\\x{c}", "\\x{c}"},
	{'r', "\\x{d}", "\\x{d}"},
};

/* Values of General_Category that PCRE2 knows by their short names only. */
static const struct {
	const char *name;
	const char *pcre;
} categories[] = {
	{"Letter", "L"},
	{"Cased_Letter", "L&"},
	{"LC", "L&"},
	{"Uppercase_Letter", "Lu"},
	{"Lowercase_Letter", "Ll"},
	{"Titlecase_Letter", "Lt"},
	{"Modifier_Letter", "Lm"},
	{"Other_Letter", "Lo"},
	{"Mark", "M"},
	{"Combining_Mark", "M"},
	{"Nonspacing_Mark", "Mn"},
	{"Spacing_Mark", "Mc"},
	{"Enclosing_Mark", "Me"},
	{"Number", "N"},
	{"Decimal_Number", "Nd"},
	{"digit", "Nd"},
	{"Letter_Number", "Nl"},
	{"Other_Number", "No"},
	{"Punctuation", "P"},
	{"punct", "P"},
	{"Connector_Punctuation", "Pc"},
	{"Dash_Punctuation", "Pd"},
	{"Open_Punctuation", "Ps"},
	{"Close_Punctuation", "Pe"},
	{"Initial_Punctuation", "Pi"},
	{"Final_Punctuation", "Pf"},
	{"Other_Punctuation", "Po"},
	{"Symbol", "S"},
	{"Math_Symbol", "Sm"},
	{"Currency_Symbol", "Sc"},
	{"Modifier_Symbol", "Sk"},
	{"Other_Symbol", "So"},
	{"Separator", "Z"},
	{"Space_Separator", "Zs"},
	{"Line_Separator", "Zl"},
	{"Paragraph_Separator", "Zp"},
	{"Other", "C"},
	{"Control", "Cc"},
	{"cntrl", "Cc"},
	{"Format", "Cf"},
	{"Surrogate", "Cs"},
	{"Private_Use", "Co"},
	{"Unassigned", "Cn"},
};

static bool
refuse(struct ecma *ecma, const char *reason)
{
	text_add_string(ecma->reason, reason);
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
looks_at(const struct ecma *ecma, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(ecma->end - ecma->at) >= len && memcmp(ecma->at, what, len) == 0;
}

/* Reads exactly count hexadecimal digits. */
static bool
take_hex(struct ecma *ecma, size_t count, uint32_t *ret_value)
{
	uint32_t value = 0;

	if ((size_t)(ecma->end - ecma->at) < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int digit = text_hex_value(ecma->at[i]);
		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	ecma->at += count;
	*ret_value = value;
	return true;
}

/* Reads 1*HEXDIG "}" of a code point. */
static bool
take_braced_hex(struct ecma *ecma, uint32_t *ret_value)
{
	uint32_t value = 0;
	const char *start = ecma->at;

	for (; ecma->at < ecma->end && text_hex_value(*ecma->at) >= 0; ecma->at++) {
		value = value << 4 | (uint32_t)text_hex_value(*ecma->at);
		if (value > 0x10ffff)
			return false;
	}
	if (ecma->at == start || ecma->at == ecma->end)
		return false;
	ecma->at++;
	*ret_value = value;
	return ecma->at[-1] == '}';
}

static bool
rewrite_code_point(struct ecma *ecma, char letter)
{
	uint32_t value, low;
	bool good;

	if (letter == 'x') {
		good = take_hex(ecma, 2, &value);
	} else if (looks_at(ecma, "{")) {
		ecma->at++;
		good = take_braced_hex(ecma, &value);
	} else {
		good = take_hex(ecma, 4, &value);
	}
	if (!good)
		return refuse(ecma, letter == 'x' ? "malformed \\x" : "malformed \\u");
	if (value >= 0xd800 && value <= 0xdbff && looks_at(ecma, "\\u")) {
		ecma->at += 2;
		if (!take_hex(ecma, 4, &low) || low < 0xdc00 || low > 0xdfff)
			return refuse(ecma, "lone surrogate");
		value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
	}
	if (value >= 0xd800 && value <= 0xdfff)
		return refuse(ecma, "lone surrogate");
	text_addf(ecma->out, "\\x{%x}", value);
	return true;
}

static bool
rewrite_control(struct ecma *ecma)
{
	if (ecma->at == ecma->end || !is_letter(*ecma->at))
		return refuse(ecma, "malformed \\c");
	text_addf(ecma->out, "\\x{%x}", *ecma->at++ & 31);
	return true;
}

static bool
rewrite_decimal(struct ecma *ecma, char first)
{
	if (first == '0' && (ecma->at == ecma->end || !is_digit(*ecma->at))) {
		text_add_string(ecma->out, "\\x{0}");
		return true;
	}
	if (first == '0' || ecma->in_class)
		return refuse(ecma, "octal escape");
	text_addf(ecma->out, "\\g{%c", first);
	while (ecma->at < ecma->end && is_digit(*ecma->at))
		text_add_char(ecma->out, *ecma->at++);
	text_add_char(ecma->out, '}');
	return true;
}

static const char *
find_category(const char *name)
{
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
		if (strcmp(categories[i].name, name) == 0)
			return categories[i].pcre;
	return name;
}

/* "{" [ name "=" ] value "}" behind \p or \P */
static bool
rewrite_property(struct ecma *ecma, char letter)
{
	char name[64], *value = name;
	size_t len = 0;

	if (!looks_at(ecma, "{"))
		return refuse(ecma, "malformed \\p");
	for (ecma->at++; ecma->at < ecma->end && *ecma->at != '}'; ecma->at++) {
		if ((!is_letter(*ecma->at) && !is_digit(*ecma->at) && *ecma->at != '_' && *ecma->at != '=') ||
			len == sizeof name - 1)
			return refuse(ecma, "malformed \\p");
		name[len++] = *ecma->at;
	}
	if (ecma->at++ == ecma->end || len == 0)
		return refuse(ecma, "malformed \\p");
	name[len] = '\0';
	char *sign = strchr(name, '=');
	const char *kind = "";
	if (sign) {
		*sign = '\0';
		value = sign + 1;
		if (strcmp(name, "Script") == 0 || strcmp(name, "sc") == 0)
			kind = "sc:";
		else if (strcmp(name, "Script_Extensions") == 0 || strcmp(name, "scx") == 0)
			kind = "scx:";
		else if (strcmp(name, "General_Category") != 0 && strcmp(name, "gc") != 0)
			return refuse(ecma, "unknown property after \\p or \\P");
	}
	if (strcmp(value, "Assigned") == 0)
		text_addf(ecma->out, "\\%c{Cn}", letter == 'p' ? 'P' : 'p');
	else
		text_addf(ecma->out, "\\%c{%s%s}", letter, kind, *kind ? value : find_category(value));
	return true;
}

static bool
rewrite_named_reference(struct ecma *ecma)
{
	if (ecma->in_class || !looks_at(ecma, "<"))
		return refuse(ecma, "malformed \\k");
	text_add_string(ecma->out, "\\k");
	return true;
}

static bool
rewrite_letter(struct ecma *ecma, char letter)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i].letter == letter && (letters[i].in_class || !ecma->in_class)) {
			text_add_string(ecma->out, ecma->in_class ? letters[i].in_class : letters[i].outside);
			return true;
		}
	text_addf(ecma->reason, "\\%c is no escape of ECMA-262", letter);
	return false;
}

static bool
rewrite_escape(struct ecma *ecma)
{
	if (++ecma->at == ecma->end)
		return refuse(ecma, "\\ at the end");
	char c = *ecma->at++;
	ecma->may_repeat = c != 'b' && c != 'B';
	if (is_digit(c))
		return rewrite_decimal(ecma, c);
	if (c == 'x' || c == 'u')
		return rewrite_code_point(ecma, c);
	if (c == 'c')
		return rewrite_control(ecma);
	if (c == 'p' || c == 'P')
		return rewrite_property(ecma, c);
	if (c == 'k')
		return rewrite_named_reference(ecma);
	if (is_letter(c))
		return rewrite_letter(ecma, c);
	/* Escaped, a byte of a longer UTF-8 sequence would mean nothing else. */
	if ((unsigned char)c < 0x80)
		text_add_char(ecma->out, '\\');
	text_add_char(ecma->out, c);
	return true;
}

/* An escape in a class.  A hyphen behind a set of characters can make no range: with the u flag ECMA-262
 * refuses it, but it is so common in patterns that were written without ([\w-.]) that it is taken for what it
 * is meant to be. */
static bool
rewrite_class_escape(struct ecma *ecma)
{
	bool is_set = ecma->end - ecma->at > 1 && ecma->at[1] && strchr("dDwWsSpP", ecma->at[1]);

	if (!rewrite_escape(ecma))
		return false;
	if (is_set && looks_at(ecma, "-")) {
		text_add_string(ecma->out, "\\-");
		ecma->at++;
	}
	return true;
}

static bool
rewrite_class(struct ecma *ecma)
{
	size_t start = ecma->out->len;
	bool good = true;

	text_add_char(ecma->out, *ecma->at++);
	ecma->in_class = true;
	if (looks_at(ecma, "^"))
		text_add_char(ecma->out, *ecma->at++);
	while (good && ecma->at < ecma->end && *ecma->at != ']') {
		if (*ecma->at == '\\') {
			good = rewrite_class_escape(ecma);
			continue;
		}
		/* PCRE2 has [:alpha:], [.x.] and [=x=] */
		if (*ecma->at == '[')
			text_add_char(ecma->out, '\\');
		text_add_char(ecma->out, *ecma->at++);
	}
	if (good && ecma->at == ecma->end)
		return refuse(ecma, "[ without ]");
	if (good)
		text_add_char(ecma->out, *ecma->at++);
	if (ecma->out->len - start > ecma->longest_class)
		ecma->longest_class = ecma->out->len - start;
	ecma->in_class = false;
	ecma->may_repeat = true;
	return good;
}

/* The length of "(?i:", "(?i-s:" and the like, 0 if it is none of these. */
static size_t
modifiers(const struct ecma *ecma)
{
	const char *at = ecma->at + 2;

	if (!looks_at(ecma, "(?"))
		return 0;
	while (at < ecma->end && *at != '\0' && strchr("ims-", *at))
		at++;
	return at > ecma->at + 2 && at < ecma->end && *at == ':' ? (size_t)(at + 1 - ecma->at) : 0;
}

static bool
rewrite_group(struct ecma *ecma)
{
	static const char *const openings[] = {"(?:", "(?=", "(?!", "(?<"};
	size_t len = 1;

	if (looks_at(ecma, "(*"))
		return refuse(ecma, "nothing to repeat");
	if (looks_at(ecma, "(?")) {
		len = modifiers(ecma);
		for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
			if (looks_at(ecma, openings[i]))
				len = strlen(openings[i]);
		if (len == 0)
			return refuse(ecma, "unknown kind of group after (?");
	}
	if (ecma->with_modifiers || modifiers(ecma) == 0)
		text_add(ecma->out, ecma->at, len);
	else
		text_add_string(ecma->out, "(?:");
	ecma->at += len;
	ecma->may_repeat = false;
	return true;
}

/* The length of "{n}", "{n,}" or "{n,m}" at the brace, 0 if it is none of these. */
static size_t
braces(const struct ecma *ecma)
{
	const char *at = ecma->at + 1;

	if (at == ecma->end || !is_digit(*at))
		return 0;
	while (at < ecma->end && is_digit(*at))
		at++;
	if (at < ecma->end && *at == ',')
		at++;
	while (at < ecma->end && is_digit(*at))
		at++;
	return at < ecma->end && *at == '}' ? (size_t)(at + 1 - ecma->at) : 0;
}

static bool
rewrite_quantifier(struct ecma *ecma)
{
	size_t len = *ecma->at == '{' ? braces(ecma) : 1;

	if (len == 0) {
		text_add_string(ecma->out, "\\{");
		ecma->at++;
		ecma->may_repeat = true;
		return true;
	}
	if (!ecma->may_repeat)
		return refuse(ecma, "nothing to repeat");
	text_add(ecma->out, ecma->at, len);
	ecma->at += len;
	if (looks_at(ecma, "?"))
		text_add_char(ecma->out, *ecma->at++);
	ecma->may_repeat = false;
	return true;
}

static bool
rewrite_plain(struct ecma *ecma)
{
	char c = *ecma->at++;

	if (c == ']' || c == '}')
		text_add_char(ecma->out, '\\');
	text_add_char(ecma->out, c);
	ecma->may_repeat = c != '|' && c != '^' && c != '$';
	return true;
}

int
schema_ecma_rewrite(const char *pattern, size_t len, bool with_modifiers, struct text *ret_text,
	size_t *ret_longest_class, struct text *ret_reason)
{
	struct ecma ecma = {.at = pattern,
		.end = pattern + len,
		.out = ret_text,
		.reason = ret_reason,
		.with_modifiers = with_modifiers};
	bool good = true;

	while (good && ecma.at < ecma.end) {
		char c = *ecma.at;
		if (c == '\\')
			good = rewrite_escape(&ecma);
		else if (c == '[')
			good = rewrite_class(&ecma);
		else if (c == '(')
			good = rewrite_group(&ecma);
		else if (c == '*' || c == '+' || c == '?' || c == '{')
			good = rewrite_quantifier(&ecma);
		else
			good = rewrite_plain(&ecma);
	}
	*ret_longest_class = ecma.longest_class;
	return good ? 0 : -EINVAL;
}
