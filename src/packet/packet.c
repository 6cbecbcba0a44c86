#include "packet/packet.h"

#include "packet/packet_internal.h"

#include "base/banned.h"

const char *
packet_kind_name(enum packet_kind kind)
{
	static const char *const names[PACKET_KIND_COUNT] = {
		[PACKET_TCP] = "tcp",
		[PACKET_OTHER_PORT] = "other_port",
		[PACKET_OTHER] = "other",
		[PACKET_NAMES] = "names",
		[PACKET_ENCRYPTED] = "encrypted",
		[PACKET_FRAGMENT] = "fragment",
		[PACKET_CUT] = "cut_header",
		[PACKET_BAD_LINK] = "bad_link_header",
		[PACKET_BAD_IP] = "bad_ip_header",
		[PACKET_BAD_TCP] = "bad_tcp_header",
		[PACKET_TOO_DEEP] = "nested_too_deep",
		[PACKET_UNKNOWN_LINK] = "unknown_link_type",
	};

	return names[kind];
}

void
walk_end(struct walk *w, enum packet_kind kind)
{
	w->next = LAYER_END;
	w->kind = kind;
}

bool
walk_take(struct walk *w, size_t len, enum packet_kind bad, struct span *header)
{
	if (!span_read_span(&w->rest, len, header)) {
		walk_end(w, w->wire_rest >= len ? PACKET_CUT : bad);
		return false;
	}
	w->wire_rest -= (uint32_t)len;
	return true;
}

void
walk_trim(struct walk *w, uint32_t len)
{
	w->wire_rest = len;
	w->rest = span_first(w->rest, len);
}

void
walk_trim_to(struct walk *w, uint32_t len)
{
	if (len < w->wire_rest)
		walk_trim(w, len);
}

void
walk_guess(struct walk *w)
{
	/* Behind the first guess, a length that is too large may be nonsense as well. */
	if (!w->guess)
		w->cut = w->rest.len < w->wire_rest;
	w->guess = true;
}

void
walk_ethertype(struct walk *w, uint16_t ethertype)
{
	w->next = LAYER_ETHERTYPE;
	w->ethertype = ethertype;
}

static void
step(struct walk *w)
{
	switch (w->next) {
	case LAYER_ETHERNET:
		link_ethernet(w);
		return;
	case LAYER_ETHERTYPE:
		link_ethertype(w);
		return;
	case LAYER_IPV4:
		ip_v4(w);
		return;
	case LAYER_IPV6:
		ip_v6(w);
		return;
	case LAYER_IP:
		ip_any(w);
		return;
	case LAYER_PROTO:
		ip_proto(w);
		return;
	case LAYER_TCP:
		tcp_header(w);
		return;
	case LAYER_PPP:
		link_ppp(w);
		return;
	case LAYER_END:
		return;
	}
}

/* Where only a port or a form said what follows, nonsense means that something else does. */
static enum packet_kind
judge_guess(enum packet_kind kind, bool cut)
{
	switch (kind) {
	case PACKET_BAD_LINK:
	case PACKET_BAD_IP:
	case PACKET_BAD_TCP:
		return PACKET_OTHER;
	case PACKET_CUT:
		return cut ? PACKET_CUT : PACKET_OTHER;
	case PACKET_TCP:
	case PACKET_OTHER_PORT:
	case PACKET_OTHER:
	case PACKET_NAMES:
	case PACKET_ENCRYPTED:
	case PACKET_FRAGMENT:
	case PACKET_TOO_DEEP:
	case PACKET_UNKNOWN_LINK:
		break;
	}
	return kind;
}

enum packet_kind
walk_frame(struct walk *w, const struct frame *frame)
{
	struct packet *out = w->out;

	w->rest = frame->bytes;
	/* A file may claim fewer bytes on the wire than it holds. */
	w->wire_rest =
	    frame->wire_len < frame->bytes.len ? (uint32_t)frame->bytes.len : frame->wire_len;
	out->src_mac = out->dst_mac = NULL;
	out->vlan = -1;
	out->time_us = frame->time_us;
	out->source = frame->source;
	link_start(w, frame->link_type);
	while (w->next != LAYER_END) {
		if (w->depth++ >= PACKET_MAX_DEPTH)
			return PACKET_TOO_DEEP;
		step(w);
	}
	return w->guess ? judge_guess(w->kind, w->cut) : w->kind;
}

enum packet_kind
packet_decode(const struct frame *frame, const struct service_set *services, struct packet *out)
{
	struct walk w = { .services = services, .out = out };
	enum packet_kind kind;

	if (packet_decode_quick(frame, services, out, &kind))
		return kind;
	return walk_frame(&w, frame);
}
