/*
 * text_file - files that a person wrote: what is wrong with them is logged by line.
 */
#ifndef TLSTALLY_APP_TEXT_FILE_H
#define TLSTALLY_APP_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A file that is something else altogether has more faults than anybody reads. */
#define TEXT_FILE_FAULTS_SHOWN 20

/*
 * Whether the file is a pipe or a socket: not to be read twice, and waited for as long as its
 * writer likes.  What is not there is none.
 */
bool text_file_is_stream(const char *path);

/* `path`; NULL where it is not there, or cannot be read, which is said. */
const char *text_file_default(const char *path);

struct text_file_faults {
	const char *path; /* borrowed */
	size_t count;     /* so far; beyond TEXT_FILE_FAULTS_SHOWN they are only counted */
};

/* For readers that report a fault by its line: `arg` is a struct text_file_faults. */
void text_file_log_fault(void *arg, unsigned line, const char *text);

#endif
