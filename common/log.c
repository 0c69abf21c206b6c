/*
 * The log.  A line is written only where that cannot block: a reader that does not read costs lines, which are counted,
 * and never time.  Lines are at most PIPE_BUF bytes, because that much fits into a pipe that poll(2) calls writable.
 */
#include "common/log.h"

#include "common/clock.h"
#include "common/text.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int least_level = LOG_LEVEL_INFO;
static _Atomic int journal;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards standard error */
static _Atomic uint64_t dropped;
static uint64_t dropped_told; /* under the lock: what the log itself has told of dropped */

/* By level: the word of a plain line, and syslog's priority for journald (sd-daemon(3)). */
static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

void
log_set_level(enum log_level level)
{
	least_level = level;
}

enum log_level
log_get_level(void)
{
	return (enum log_level)least_level;
}

void
log_set_journal(int on)
{
	journal = on;
}

static void
add_prefix(struct text *line, enum log_level level)
{
	char date[CLOCK_ISO8601_SIZE];

	if (journal) {
		text_addf(line, "<%d>", levels[level].priority);
		return;
	}
	clock_format_iso8601(clock_wall_ms(), date);
	text_addf(line, "%s %s: ", date, levels[level].word);
}

/* U+0080 to U+009F in UTF-8: to many terminals they are what ESC and others are. */
static bool
is_c1_control(const unsigned char *at, size_t len)
{
	return len > 1 && at[0] == 0xc2 && at[1] < 0xa0;
}

/* Adds data such that the line stays one line, is UTF-8, and commands no terminal. */
static void
add_escaped(struct text *line, const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	bool is_utf8 = text_is_utf8(data, len);

	for (size_t i = 0; i < len; i++) {
		if (at[i] < 0x20 || at[i] == 0x7f || (at[i] >= 0x80 && !is_utf8))
			text_addf(line, "\\x%02x", at[i]);
		else if (is_c1_control(at + i, len - i))
			text_addf(line, "\\u%04x", at[++i]);
		else
			text_add_char(line, data[i]);
	}
}

/* Cuts a line at PIPE_BUF bytes, between characters. */
static void
cut_line(struct text *line)
{
	static const char end[] = "...\n";
	size_t len = PIPE_BUF - strlen(end);

	while (((unsigned char)line->data[len] & 0xc0) == 0x80)
		len--;
	line->len = len;
	text_add_string(line, end);
}

/* Whether a line can be written without waiting.  A file always can. */
static bool
is_writable(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && out.revents & POLLOUT;
}

/* Tells how many lines were dropped since the last one that was written. */
static void
put_dropped(void)
{
	struct text line = {0};

	add_prefix(&line, LOG_LEVEL_WARNING);
	text_addf(&line, "log lines dropped count=%llu\n", (unsigned long long)(dropped - dropped_told));
	dropped_told = dropped;
	ssize_t n = write(STDERR_FILENO, line.data, line.len);
	(void)n; /* where standard error is gone, nobody reads the log */
	text_fini(&line);
}

/* The lock makes the look at the pipe and the write one step. */
static void
put_line(const struct text *line)
{
	pthread_mutex_lock(&lock);
	if (dropped != dropped_told && is_writable())
		put_dropped();
	if (is_writable()) {
		ssize_t n = write(STDERR_FILENO, line->data, line->len);
		(void)n;
	} else {
		dropped++;
	}
	pthread_mutex_unlock(&lock);
}

uint64_t
log_dropped(void)
{
	return dropped;
}

void
log_write(enum log_level level, const char *message, const char *format, ...)
{
	struct text line = {0}, pairs = {0};
	va_list args;

	if ((int)level > least_level)
		return;
	va_start(args, format);
	text_addv(&pairs, format, args);
	va_end(args);
	add_prefix(&line, level);
	text_add_string(&line, message);
	if (pairs.len > 0)
		text_add_char(&line, ' ');
	add_escaped(&line, pairs.data, pairs.len);
	text_add_char(&line, '\n');
	if (line.len > PIPE_BUF)
		cut_line(&line);
	put_line(&line);
	text_fini(&line);
	text_fini(&pairs);
}

/* The length of what must not be cut in two: an escape, or a sequence of UTF-8. */
static size_t
unit_len(const char *at)
{
	size_t len = 1;

	if (*at == '\\')
		return at[1] == 'u' ? 6 : 2;
	while ((at[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Cuts text so that it fits into size bytes together with end. */
static void
cut(struct text *text, size_t size, const char *end)
{
	size_t room = size > strlen(end) ? size - strlen(end) - 1 : 0, len = 0;

	while (len + unit_len(text->data + len) <= room)
		len += unit_len(text->data + len);
	text->len = len;
	text_add_string(text, end);
}

const char *
log_quote(const char *value, char *buffer, size_t size)
{
	struct text quoted = {0};
	bool plain = value && *value && text_is_utf8(value, strlen(value));

	for (const char *c = value; c && *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c == 0x7f)
			plain = false;
	if (plain)
		text_add_string(&quoted, value);
	else
		text_add_json(&quoted, value ? value : "");
	if (quoted.len >= size)
		cut(&quoted, size, plain ? "..." : "...\"");
	snprintf(buffer, size, "%s", quoted.data);
	text_fini(&quoted);
	return buffer;
}

struct log_id
log_id(const struct id *id)
{
	char whole[ID_TEXT_SIZE];
	struct log_id part = {{0}};

	id_format(id, whole);
	memcpy(part.text, whole, sizeof part.text - 1);
	return part;
}
