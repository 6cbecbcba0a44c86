/* RFC 9293, section 3.1. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define TCP_HEADER_LEN 20

#define OPTION_END 0
#define OPTION_NOP 1
#define MPTCP_JOIN 1

bool
tcp_join_is_among(struct span options)
{
	uint8_t kind, len, subtype;
	struct span body;

	while (span_read_u8(&options, &kind) && kind != OPTION_END) {
		if (kind == OPTION_NOP)
			continue;
		if (!span_read_u8(&options, &len) || len < 2 ||
		    !span_read_span(&options, len - 2u, &body))
			return false;
		/* RFC 8684, section 3: the subtype stands in the upper half. */
		if (kind == TCP_OPTION_MPTCP && span_peek_u8(body, &subtype))
			return subtype >> 4 == MPTCP_JOIN;
	}
	return false;
}

void
tcp_header(struct walk *w)
{
	struct packet *out = w->out;
	struct span h, options;
	size_t header_len;
	bool names = false;

	/* The ports come first: most frames of a mirror end here, even when the rest was cut. */
	if (w->rest.len >= 4) {
		out->src_port = u16_at(w->rest, 0);
		out->dst_port = u16_at(w->rest, 2);
		if (w->services != NULL && !service_set_has(w->services, out->src_port) &&
		    !service_set_has(w->services, out->dst_port)) {
			names = out->src_port == PORT_DNS && walk_wants_names(w);
			if (!names) {
				walk_end(w, PACKET_OTHER_PORT);
				return;
			}
		}
	}
	if (!walk_take(w, TCP_HEADER_LEN, PACKET_BAD_TCP, &h))
		return;
	header_len = (size_t)(h.data[12] >> 4) * 4;
	if (header_len < TCP_HEADER_LEN || header_len - TCP_HEADER_LEN > w->wire_rest) {
		walk_end(w, PACKET_BAD_TCP);
		return;
	}
	out->seq = u32_at(h, 4);
	out->ack = u32_at(h, 8);
	out->flags = h.data[13];
	/* Options that the snap length cut leave a payload of known length and no bytes. */
	options = span_first(w->rest, header_len - TCP_HEADER_LEN);
	out->joins = tcp_joins(out->flags, options);
	out->payload_len = w->wire_rest - (uint32_t)(header_len - TCP_HEADER_LEN);
	out->payload = span_from(w->rest.data + options.len, w->rest.len - options.len);
	out->is_tcp = true;
	walk_end(w, names ? PACKET_NAMES : PACKET_TCP);
}
