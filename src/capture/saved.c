#include "capture/saved_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "capture/identity.h"
#include "capture/interrupt.h"

#include "base/banned.h"

/* So many frames are counted at a time, while their bytes are in the nearest cache. */
#define CHUNK 32

/* The place of a frame in the stream: by time, then by file. */
struct turn {
	int64_t time_us;
	size_t index;
};

static inline bool
turn_is_before(struct turn a, struct turn b)
{
	return a.time_us != b.time_us ? a.time_us < b.time_us : a.index < b.index;
}

static inline struct turn
turn_of(const struct entry *e)
{
	return (struct turn){ e->next.time_us, e->index };
}

static void
heap_sift_down(struct saved *r, size_t at)
{
	struct entry *e = r->heap[at];

	for (size_t child; (child = at * 2 + 1) < r->heap_count; at = child) {
		if (child + 1 < r->heap_count &&
		    turn_is_before(turn_of(r->heap[child + 1]), turn_of(r->heap[child])))
			child++;
		if (turn_is_before(turn_of(e), turn_of(r->heap[child])))
			break;
		r->heap[at] = r->heap[child];
	}
	r->heap[at] = e;
}

static void
heap_push(struct saved *r, struct entry *e)
{
	size_t at = r->heap_count++;

	for (; at > 0 && turn_is_before(turn_of(e), turn_of(r->heap[(at - 1) / 2]));
	     at = (at - 1) / 2)
		r->heap[at] = r->heap[(at - 1) / 2];
	r->heap[at] = e;
}

static void
heap_pop(struct saved *r)
{
	r->heap[0] = r->heap[--r->heap_count];
	if (r->heap_count > 0)
		heap_sift_down(r, 0);
}

void
entry_fail(struct entry *e, const struct error *err, bool unusable)
{
	e->file.failed = true;
	e->file.unusable = unusable;
	e->file.error = *err;
}

static struct saved_loss
loss_of(const struct reader *reader, const struct reader_loss *loss, uint64_t skipped)
{
	return (struct saved_loss){
		.count = loss->count > skipped ? loss->count - skipped : 0,
		.is_known =
		    reader->interface_count > 0 && loss->interface_count == reader->interface_count,
	};
}

/* What the reader has found out by now, for those who look at the file meanwhile. */
static void
note_progress(struct saved *r, struct entry *e)
{
	const struct reader *reader = e->reader;
	uint64_t done_len = source_offset(&reader->source);

	if (!e->is_stream && done_len > e->file.size)
		done_len = e->file.size;
	r->done_len += done_len - e->done_len; /* may go back, when a file is read again */
	e->done_len = done_len;
	e->file.snap_len = reader->snap_len;
	e->file.left_out_count = reader->left_out_count;
	e->file.interface_loss = loss_of(reader, &reader->by_interface, e->skipped_interface_loss);
	e->file.kernel_loss = loss_of(reader, &reader->by_kernel, e->skipped_kernel_loss);
}

/* Thousands of files may be due at the same time. */
static void
spare_descriptors(const struct saved *r, struct entry *e)
{
	if (r->active_count > OPEN_MAX_FILES)
		source_spare_descriptor(&e->reader->source);
}

/* What looks like a damaged end is none: the rest was not waited for. */
static bool
was_cut_short(const struct entry *e)
{
	return e->is_stream && interrupt_was_raised();
}

bool
entry_open(struct saved *r, struct entry *e)
{
	size_t window_len = r->active_count < OPEN_MAX_FILES ? WINDOW_LEN : WINDOW_LEN_SMALL;
	enum reader_open_answer answer;

	e->reader = xmalloc(sizeof(*e->reader));
	r->active_count++;
	answer = reader_open(e->reader, e->file.path, window_len);
	e->reader->number = (uint32_t)e->index; /* files are fewer than 2^32 */
	if (answer == READER_OPEN) {
		if (r->active_count <= AHEAD_MAX_FILES)
			source_read_ahead(&e->reader->source);
		if (r->keeps)
			e->reader->source.map.kept = &r->kept;
		else
			source_choose(&e->reader->source, &r->choice);
		spare_descriptors(r, e);
		return true;
	}
	if (!was_cut_short(e))
		entry_fail(e, &e->reader->error, true);
	entry_finish(r, e, READER_END);
	return false;
}

enum reader_answer
entry_advance(struct saved *r, struct entry *e)
{
	enum reader_answer answer;

	while ((answer = reader_next(e->reader, &e->next)) == READER_MORE) {
		reader_fill(e->reader);
		spare_descriptors(r, e);
		note_progress(r, e);
	}
	return answer == READER_BAD && was_cut_short(e) ? READER_END : answer;
}

void
entry_fail_for_left_out(struct entry *e, const struct reader *reader)
{
	struct error err;

	error_set(&err, "%s; %llu packet%s could not be read", reader->error.text,
	    (unsigned long long)reader->left_out_count, reader->left_out_count == 1 ? "" : "s");
	entry_fail(e, &err, false);
}

void
entry_finish(struct saved *r, struct entry *e, enum reader_answer answer)
{
	note_progress(r, e);
	if (!e->is_stream) {
		r->done_len += e->file.size - e->done_len;
		e->done_len = e->file.size;
	}
	if (answer == READER_BAD)
		entry_fail(e, &e->reader->error, false);
	else if (e->reader->left_out_count > 0)
		entry_fail_for_left_out(e, e->reader);
	reader_close(e->reader);
	free(e->reader);
	e->reader = NULL;
	r->active_count--;
}

void
entry_count(struct entry *e, const struct frame *frames, size_t count)
{
	struct saved_file *f = &e->file;
	/* In variables of their own: the compiler cannot know that the frames are not they. */
	uint64_t hash = f->identity.stream_hash, byte_count = 0, snapped_count = 0, back_count = 0;
	int64_t begin_us = f->begin_us, end_us = f->end_us, last_us = e->last_us;

	if (count == 0)
		return;
	if (f->packet_count == f->skipped_count)
		begin_us = end_us = last_us = frames[0].time_us;
	if (f->packet_count == 0)
		f->identity.head_hash = identity_add(0, &frames[0]);
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &frames[i];

		/* Only time that goes on can be the latest, and only one that went back the first.
		 */
		if (frame->time_us >= last_us) {
			end_us = frame->time_us > end_us ? frame->time_us : end_us;
		} else {
			begin_us = frame->time_us < begin_us ? frame->time_us : begin_us;
			back_count++;
		}
		last_us = frame->time_us;
		snapped_count += frame->wire_len > frame->bytes.len;
		byte_count += frame->bytes.len;
		hash = identity_add(hash, frame);
	}
	f->packet_count += count;
	f->byte_count += byte_count;
	f->snapped_count += snapped_count;
	f->unordered_count += back_count;
	f->begin_us = begin_us;
	f->end_us = end_us;
	f->identity.stream_hash = hash;
	f->identity.packet_count = f->packet_count;
	e->last_us = last_us;
}

/* The turn of `e` has come: opens it, and passes over what is known. */
static void
activate(struct saved *r, struct entry *e)
{
	enum reader_answer answer;

	if (!entry_open(r, e))
		return;
	answer = entry_advance(r, e);
	if (answer != READER_FRAME)
		entry_finish(r, e, answer);
	else if (entry_skip_known(r, e))
		heap_push(r, e);
}

/* Pipes take part from the start: only reading them tells the time of their first packet. */
static void
begin(struct saved *r)
{
	size_t kept_count = 0;

	for (size_t i = 0; i < r->waiting_count; i++) {
		if (r->waiting[i]->is_stream)
			activate(r, r->waiting[i]);
		else
			r->waiting[kept_count++] = r->waiting[i];
	}
	r->waiting_count = kept_count;
	r->begun = true;
}

/* Opens the next file if its turn has come; false when it has not. */
static bool
activate_next(struct saved *r)
{
	struct entry *e;

	if (r->waiting_next == r->waiting_count)
		return false;
	e = r->waiting[r->waiting_next];
	if (r->heap_count > 0 &&
	    turn_is_before(turn_of(r->heap[0]), (struct turn){ e->first_us, e->index }))
		return false;
	r->waiting_next++;
	activate(r, e);
	return true;
}

/* The first turn that is not the heap's top's. */
static struct turn
next_turn(const struct saved *r)
{
	struct turn next = { INT64_MAX, SIZE_MAX };

	for (size_t i = 1; i < r->heap_count && i < 3; i++)
		if (turn_is_before(turn_of(r->heap[i]), next))
			next = turn_of(r->heap[i]);
	if (r->waiting_next < r->waiting_count) {
		const struct entry *e = r->waiting[r->waiting_next];
		struct turn first = { e->first_us, e->index };

		if (turn_is_before(first, next))
			next = first;
	}
	return next;
}

/* The time before which frames of the file with that index come before `limit`. */
static int64_t
time_before(struct turn limit, size_t index)
{
	return index < limit.index && limit.time_us < INT64_MAX ? limit.time_us + 1 : limit.time_us;
}

/* Frames of the earliest file, as long as it is the earliest. */
static size_t
take_run(struct saved *r, struct frame *frames, size_t max)
{
	struct entry *e = r->heap[0];
	struct turn limit = next_turn(r);
	size_t count = 0;

	while (count < max && turn_is_before(turn_of(e), limit)) {
		size_t first = count;

		frames[count++] = e->next;
		count += reader_next_many(e->reader, frames + count,
		    max - count < CHUNK ? max - count : CHUNK, time_before(limit, e->index));
		entry_count(e, frames + first, count - first);
		/* To read on would take the bytes of these frames away, and might block. */
		if (reader_next(e->reader, &e->next) != READER_FRAME) {
			heap_pop(r);
			r->stalled = e;
			return count;
		}
	}
	heap_sift_down(r, 0);
	return count;
}

static void
resume_stalled(struct saved *r)
{
	struct entry *e = r->stalled;
	enum reader_answer answer = entry_advance(r, e);

	r->stalled = NULL;
	if (answer == READER_FRAME)
		heap_push(r, e);
	else
		entry_finish(r, e, answer);
}

struct saved *
saved_open(const char *const *paths, size_t path_count, const struct saved_options *options)
{
	struct saved *r;

	if (path_count == 0)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	map_choice_init(&r->choice);
	if (options != NULL)
		r->options = *options;
	saved_find(r, paths, path_count);
	return r;
}

void
saved_free(struct saved *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		struct entry *e = r->entries[i];

		if (e->reader != NULL)
			entry_finish(r, e, READER_END);
		entry_free(e);
	}
	map_kept_free(&r->kept);
	path_list_release(&r->passed_over);
	free(r->entries);
	free(r->waiting);
	free(r->heap);
	free(r);
}

void
saved_keep(struct saved *r)
{
	r->keeps = true;
}

struct span
saved_kept(const struct saved *r)
{
	const struct entry *e = r->stalled;

	if (e == NULL && r->heap_count > 0)
		e = r->heap[0];
	if (!r->keeps || e == NULL || r->active_count != 1)
		return span_from(NULL, 0);
	return span_from(e->reader->source.map.bytes, e->reader->source.map.len);
}

uint64_t
saved_mark(const struct saved *r)
{
	return map_kept_count(&r->kept);
}

bool
saved_is_at_border(const struct saved *r)
{
	return r->stalled != NULL;
}

void
saved_release(struct saved *r, uint64_t mark)
{
	map_kept_release(&r->kept, mark);
}

size_t
saved_read(struct saved *r, struct frame *frames, size_t max)
{
	size_t count = 0;

	assert(max > 0);
	if (!r->begun)
		begin(r);
	for (;;) {
		if (r->stalled != NULL) {
			if (count > 0)
				break;
			resume_stalled(r);
		} else if (!activate_next(r)) {
			if (r->heap_count == 0 || count == max)
				break;
			count += take_run(r, frames + count, max - count);
		}
	}
	return count;
}

size_t
saved_file_count(const struct saved *r)
{
	return r->count;
}

const struct saved_file *
saved_file_at(const struct saved *r, size_t index)
{
	assert(index < r->count);
	return &r->entries[index]->file;
}

size_t
saved_passed_over_count(const struct saved *r)
{
	return r->passed_over.count;
}

const char *
saved_passed_over_at(const struct saved *r, size_t index)
{
	assert(index < r->passed_over.count);
	return r->passed_over.paths[index];
}

size_t
saved_inner_folder_count(const struct saved *r)
{
	return r->inner_folder_count;
}

uint64_t
saved_bytes_done(const struct saved *r)
{
	return r->done_len;
}

uint64_t
saved_bytes_total(const struct saved *r)
{
	return r->total_unknown ? 0 : r->total_len;
}
