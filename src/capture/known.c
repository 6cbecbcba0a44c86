#include "capture/saved_internal.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "capture/identity.h"

#include "base/banned.h"

/* No database has so many captures with the same first packet, unless it is damaged. */
#define CANDIDATES_MAX 65536

struct candidates {
	struct saved_identity *items; /* owned; by packet_count */
	size_t count, room;
};

static int
compare_candidates(const void *a, const void *b)
{
	const struct saved_identity *x = a, *y = b;

	if (x->packet_count != y->packet_count)
		return x->packet_count < y->packet_count ? -1 : 1;
	return 0;
}

static void
ask(const struct saved *r, const struct entry *e, uint64_t head_hash, struct candidates *c)
{
	struct saved_identity known = { 0 };

	for (size_t i = 0; i < CANDIDATES_MAX; i++) {
		if (!r->options.known(r->options.known_arg, &e->file, head_hash, i, &known))
			break;
		if (known.packet_count == 0)
			continue;
		if (c->count == c->room) {
			c->room = c->room * 2 + 4;
			c->items = xreallocarray(c->items, c->room, sizeof(*c->items));
		}
		c->items[c->count++] = known;
	}
	if (c->count > 0)
		qsort(c->items, c->count, sizeof(*c->items), compare_candidates);
}

/*
 * Counts up to the longest candidate, or to the end, and returns the length of the longest one that
 * the file contains.  After READER_FRAME e->next is the frame behind the longest candidate.
 */
static uint64_t
verify(struct saved *r, struct entry *e, const struct candidates *c, enum reader_answer *answer)
{
	const struct saved_identity *is = &e->file.identity;
	uint64_t verified = 0;
	size_t next = 0;

	*answer = READER_FRAME;
	while (next < c->count && *answer == READER_FRAME) {
		entry_count(e, &e->next, 1);
		for (; next < c->count && c->items[next].packet_count == is->packet_count; next++)
			if (c->items[next].stream_hash == is->stream_hash)
				verified = is->packet_count;
		*answer = entry_advance(r, e);
	}
	return verified;
}

/* What was counted so far is not handed out. */
static void
mark_skipped(struct entry *e)
{
	struct saved_file *f = &e->file;

	f->skipped_count = f->packet_count;
	f->skipped_byte_count = f->byte_count;
	f->begin_us = f->end_us = 0;
	f->snapped_count = f->unordered_count = 0;
	e->skipped_interface_loss = e->reader->by_interface.count;
	e->skipped_kernel_loss = e->reader->by_kernel.count;
}

static void
fail_stream(struct saved *r, struct entry *e)
{
	struct error err;

	error_set(&err,
	    "%s begins like a capture that is in the database already, but differs from it after "
	    "that; save it to a file and replay that",
	    input_label(&e->reader->source.input));
	mark_skipped(e);
	entry_finish(r, e, READER_END);
	entry_fail(e, &err, false);
}

/* Reads `count` packets once more from the front.  Returns false when nothing is left. */
static bool
read_again(struct saved *r, struct entry *e, uint64_t count)
{
	struct saved_file *f = &e->file;
	enum reader_answer answer;

	entry_finish(r, e, READER_END);
	f->packet_count = f->byte_count = f->snapped_count = f->unordered_count = 0;
	f->begin_us = f->end_us = 0;
	f->identity = (struct saved_identity){ 0 };
	if (!entry_open(r, e))
		return false;
	answer = entry_advance(r, e);
	while (answer == READER_FRAME && f->packet_count < count) {
		entry_count(e, &e->next, 1);
		answer = entry_advance(r, e);
	}
	mark_skipped(e);
	if (answer != READER_FRAME)
		entry_finish(r, e, answer);
	return answer == READER_FRAME;
}

bool
entry_skip_known(struct saved *r, struct entry *e)
{
	struct candidates c = { 0 };
	enum reader_answer answer = READER_FRAME;
	bool has_frame = true;
	uint64_t verified;

	if (r->options.known == NULL)
		return true;
	ask(r, e, identity_add(0, &e->next), &c);
	if (c.count == 0)
		goto out;
	verified = verify(r, e, &c, &answer);
	has_frame = answer == READER_FRAME;
	if (verified == e->file.packet_count) {
		mark_skipped(e);
		if (!has_frame)
			entry_finish(r, e, answer);
	} else if (e->is_stream) {
		fail_stream(r, e);
		has_frame = false;
	} else {
		has_frame = read_again(r, e, verified);
	}
out:
	free(c.items);
	return has_frame;
}
