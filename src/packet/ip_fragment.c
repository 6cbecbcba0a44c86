/* What ip.c does with a fragment: joins it with the others, and goes on where it is the last. */
#include "packet/packet_internal.h"

#include "packet/fragments.h"

#include "base/banned.h"

void
ip_fragment(struct walk *w, uint32_t id, uint16_t offset, bool more, uint8_t proto)
{
	struct fragment f = {
		.src = w->out->src,
		.dst = w->out->dst,
		.id = id,
		.proto = proto,
		.more = more,
		.offset = offset,
		.wire_len = w->wire_rest,
		.bytes = span_first(w->rest, w->wire_rest),
		.time_us = w->out->time_us,
	};
	struct fragment_whole whole;

	if (w->fragments == NULL) {
		walk_end(w, PACKET_FRAGMENT);
		return;
	}
	/* RFC 8200, section 4.5: all but the last are multiples of 8 bytes; 64 KiB is the end. */
	if (f.wire_len == 0 || f.wire_len > DATAGRAM_LEN_MAX - offset ||
	    (more && f.wire_len % 8 != 0)) {
		walk_end(w, PACKET_BAD_IP);
		return;
	}
	/* Nothing that could be walked into: ICMP, ESP. */
	if (!ip_knows_proto(proto) || !fragment_table_add(w->fragments, &f, &whole)) {
		walk_end(w, PACKET_FRAGMENT);
		return;
	}
	w->cut = w->cut || whole.bytes.len < whole.wire_len;
	w->rest = whole.bytes;
	w->wire_rest = whole.wire_len;
	w->ip_proto = whole.proto;
	w->next = LAYER_PROTO;
}
