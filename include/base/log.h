/*
 * log - messages for the operator, on stderr.
 *
 * Control characters in a message are shown escaped, so that a name from the network cannot steer
 * the terminal.  Packets are never logged one by one above LOG_DEBUG.
 *
 * Threads: any.  The level is the only file-scope variable of the program.
 */
#ifndef TLSTALLY_BASE_LOG_H
#define TLSTALLY_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG };

void log_set_level(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What the operator has just asked for: at any level. */
void log_answer(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
