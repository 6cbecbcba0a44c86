#include "event/event_list.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/short_copy.h"
#include "base/xalloc.h"

#include "base/banned.h"

/* An empty list keeps no more room than this. */
#define KEPT_ROOM ((size_t)1 << 20)
#define PLACES_PER_ROOM 256 /* bytes of an event and its place */
/*
 * How an event is kept: as it is up to its texts, then each text in its length.  Of the end of a
 * session only what counts of the event is kept, and of its `ending` the names that there are.
 */
#define HEAD_LEN offsetof(struct event, server_name)
#define PACKED_MAX                                                                                 \
	(HEAD_LEN + 3 * sizeof(struct event_text) + sizeof(struct event_ending) +                  \
	    alignof(struct event))
#define ENDING_LEN offsetof(struct event_ending, failed_names)

_Static_assert(HEAD_LEN == 4 * CACHE_LINE && EVENT_ENDING_LEN == 2 * CACHE_LINE, "no gaps");

struct event_list_place {
	int64_t settled_us;
	size_t at; /* in list.bytes */
};

void
event_list_release(struct event_list *list)
{
	free(list->bytes);
	free(list->places);
	*list = (struct event_list){ 0 };
}

void
event_list_clear(struct event_list *list)
{
	if (list->room > KEPT_ROOM || list->place_room > KEPT_ROOM / PLACES_PER_ROOM)
		event_list_release(list);
	list->len = list->count = 0;
}

/* Room for so many events more, that take so many bytes. */
static void
reserve(struct event_list *list, size_t len, size_t count)
{
	if (list->room - list->len < len) {
		list->room = list->room * 2 + 15 * PACKED_MAX + len;
		list->bytes = xreallocarray(list->bytes, list->room, 1);
	}
	if (list->place_room - list->count < count) {
		list->place_room = list->place_room * 2 + 63 + count;
		list->places = xreallocarray(list->places, list->place_room, sizeof(*list->places));
	}
}

static uint8_t *
put(uint8_t *out, const void *bytes, size_t len)
{
	memcpy(out, bytes, len);
	return out + len;
}

static uint8_t *
put_text(uint8_t *out, const struct event_text *text)
{
	memcpy(out, &text->len, sizeof(text->len));
	out += sizeof(text->len);
	short_copy(out, text->data, text->len);
	return out + text->len;
}

/* Where it stands: each begins where an event may. */
static const struct event *
head_at(const uint8_t *bytes)
{
	return (const void *)bytes;
}

static size_t
names_len(const struct event_ending *ending)
{
	return ending->failed_name_count * sizeof(ending->failed_names[0]);
}

void
event_list_add(struct event_list *list, const struct event *ev)
{
	uint8_t *out;

	reserve(list, PACKED_MAX, 1);
	out = list->bytes + list->len;
	if (ev->kind == EVENT_SESSION_END) {
		out = put(out, ev, EVENT_ENDING_LEN);
		out = put_text(out, &ev->server_name);
		out = put(out, &ev->ending, ENDING_LEN);
		out = put(out, ev->ending.failed_names, names_len(&ev->ending));
	} else {
		out = put(out, ev, HEAD_LEN);
		out = put_text(out, &ev->server_name);
		out = put_text(out, &ev->client_name);
		out = put_text(out, &ev->certificate_subject);
	}
	list->places[list->count++] = (struct event_list_place){ ev->settled_us, list->len };
	list->len = (size_t)(out - list->bytes);
	list->len = (list->len + alignof(struct event) - 1) & ~(alignof(struct event) - 1);
}

void
event_list_append(struct event_list *list, const struct event_list *from, size_t count)
{
	size_t len = count < from->count ? from->places[count].at : from->len;

	if (count == 0)
		return;
	reserve(list, len, count);
	memcpy(list->bytes + list->len, from->bytes, len);
	for (size_t i = 0; i < count; i++) {
		const struct event_list_place *place = &from->places[i];

		list->places[list->count++] =
		    (struct event_list_place){ place->settled_us, list->len + place->at };
	}
	list->len += len;
}

static const uint8_t *
take(const uint8_t *in, void *bytes, size_t len)
{
	memcpy(bytes, in, len);
	return in + len;
}

static const uint8_t *
take_text(const uint8_t *in, struct event_text *text)
{
	memcpy(&text->len, in, sizeof(text->len));
	in += sizeof(text->len);
	short_copy(text->data, in, text->len);
	return in + text->len;
}

static void
take_ending(const uint8_t *in, struct event_ending *ending)
{
	in = take(in, ending, ENDING_LEN);
	(void)take(in, ending->failed_names, names_len(ending));
	ending->names_in_hour = 0;
}

enum event_kind
event_list_kind(const struct event_list *list, size_t number)
{
	return head_at(list->bytes + list->places[number].at)->kind;
}

void
event_list_refs(const struct event_list *list, size_t first, struct event_ref *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct event_list_place *place = &list->places[i];

		out[i] =
		    (struct event_ref){ place->settled_us, list->bytes + place->at, first + i };
	}
}

int
event_ref_compare(const struct event_ref *a, const struct event_ref *b)
{
	int order;

	if (a->settled_us != b->settled_us)
		return a->settled_us < b->settled_us ? -1 : 1;
	order = event_compare(head_at(a->bytes), head_at(b->bytes));
	return order != 0 ? order : a->index < b->index ? -1 : 1;
}

/* Where the order that begins at `at` ends. */
static size_t
run_end(const struct event_ref *refs, size_t at, size_t count)
{
	if (at == count)
		return count;
	do
		at++;
	while (at < count && event_ref_compare(&refs[at - 1], &refs[at]) < 0);
	return at;
}

static struct event_ref *
merge(struct event_ref *out, const struct event_ref *a, size_t a_count, const struct event_ref *b,
    size_t b_count)
{
	while (a_count > 0 && b_count > 0) {
		if (event_ref_compare(a, b) < 0) {
			*out++ = *a++;
			a_count--;
		} else {
			*out++ = *b++;
			b_count--;
		}
	}
	memcpy(out, a, a_count * sizeof(*a));
	memcpy(out + a_count, b, b_count * sizeof(*b));
	return out + a_count + b_count;
}

void
event_refs_sort(struct event_ref *refs, size_t count, struct event_ref *scratch)
{
	struct event_ref *from = refs, *to = scratch;

	while (run_end(from, 0, count) < count) {
		struct event_ref *out = to;

		for (size_t first = 0, middle, end; first < count; first = end) {
			middle = run_end(from, first, count);
			end = run_end(from, middle, count);
			out = merge(out, from + first, middle - first, from + middle, end - middle);
		}
		to = from;
		from = from == refs ? scratch : refs;
	}
	if (from != refs)
		memcpy(refs, from, count * sizeof(*refs));
}

void
event_ref_prefetch(const struct event_ref *ref)
{
	for (size_t at = 0; at < HEAD_LEN; at += CACHE_LINE)
		__builtin_prefetch(ref->bytes + at);
}

void
event_ref_read(const struct event_ref *ref, struct event *out)
{
	const uint8_t *in = ref->bytes;

	if (head_at(in)->kind == EVENT_SESSION_END) {
		in = take(in, out, EVENT_ENDING_LEN);
		in = take_text(in, &out->server_name);
		out->client_name.len = 0;
		take_ending(in, &out->ending);
		return;
	}
	in = take(in, out, HEAD_LEN);
	in = take_text(in, &out->server_name);
	in = take_text(in, &out->client_name);
	(void)take_text(in, &out->certificate_subject);
}
