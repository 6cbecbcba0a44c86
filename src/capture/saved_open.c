#include "capture/saved_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

#include "base/banned.h"

static bool
is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Pipes and the like, which are not touched before the first frame is asked for. */
static bool
is_stream(const char *path)
{
	struct stat st;

	if ((is_standard_input(path) ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
		return false;
	return !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static struct entry *
entry_new(const char *path)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	const char *slash;

	e->path = xstrdup(path);
	e->file.path = e->path;
	slash = strrchr(e->file.path, '/');
	e->file.name = slash != NULL && slash[1] != '\0' ? slash + 1 : e->file.path;
	return e;
}

void
entry_free(struct entry *e)
{
	free(e->path);
	free(e);
}

static void
entry_add(struct saved *r, struct entry *e)
{
	if (r->count == r->room) {
		r->room = r->room * 2 + 16;
		r->entries = xreallocarray(r->entries, r->room, sizeof(struct entry *));
		r->waiting = xreallocarray(r->waiting, r->room, sizeof(struct entry *));
		r->heap = xreallocarray(r->heap, r->room, sizeof(struct entry *));
	}
	e->index = r->count;
	r->entries[r->count++] = e;
}

static void
entry_wait(struct saved *r, struct entry *e)
{
	r->waiting[r->waiting_count++] = e;
	r->total_len += e->file.size;
	if (e->is_stream)
		r->total_unknown = true;
}

/* Reads up to the first packet, to know when the file's turn comes, and closes it again. */
static enum reader_open_answer
peek(struct entry *e, bool *has_packet)
{
	struct reader reader;
	struct frame first;
	enum reader_open_answer answer = reader_open(&reader, e->file.path, WINDOW_LEN_SMALL);

	e->file.size = reader.source.input.size;
	if (answer == READER_OPEN) {
		enum reader_answer found = reader_advance(&reader, &first);

		*has_packet = found == READER_FRAME;
		e->first_us = *has_packet ? first.time_us : 0;
		e->file.snap_len = reader.snap_len;
		e->file.left_out_count = reader.left_out_count;
		if (found == READER_BAD)
			entry_fail(e, &reader.error, false);
		else if (found == READER_END && reader.left_out_count > 0)
			entry_fail_for_left_out(e, &reader);
	} else {
		entry_fail(e, &reader.error, true);
	}
	reader_close(&reader);
	return answer;
}

static void
find_file(struct saved *r, const char *path)
{
	struct entry *e = entry_new(path);
	bool has_packet = false;

	entry_add(r, e);
	e->is_stream = is_stream(path);
	if (!e->is_stream)
		(void)peek(e, &has_packet);
	if (e->is_stream || has_packet)
		entry_wait(r, e);
}

/* A file that a folder holds, and nobody named.  Returns whether it is taken. */
static bool
find_in_folder(struct saved *r, const char *path)
{
	struct entry *e;
	bool has_packet = false;

	if (folder_is(path)) {
		r->inner_folder_count++;
		return false;
	}
	if (is_stream(path)) {
		path_list_take(&r->passed_over, xstrdup(path));
		return false;
	}
	e = entry_new(path);
	if (peek(e, &has_packet) == READER_NO_CAPTURE) {
		entry_free(e);
		path_list_take(&r->passed_over, xstrdup(path));
		return false;
	}
	entry_add(r, e);
	if (has_packet)
		entry_wait(r, e);
	return true;
}

static void
find_folder(struct saved *r, const char *path)
{
	struct path_list found = { 0 };
	struct error err = { .text = "" };
	bool readable = folder_list(path, &found, &err) == 0;
	size_t taken_count = 0, folder_count = r->inner_folder_count;

	for (size_t i = 0; i < found.count; i++)
		if (find_in_folder(r, found.paths[i]))
			taken_count++;
	folder_count = r->inner_folder_count - folder_count;
	if (taken_count == 0) {
		struct entry *e = entry_new(path);

		if (readable && found.count == 0)
			error_set(&err, "folder %.300s is empty: there is no capture in it", path);
		else if (readable && folder_count > 0)
			error_set(&err,
			    "folder %.300s holds no capture, and folders in it are not looked "
			    "into: name those",
			    path);
		else if (readable)
			error_set(&err,
			    "folder %.300s holds no capture: none of what is in it begins with a "
			    "pcap or pcapng header",
			    path);
		entry_fail(e, &err, true);
		entry_add(r, e);
	}
	path_list_release(&found);
}

/* The files that have to wait longest stand last; ties in the order of the entries. */
static int
compare_first(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	if ((*x)->first_us != (*y)->first_us)
		return (*x)->first_us < (*y)->first_us ? -1 : 1;
	return (*x)->index < (*y)->index ? -1 : 1;
}

void
saved_find(struct saved *r, const char *const *paths, size_t path_count)
{
	bool has_standard_input = false;

	for (size_t i = 0; i < path_count; i++) {
		if (is_standard_input(paths[i]) && has_standard_input)
			continue; /* it can be read only once, whoever asks */
		has_standard_input = has_standard_input || is_standard_input(paths[i]);
		if (!is_standard_input(paths[i]) && folder_is(paths[i]))
			find_folder(r, paths[i]);
		else
			find_file(r, paths[i]);
	}
	if (r->waiting_count > 0)
		qsort(r->waiting, r->waiting_count, sizeof(struct entry *), compare_first);
}
