/*
 * The log: one line an event on standard error, "key=value" after a short message.  Never a body, a token, a
 * password or a whole id (LOG_ID gives the part of one that may be shown).  Any thread.
 */
#pragma once

#include "common/id.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Nothing below this level is written; information by default. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Lines dropped because standard error took no more at that moment. */
uint64_t log_dropped(void);

/* Prefixes every line with <N>, as journald reads priorities, instead of a date. */
void log_set_journal(int on);

/*
 * Writes one line: the message, which is constant text, then pairs by printf, if any: log_info("listening",
 * "address=%s", a).  Control characters in the result are escaped, so a line is one line.
 */
__attribute__((format(printf, 3, 4))) void log_write(
	enum log_level level, const char *message, const char *format, ...);

#define log_error(message, ...) log_write(LOG_LEVEL_ERROR, message, "" __VA_ARGS__)
#define log_warning(message, ...) log_write(LOG_LEVEL_WARNING, message, "" __VA_ARGS__)
#define log_info(message, ...) log_write(LOG_LEVEL_INFO, message, "" __VA_ARGS__)
#define log_debug(message, ...) log_write(LOG_LEVEL_DEBUG, message, "" __VA_ARGS__)

/* Quotes value for the log when it has blanks, quotes, '=' or control characters.  buffer is the caller's,
 * 256 bytes are plenty: what does not fit is cut with "...".  Returns buffer. */
const char *log_quote(const char *value, char *buffer, size_t size);

/* The first eight digits of an id, as far as a log may go: printf("%s", LOG_ID(&id)). */
struct log_id {
	char text[9];
};
struct log_id log_id(const struct id *id);
#define LOG_ID(id) (log_id(id).text)
