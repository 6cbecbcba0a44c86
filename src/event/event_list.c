#include "event/event_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* An empty list keeps no more. */
#define KEPT_ROOM ((size_t)1 << 20)
/* Up to the texts an event is kept as it is. */
#define HEAD_LEN offsetof(struct event, server_name)
#define PACKED_MAX (HEAD_LEN + 3 * sizeof(struct event_text) + sizeof(struct event_ending))

void
event_list_release(struct event_list *list)
{
	free(list->bytes);
	*list = (struct event_list){ 0 };
}

void
event_list_clear(struct event_list *list)
{
	if (list->room > KEPT_ROOM)
		event_list_release(list);
	list->len = list->count = 0;
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
	return put(put(out, &text->len, sizeof(text->len)), text->data, text->len);
}

void
event_list_add(struct event_list *list, const struct event *ev)
{
	uint8_t *out;

	if (list->room - list->len < PACKED_MAX) {
		list->room = list->room * 2 + 16 * PACKED_MAX;
		list->bytes = xreallocarray(list->bytes, list->room, 1);
	}
	out = put(list->bytes + list->len, ev, HEAD_LEN);
	out = put_text(out, &ev->server_name);
	out = put_text(out, &ev->client_name);
	out = put_text(out, &ev->certificate_subject);
	if (ev->kind == EVENT_SESSION_END)
		out = put(out, &ev->ending, sizeof(ev->ending));
	list->len = (size_t)(out - list->bytes);
	list->count++;
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
	in = take(in, &text->len, sizeof(text->len));
	return take(in, text->data, text->len);
}

static const uint8_t *
pass_text(const uint8_t *in)
{
	uint16_t len;

	in = take(in, &len, sizeof(len));
	return in + len;
}

void
event_list_refs(const struct event_list *list, size_t first, struct event_ref *out)
{
	const uint8_t *at = list->bytes;

	for (size_t i = 0; i < list->count; i++) {
		enum event_kind kind;

		out[i].bytes = at;
		out[i].index = first + i;
		(void)take(at + offsetof(struct event, settled_us), &out[i].settled_us,
		    sizeof(out[i].settled_us));
		(void)take(at + offsetof(struct event, kind), &kind, sizeof(kind));
		at = pass_text(pass_text(pass_text(at + HEAD_LEN)));
		if (kind == EVENT_SESSION_END)
			at += sizeof(struct event_ending);
	}
}

int
event_ref_compare(const struct event_ref *a, const struct event_ref *b)
{
	struct event x, y;
	int order;

	if (a->settled_us != b->settled_us)
		return a->settled_us < b->settled_us ? -1 : 1;
	(void)take(a->bytes, &x, HEAD_LEN);
	(void)take(b->bytes, &y, HEAD_LEN);
	order = event_compare(&x, &y);
	return order != 0 ? order : a->index < b->index ? -1 : 1;
}

void
event_ref_read(const struct event_ref *ref, struct event *out)
{
	const uint8_t *in = take(ref->bytes, out, HEAD_LEN);

	in = take_text(in, &out->server_name);
	in = take_text(in, &out->client_name);
	in = take_text(in, &out->certificate_subject);
	if (out->kind == EVENT_SESSION_END)
		(void)take(in, &out->ending, sizeof(out->ending));
}

void
event_ref_place(const struct event_ref *ref, struct event_place *out)
{
	const uint8_t *in = ref->bytes;

	(void)take(in + offsetof(struct event, client_ip), &out->client_ip, sizeof(out->client_ip));
	(void)take(in + offsetof(struct event, server_ip), &out->server_ip, sizeof(out->server_ip));
	(void)take(
	    in + offsetof(struct event, server_port), &out->server_port, sizeof(out->server_port));
}
