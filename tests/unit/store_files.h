/*
 * store_files - databases as files, for the suites that open them.
 */
#ifndef TLSTALLY_TESTS_STORE_FILES_H
#define TLSTALLY_TESTS_STORE_FILES_H

#include "store_fixture.h"

/* Opens what cannot be opened, and expects a sentence with the path and `part` in it. */
static inline void
expect_failure(enum store_mode mode, const char *part)
{
	struct error err = { "" };
	struct store *s = store_open(path, mode, &err);

	ck_assert_msg(s == NULL, "opened %s", path);
	ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, part) != NULL, "%s", err.text);
	ck_assert_int_ne(err.text[strlen(err.text) - 1], '.');
}

static inline void
write_file(const char *name, const void *data, size_t len)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static inline size_t
read_file(const char *name, uint8_t *out, size_t room)
{
	FILE *file = fopen(name, "rb");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(out, 1, room, file);
	ck_assert_int_eq(fclose(file), 0);
	return len;
}

/* A database of another program, or anything else that SQL can make. */
static inline void
make_db(const char *statements)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static inline void
fill(void)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	flush_event(s, &ev);
	store_close(s);
}

static inline void
expect_filled(enum store_mode mode)
{
	struct store *s = open_store(mode);
	struct buf out = { 0 };

	dump_store(s, &out);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "mail.example"));
	buf_release(&out);
	store_close(s);
}

#endif
