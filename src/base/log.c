#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

static _Atomic int log_level = LOG_NOTICE;

void
log_set_level(enum log_level level)
{
	log_level = (int)level;
}

static void write_line(enum log_level level, const char *prefix, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
write_line(enum log_level level, const char *prefix, const char *format, va_list args)
{
	char text[1024];
	char line[4 * sizeof(text) + 64];
	size_t n;

	if ((int)level > log_level)
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	n = (size_t)snprintf(line, sizeof(line), "tlstally: %s", prefix);
	for (struct span rest = span_from_text(text); rest.len > 0;) {
		size_t len = text_shown_char(rest);

		if (len == 0) {
			len = 1;
			n += (size_t)snprintf(line + n, sizeof(line) - n, "\\x%02x", rest.data[0]);
		} else {
			memcpy(line + n, rest.data, len);
			n += len;
		}
		rest = span_from(rest.data + len, rest.len - len);
	}
	line[n++] = '\n';
	/* One write, so that lines of several threads do not mix. */
	(void)fwrite(line, 1, n, stderr);
}

#define LOG_FUNCTION(name, level, prefix)                                                          \
	void name(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		write_line(level, prefix, format, args);                                           \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_error, LOG_ERROR, "")
LOG_FUNCTION(log_warning, LOG_WARNING, "warning: ")
LOG_FUNCTION(log_notice, LOG_NOTICE, "")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
LOG_FUNCTION(log_answer, LOG_ERROR, "")
