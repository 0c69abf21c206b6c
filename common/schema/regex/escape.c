/* Escapes in patterns of ECMA-262, rewritten for PCRE2. */
#include "common/schema/regex/escape.h"

#include <stdint.h>
#include <string.h>

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
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
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
	} else if (ecma_looks_at(ecma, "{")) {
		ecma->at++;
		good = take_braced_hex(ecma, &value);
	} else {
		good = take_hex(ecma, 4, &value);
	}
	if (!good)
		return ecma_refuse(ecma, letter == 'x' ? "malformed \\x" : "malformed \\u");
	if (value >= 0xd800 && value <= 0xdbff && ecma_looks_at(ecma, "\\u")) {
		ecma->at += 2;
		if (!take_hex(ecma, 4, &low) || low < 0xdc00 || low > 0xdfff)
			return ecma_refuse(ecma, "lone surrogate");
		value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
	}
	if (value >= 0xd800 && value <= 0xdfff)
		return ecma_refuse(ecma, "lone surrogate");
	text_addf(ecma->out, "\\x{%x}", value);
	return true;
}

static bool
rewrite_control(struct ecma *ecma)
{
	if (ecma->at == ecma->end || !is_letter(*ecma->at))
		return ecma_refuse(ecma, "malformed \\c");
	text_addf(ecma->out, "\\x{%x}", *ecma->at++ & 31);
	return true;
}

static bool
rewrite_decimal(struct ecma *ecma, char first)
{
	if (first == '0' && (ecma->at == ecma->end || !ecma_is_digit(*ecma->at))) {
		text_add_string(ecma->out, "\\x{0}");
		return true;
	}
	if (first == '0' || ecma->in_class)
		return ecma_refuse(ecma, "octal escape");
	text_addf(ecma->out, "\\g{%c", first);
	while (ecma->at < ecma->end && ecma_is_digit(*ecma->at))
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

	if (!ecma_looks_at(ecma, "{"))
		return ecma_refuse(ecma, "malformed \\p");
	for (ecma->at++; ecma->at < ecma->end && *ecma->at != '}'; ecma->at++) {
		if ((!is_letter(*ecma->at) && !ecma_is_digit(*ecma->at) && *ecma->at != '_' &&
			    *ecma->at != '=') ||
			len == sizeof name - 1)
			return ecma_refuse(ecma, "malformed \\p");
		name[len++] = *ecma->at;
	}
	if (ecma->at++ == ecma->end || len == 0)
		return ecma_refuse(ecma, "malformed \\p");
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
			return ecma_refuse(ecma, "unknown property after \\p or \\P");
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
	if (ecma->in_class || !ecma_looks_at(ecma, "<"))
		return ecma_refuse(ecma, "malformed \\k");
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

bool
ecma_rewrite_escape(struct ecma *ecma)
{
	if (++ecma->at == ecma->end)
		return ecma_refuse(ecma, "\\ at the end");
	char c = *ecma->at++;
	ecma->may_repeat = c != 'b' && c != 'B';
	if (ecma_is_digit(c))
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
