/* The packets of a mutant; mutation_file.c has the file around them. */
#include "mutation.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* Where headers are: link, tags, tunnels, IP, TCP, and the first record's. */
#define HEADERS_LEN 96
#define SECOND_US INT64_C(1000000)

uint64_t
random_next(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

size_t
random_below(struct random *r, size_t count)
{
	return count == 0 ? 0 : (size_t)(random_next(r) % count);
}

void
capture_add(struct capture *c, const struct frame *frame)
{
	if (c->count == c->room) {
		c->room = c->room * 2 + 64;
		c->frames = xreallocarray(c->frames, c->room, sizeof(*c->frames));
	}
	c->frames[c->count++] = *frame;
}

void
capture_release(struct capture *c)
{
	free(c->frames);
	*c = (struct capture){ 0 };
}

void
mutation_init(struct mutation *m)
{
	*m = (struct mutation){ .arena = xmalloc(MUTATION_ARENA_LEN) };
}

void
mutation_release(struct mutation *m)
{
	capture_release(&m->capture);
	free(m->arena);
}

static struct frame *
any_frame(struct mutation *m)
{
	return &m->capture.frames[random_below(&m->random, m->capture.count)];
}

/* A copy of the frame's bytes with `more` behind them, for writing; NULL: the arena is full. */
static uint8_t *
own_bytes(struct mutation *m, struct frame *frame, size_t more)
{
	uint8_t *bytes = m->arena + m->arena_len;
	size_t len = frame->bytes.len + more;

	if (len == 0 || len > MUTATION_ARENA_LEN - m->arena_len)
		return NULL;
	m->arena_len += len;
	if (frame->bytes.len > 0)
		memcpy(bytes, frame->bytes.data, frame->bytes.len);
	memset(bytes + frame->bytes.len, 0, more);
	frame->bytes = span_from(bytes, len);
	return bytes;
}

/* A place in the frame, in its headers more often than not. */
static size_t
any_place(struct mutation *m, const struct frame *frame)
{
	size_t len = frame->bytes.len;

	if (len > HEADERS_LEN && random_below(&m->random, 3) > 0)
		len = HEADERS_LEN;
	return random_below(&m->random, len);
}

static void
flip_bits(struct mutation *m)
{
	struct frame *frame = any_frame(m);
	uint8_t *bytes = own_bytes(m, frame, 0);

	if (bytes == NULL)
		return;
	for (size_t i = 1 + random_below(&m->random, 4); i > 0; i--)
		bytes[any_place(m, frame)] ^= (uint8_t)(1u << random_below(&m->random, 8));
}

/* A byte or two with a value at which lengths, counts and types go wrong. */
static void
lie(struct mutation *m)
{
	static const uint16_t values[] = { 0, 1, 2, 3, 4, 5, 0x10, 0x14, 0x16, 0x28, 0x3f, 0x40,
		0x7f, 0x80, 0xff, 0x100, 0x301, 0x304, 0x4000, 0x4001, 0x5dc, 0x7fff, 0x8000, 0x800,
		0x86dd, 0x8100, 0x8847, 0x8864, 0x88be, 0x6558, 0xfffe, 0xffff };
	struct frame *frame = any_frame(m);
	uint8_t *bytes = own_bytes(m, frame, 0);
	uint16_t value = values[random_below(&m->random, sizeof(values) / sizeof(values[0]))];
	size_t at;

	if (bytes == NULL)
		return;
	at = any_place(m, frame);
	if (random_below(&m->random, 2) == 0 && at + 1 < frame->bytes.len)
		bytes[at++] = (uint8_t)(value >> 8);
	bytes[at] = (uint8_t)value;
}

/* A few bytes more, or fewer, in the middle of a frame; or those of another frame. */
static void
shift_bytes(struct mutation *m)
{
	struct frame *frame = any_frame(m);
	const struct frame *other = any_frame(m);
	struct span from = other->bytes;
	size_t len = 1 + random_below(&m->random, 64), old_len = frame->bytes.len, at;
	uint8_t *bytes = own_bytes(m, frame, len);

	if (bytes == NULL)
		return;
	at = any_place(m, frame);
	if (at > old_len)
		at = old_len;
	if (random_below(&m->random, 2) == 0) {
		memmove(bytes + at + len, bytes + at, old_len - at);
		if (from.len > len)
			memcpy(
			    bytes + at, from.data + random_below(&m->random, from.len - len), len);
	} else {
		len = len < old_len - at ? len : old_len - at;
		memmove(bytes + at, bytes + at + len, old_len - at - len);
		frame->bytes.len = old_len - len;
	}
	frame->wire_len = (uint32_t)frame->bytes.len;
}

static void
remove_frames(struct mutation *m)
{
	struct capture *c = &m->capture;
	size_t at = random_below(&m->random, c->count);
	size_t count = 1 + random_below(&m->random, random_below(&m->random, 4) == 0 ? 20 : 2);

	count = count < c->count - at ? count : c->count - at;
	if (count == c->count)
		return;
	memmove(
	    c->frames + at, c->frames + at + count, (c->count - at - count) * sizeof(c->frames[0]));
	c->count -= count;
}

/* The times change places with the frames, or stay where they were. */
static void
swap_frames(struct mutation *m)
{
	struct frame *a = any_frame(m), *b = any_frame(m), copy = *a;

	*a = *b;
	*b = copy;
	if (random_below(&m->random, 2) == 0) {
		b->time_us = a->time_us;
		a->time_us = copy.time_us;
	}
}

/* The same frames once more: at once, or at the end. */
static void
repeat_frames(struct mutation *m)
{
	struct capture *c = &m->capture;
	size_t at = random_below(&m->random, c->count);
	size_t count = 1 + random_below(&m->random, c->count - at);
	size_t times = random_below(&m->random, 8) == 0 ? 20 : 1;

	while (times-- > 0) {
		for (size_t i = 0; i < count && c->count < MUTATION_FRAMES_MAX; i++) {
			struct frame frame = c->frames[at + i];

			capture_add(c, &frame);
		}
	}
}

/* A snapshot length, for one frame or for all of them; the length on the wire may lie. */
static void
cut_frames(struct mutation *m)
{
	bool all = random_below(&m->random, 4) == 0;
	size_t snap_len = random_below(&m->random, all ? 256 : 1600);
	struct frame *only = any_frame(m);

	for (size_t i = 0; i < m->capture.count; i++) {
		struct frame *frame = &m->capture.frames[i];

		if (all || frame == only)
			frame->bytes = span_first(frame->bytes, snap_len);
	}
	if (random_below(&m->random, 3) == 0)
		only->wire_len = (uint32_t)random_next(&m->random);
}

static void
jump_in_time(struct mutation *m)
{
	static const int64_t jumps[] = { 1, SECOND_US, 4 * SECOND_US, 61 * SECOND_US,
		700 * SECOND_US, 86400 * SECOND_US, INT64_C(2000000000) * SECOND_US };
	size_t first = random_below(&m->random, m->capture.count);
	size_t count = random_below(&m->random, 2) == 0 ? 1 : m->capture.count - first;
	int64_t jump = jumps[random_below(&m->random, sizeof(jumps) / sizeof(jumps[0]))];
	bool back = random_below(&m->random, 2) == 0;

	for (size_t i = first; i < first + count; i++) {
		int64_t *time_us = &m->capture.frames[i].time_us;

		*time_us = back ? *time_us - jump : *time_us + jump;
		if (*time_us < 0)
			*time_us = 0;
	}
}

static void
change_link_type(struct mutation *m)
{
	static const uint32_t types[] = { 0, 1, 9, 12, 50, 51, 101, 104, 105, 107, 108, 109, 113,
		122, 127, 147, 228, 229, 239, 253, 276, 65535 };
	uint32_t type = types[random_below(&m->random, sizeof(types) / sizeof(types[0]))];
	bool all = random_below(&m->random, 4) == 0;

	for (size_t i = 0; i < m->capture.count; i++) {
		if (all || random_below(&m->random, 16) == 0)
			m->capture.frames[i].link_type = type;
	}
}

static void
add_seed(struct mutation *m, const struct capture *seed)
{
	bool part = random_below(&m->random, 4) == 0;
	size_t first = part ? random_below(&m->random, seed->count) : 0;
	size_t count = seed->count - first;

	if (part)
		count = 1 + random_below(&m->random, count);
	for (size_t i = first; i < first + count && m->capture.count < MUTATION_FRAMES_MAX; i++)
		capture_add(&m->capture, &seed->frames[i]);
}

void
mutation_make(struct mutation *m, const struct capture *seeds, size_t seed_count, uint64_t number)
{
	static void (*const often[])(struct mutation *) = { flip_bits, flip_bits, lie, lie,
		shift_bytes, remove_frames, swap_frames, repeat_frames };
	/* Each of these may leave nothing of the capture that could be followed. */
	static void (*const rarely[])(
	    struct mutation *) = { cut_frames, jump_in_time, change_link_type };
	size_t count;

	m->random = (struct random){ number * UINT64_C(0xd1342543de82ef95) };
	m->arena_len = 0;
	m->capture.count = 0;
	/* Each seed in its turn, so that none is left out. */
	add_seed(m, &seeds[number % seed_count]);
	while (random_below(&m->random, 4) == 0)
		add_seed(m, &seeds[random_below(&m->random, seed_count)]);
	count = 1 + random_below(&m->random, random_below(&m->random, 4) == 0 ? 200 : 12);
	for (size_t i = 0; i < count; i++) {
		if (random_below(&m->random, 16) == 0)
			rarely[random_below(&m->random, 3)](m);
		else
			often[random_below(&m->random, 8)](m);
	}
}
