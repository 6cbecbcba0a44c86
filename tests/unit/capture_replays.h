/*
 * capture_replays - saves captures in a folder of the test's own, and replays them.
 */
#ifndef TLSTALLY_TESTS_CAPTURE_REPLAYS_H
#define TLSTALLY_TESTS_CAPTURE_REPLAYS_H

#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "capture/saved.h"
#include "capture_files.h"

#define T0 INT64_C(1700000000000000)
#define BATCH 64

/* ---- a folder for each test, and files in it */

static char folder[64];

static inline void
make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_capture_replay.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static inline void
remove_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct buf name = { 0 };

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		buf_addf(&name, "%s/%s", path, entry->d_name);
		if (unlink(buf_text(&name)) != 0)
			remove_all(buf_text(&name));
		buf_release(&name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

static inline void
remove_folder(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	remove_all(folder);
}

static inline void
save(const char *name, const struct buf *b)
{
	FILE *f = fopen(name, "wb");

	ck_assert_ptr_nonnull(f);
	if (b->len > 0)
		ck_assert_uint_eq(fwrite(b->data, 1, b->len, f), b->len);
	ck_assert_int_eq(fclose(f), 0);
}

static inline void
save_text(const char *name, const char *text)
{
	struct buf b = { 0 };

	buf_add_text(&b, text);
	save(name, &b);
	buf_release(&b);
}

/* Adds what a file holds. */
static inline void
add_file(struct buf *b, const char *name)
{
	FILE *f = fopen(name, "rb");
	char bytes[4096];
	size_t len;

	ck_assert_ptr_nonnull(f);
	while ((len = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(b, bytes, len);
	ck_assert_int_eq(fclose(f), 0);
}

static inline void
save_pcap(const char *name, int64_t first_us, int64_t step_us, unsigned count, uint32_t len)
{
	struct buf b = { 0 };

	put_pcap(&b, first_us, step_us, count, len);
	save(name, &b);
	buf_release(&b);
}

static inline void
save_gzip(const char *name, const struct buf *b)
{
	gzFile f = gzopen(name, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(gzwrite(f, b->data, (unsigned)b->len), (int)b->len);
	ck_assert_int_eq(gzclose(f), Z_OK);
}

static inline void
save_archive(const char *name, int filter, const struct buf *b)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	if (filter == ARCHIVE_FILTER_GZIP) {
		save_gzip(name, b);
		goto out;
	}
	ck_assert_int_eq(archive_write_add_filter(a, filter), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_set_format_raw(a), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_open_filename(a, name), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	ck_assert_int_eq(archive_write_header(a, entry), ARCHIVE_OK);
	ck_assert_int_eq((int)archive_write_data(a, b->data, b->len), (int)b->len);
	ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
out:
	archive_write_free(a);
	archive_entry_free(entry);
}

static inline void
cut_file(const char *name, off_t by)
{
	struct stat st;

	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_int_eq(truncate(name, st.st_size - by), 0);
}

/* ---- what a replay gives */

struct replayed {
	uint64_t count;
	bool ordered;     /* no frame is earlier than the one before */
	char sources[64]; /* of the first frames, a letter each: 'a' is file 0 */
	int64_t first_us, last_us;
	struct saved *saved;
};

static inline struct replayed
read_rest(struct saved *r)
{
	struct replayed all = { .ordered = true, .saved = r };
	struct frame frames[BATCH];
	size_t count;

	while ((count = saved_read(r, frames, BATCH)) > 0) {
		for (size_t i = 0; i < count; i++, all.count++) {
			if (all.count == 0)
				all.first_us = frames[i].time_us;
			else if (frames[i].time_us < all.last_us)
				all.ordered = false;
			all.last_us = frames[i].time_us;
			if (all.count < sizeof(all.sources) - 1)
				all.sources[all.count] = (char)('a' + frames[i].source);
			/* Every byte is touched, so that a sanitizer sees a lost one. */
			ck_assert(packet_bytes_are(frames[i].bytes,
			    frames[i].bytes.len > 0 ? frames[i].bytes.data[0] : 0,
			    frames[i].bytes.len));
		}
	}
	ck_assert_uint_eq(saved_read(r, frames, BATCH), 0);
	if (saved_bytes_total(r) != 0)
		ck_assert_uint_eq(saved_bytes_done(r), saved_bytes_total(r));
	return all;
}

static inline struct replayed
replay_with(const struct saved_options *options, const char *const *paths, size_t path_count)
{
	struct saved *r = saved_open(paths, path_count, options);

	ck_assert_ptr_nonnull(r);
	return read_rest(r);
}

static inline struct replayed
replay_one(const char *path)
{
	return replay_with(NULL, &path, 1);
}

static inline struct saved_file
replay_single(const char *path, const struct saved_options *options)
{
	struct replayed all = replay_with(options, &path, 1);
	struct saved_file file;

	ck_assert_uint_eq(saved_file_count(all.saved), 1);
	file = *saved_file_at(all.saved, 0);
	file.path = file.name = NULL;
	ck_assert_uint_eq(file.packet_count - file.skipped_count, all.count);
	saved_free(all.saved);
	return file;
}

struct memory {
	struct saved_identity items[8];
	size_t count;
	size_t asked_count;
};

static inline bool
recall(void *arg, const struct saved_file *file, uint64_t head_hash, size_t index,
    struct saved_identity *known)
{
	struct memory *m = arg;

	ck_assert_ptr_nonnull(file);
	m->asked_count++;
	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].head_hash == head_hash && index-- == 0) {
			*known = m->items[i];
			return true;
		}
	return false;
}

static inline struct saved_file
replay_remembering(struct memory *m, const char *path)
{
	struct saved_options options = { .known = recall, .known_arg = m };
	struct saved_file f = replay_single(path, &options);

	m->items[m->count++] = f.identity;
	return f;
}

/* ---- standard input */

static inline void
feed(int fd, const struct buf *b, size_t from, size_t to)
{
	ck_assert_int_eq((int)write(fd, b->data + from, to - from), (int)(to - from));
}

/* Puts a pipe in the place of standard input, and gives its other end. */
static inline int
pipe_to_standard_input(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(close(ends[0]), 0);
	return ends[1];
}

#endif
