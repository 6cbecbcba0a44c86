#include "capture/capture_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/ahead.h"

#include "base/banned.h"

/* A thread costs as much as some hundred KiB of compressed bytes. */
#define AHEAD_FILE_LEN_MIN (1024u * 1024)
/* What is no map is in the cache already. */
#define ASKED_ALL UINTPTR_MAX

int
source_open(struct source *s, const char *path, size_t window_len, struct error *err)
{
	*s = (struct source){ .asked = ASKED_ALL };
	if (input_open(&s->input, path, err) != 0)
		return -1;
	s->own = s->window = xmalloc(window_len);
	s->window_len = window_len;
	return 0;
}

void
source_open_memory(struct source *s, struct span bytes, size_t window_len)
{
	*s = (struct source){
		.own = xmalloc(window_len),
		.window_len = window_len,
		.asked = ASKED_ALL,
	};
	s->window = s->own;
	input_open_memory(&s->input, bytes);
}

void
source_close(struct source *s)
{
	ahead_stop(s->ahead);
	s->ahead = NULL;
	decompressor_free(s->decompressor);
	s->decompressor = NULL;
	map_close(&s->map);
	free(s->own);
	s->own = s->window = NULL;
	s->begin = s->end = 0;
	input_close(&s->input);
}

static ssize_t
read_bytes(struct source *s, uint8_t *out, size_t room)
{
	if (s->ahead != NULL)
		return ahead_read(s->ahead, out, room, &s->error);
	if (s->decompressor != NULL)
		return decompressor_read(s->decompressor, out, room, &s->error);
	return input_read(&s->input, out, room, &s->error);
}

/* One read of up to `room` bytes to the window's end. */
static void
read_once(struct source *s, size_t room)
{
	ssize_t len = read_bytes(s, s->window + s->end, room);

	if (len > 0) {
		s->end += (size_t)len;
		return;
	}
	s->at_end = true;
	s->failed = len < 0;
}

static size_t
begin_of_step(size_t at)
{
	return at - at % MAPPED_STEP;
}

/* Where in the file stands what waits. */
static uint64_t
place_of(const struct source *s)
{
	return s->input.offset - (s->end - s->begin);
}

/* The window's place in a mapped file. */
static void
move_mapped(struct source *s, size_t begin, size_t end)
{
	s->begin = begin;
	s->end = end;
	s->asked = (uintptr_t)s->window + begin;
	s->input.offset = end;
}

/* Small windows are for peeking, or for thousands of files at once. */
static bool
can_be_mapped(const struct source *s)
{
	const struct input *in = &s->input;

	return !s->at_end && in->fd >= 0 && !in->is_stream && in->start == 0 &&
	       in->size >= MAPPED_LEN_MIN && in->size <= SIZE_MAX / 2 &&
	       s->window_len >= WINDOW_LEN;
}

/* Goes on with what waits from its place in the map, if that can be. */
static void
enter_map(struct source *s)
{
	size_t begin = (size_t)place_of(s), end = begin_of_step(begin) + MAPPED_STEP;
	struct map map;

	if (!can_be_mapped(s) || end > s->input.size || s->input.offset > end ||
	    !map_open(&map, s->input.fd, (size_t)s->input.size))
		return;
	map_drop(&map, begin_of_step(begin));
	if (!map_reach(&map, begin, end)) {
		map_close(&map);
		return;
	}
	/* Its own memory stays: that of another one would cost as much as to read 2 MiB. */
	s->map = map;
	s->window = map.bytes;
	move_mapped(s, begin, end);
}

/* Its own memory, which may move. */
static void
make_longer(struct source *s, size_t len)
{
	if (len <= s->window_len)
		return;
	while (s->window_len < len)
		s->window_len *= 2;
	s->own = xreallocarray(s->own, s->window_len, 1);
}

/* Goes on behind `end` by reading: the map ends there, or cannot be reached. */
static void
leave_map(struct source *s)
{
	struct span rest = source_rest(s);

	if (s->choice != NULL && s->window_len < WINDOW_LEN_CHOSEN)
		make_longer(s, WINDOW_LEN_CHOSEN);
	make_longer(s, rest.len);
	memcpy(s->own, rest.data, rest.len);
	if (map_was_cut(&s->map)) {
		error_set(&s->error, "%s was cut while it was being read", input_label(&s->input));
		s->at_end = s->failed = true;
		rest.len = 0;
	}
	map_close(&s->map);
	s->window = s->own;
	s->begin = 0;
	s->end = rest.len;
	s->asked = ASKED_ALL;
}

/* More than what is there is asked for.  False: the rest is to be read. */
static bool
fill_mapped(struct source *s, size_t len)
{
	size_t end = begin_of_step(s->begin + len - 1) + MAPPED_STEP;

	if (end > s->map.len)
		end = s->map.len;
	map_drop(&s->map, s->begin);
	if (end <= s->end || !map_reach(&s->map, s->end, end))
		return false;
	move_mapped(s, s->begin, end);
	return end - s->begin >= len;
}

void
source_sniff(struct source *s)
{
	enum compression compression;

	assert(s->window_len >= SNIFF_LEN && s->end == 0);
	while (s->end < MAGIC_LEN && !s->at_end)
		read_once(s, SNIFF_LEN - s->end);
	compression = compression_detect(source_rest(s));
	if (compression == COMPRESSION_NONE)
		enter_map(s);
	if (compression == COMPRESSION_NONE || s->failed)
		return;
	s->decompressor = decompressor_new(compression, &s->input, source_rest(s));
	s->end = 0;
	s->at_end = false;
	source_fill(s, MAGIC_LEN);
}

/* A pipe may be slow: what came through it is not kept until a block is full. */
void
source_read_ahead(struct source *s)
{
	if (s->decompressor != NULL && !s->at_end && !s->input.is_stream &&
	    s->input.size >= AHEAD_FILE_LEN_MIN)
		s->ahead = ahead_start(s->decompressor, &s->input);
}

uint64_t
source_offset(const struct source *s)
{
	return s->ahead != NULL ? ahead_offset(s->ahead) : s->input.offset;
}

void
source_spare_descriptor(struct source *s)
{
	if (s->ahead == NULL)
		input_rest(&s->input);
}

/* What waits moves to the front: less than what is asked for, so each byte moves once a fill. */
static void
make_room(struct source *s, size_t len)
{
	size_t rest_len = s->end - s->begin;

	assert(s->window != NULL && len <= BLOCK_LEN_MAX);
	memmove(s->window, s->window + s->begin, rest_len);
	s->begin = 0;
	s->end = rest_len;
	make_longer(s, len);
	s->window = s->own;
}

void
source_choose(struct source *s, struct map_choice *choice)
{
	if (s->decompressor != NULL || !can_be_mapped(s))
		return;
	s->choice = choice;
	s->chosen_at = place_of(s);
}

static void
choose(struct source *s)
{
	struct map_choice *c = s->choice;
	uint64_t at = place_of(s);

	map_choice_add(c, at - s->chosen_at);
	s->chosen_at = at;
	if (c->is_mapped && s->map.bytes == NULL)
		enter_map(s);
	else if (!c->is_mapped && s->map.bytes != NULL)
		leave_map(s);
}

void
source_fill(struct source *s, size_t len)
{
	if (s->at_end || s->end - s->begin >= len)
		return;
	if (s->choice != NULL) {
		choose(s);
		if (s->end - s->begin >= len)
			return;
	}
	if (s->map.bytes != NULL) {
		if (fill_mapped(s, len))
			return;
		leave_map(s);
	}
	make_room(s, len);
	while (s->end < len && !s->at_end)
		read_once(s, s->window_len - s->end);
}

uint64_t
source_skip(struct source *s, uint64_t len)
{
	size_t waiting = s->end - s->begin;

	if (len <= waiting) {
		s->begin += (size_t)len;
		return len;
	}
	if (s->map.bytes != NULL) {
		/* Up to its end, and no further: frames that were handed out are in the map. */
		if (len > s->map.len - s->begin)
			len = s->map.len - s->begin;
		move_mapped(s, s->begin + (size_t)len, s->begin + (size_t)len);
		return len;
	}
	s->begin = s->end;
	if (s->decompressor == NULL && !s->at_end && input_skip(&s->input, len - waiting))
		return len;
	return waiting;
}
