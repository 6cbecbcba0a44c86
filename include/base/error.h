/*
 * error - what went wrong with the machine (a file, a socket, a database), as one clear sentence.
 *
 * A function that can fail takes a `struct error *`, sets it and returns -1.  Each layer may add
 * what it knows in front; the one that can act logs it, once.  Faults of the network are not
 * errors.
 */
#ifndef TLSTALLY_BASE_ERROR_H
#define TLSTALLY_BASE_ERROR_H

#define ERROR_TEXT_LEN 512

struct error {
	char text[ERROR_TEXT_LEN]; /* a sentence without its full stop; cut when it is longer */
};

void error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts `format: ` in front of what is there. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
