/*
 * output_file - a file that is there whole, or not at all.
 *
 * It is written under another name in the same folder, brought to the disk, and renamed: a reader
 * sees the old content or the new one, never a part.
 */
#ifndef TLSTALLY_BASE_OUTPUT_FILE_H
#define TLSTALLY_BASE_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/*
 * Whether it is a database, or has the name of a file that SQLite keeps beside one: the inventory
 * given by mistake (-o for -d) is not written over.
 */
bool output_file_is_of_database(const char *path);

/*
 * "-" is standard output.  A link is followed; a file that is there keeps its permissions; what is
 * neither a file nor a folder (a pipe, a terminal) is written to directly.  A database is not
 * replaced: -1.
 */
int output_file_write(const char *path, struct span content, struct error *err);

/*
 * Writes "tlstally-20261120T221400Z.ENDING" in `folder`, which exists, and then removes the oldest
 * files of that pattern and ending until `keep` are left (0: removes none).  The new one always
 * stays.  -1 also when only the removal failed.
 */
int output_file_write_dated(const char *folder, int64_t time_us, const char *ending, size_t keep,
    struct span content, struct error *err);

#endif
