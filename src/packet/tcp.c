/* RFC 9293, section 3.1. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define TCP_HEADER_LEN 20

#define OPTION_END 0
#define OPTION_NOP 1
/* RFC 8684, sections 3.2 and 3.3: subtypes of its option, and flags of the second. */
#define MPTCP_JOIN 1
#define MPTCP_DSS 2
#define DSS_ACK 0x01
#define DSS_LONG_ACK 0x02
#define DSS_MAPPING 0x04
#define DSS_LONG_MAPPING 0x08
#define DSS_DATA_FIN 0x10

/* The next option of Multipath TCP: its subtype, and what follows. */
static bool
next_mptcp(struct span *options, uint8_t *subtype, struct span *body)
{
	uint8_t kind, len;

	while (span_read_u8(options, &kind) && kind != OPTION_END) {
		if (kind == OPTION_NOP)
			continue;
		if (!span_read_u8(options, &len) || len < 2 ||
		    !span_read_span(options, len - 2u, body))
			return false;
		/* The subtype stands in the upper half. */
		if (kind == TCP_OPTION_MPTCP && span_read_u8(body, subtype)) {
			*subtype >>= 4;
			return true;
		}
	}
	return false;
}

bool
tcp_join_is_among(struct span options)
{
	uint8_t subtype;
	struct span body;

	return next_mptcp(&options, &subtype, &body) && subtype == MPTCP_JOIN;
}

/* How much a DSS option with an end of the data covers, that end included; 0: it has none. */
static uint16_t
data_fin_len(struct span dss)
{
	uint8_t flags;
	uint16_t len;
	size_t in_front = 4; /* the number on this path */

	if (!span_read_u8(&dss, &flags) || (flags & DSS_DATA_FIN) == 0 ||
	    (flags & DSS_MAPPING) == 0)
		return 0;
	if ((flags & DSS_ACK) != 0)
		in_front += (flags & DSS_LONG_ACK) != 0 ? 8 : 4;
	in_front += (flags & DSS_LONG_MAPPING) != 0 ? 8 : 4;
	return span_skip(&dss, in_front) && span_read_u16(&dss, &len) ? len : 0;
}

bool
tcp_data_fin_is_among(struct span options, uint32_t payload_len)
{
	uint8_t subtype;
	struct span body;

	while (next_mptcp(&options, &subtype, &body)) {
		if (subtype == MPTCP_DSS && data_fin_len(body) == (uint64_t)payload_len + 1)
			return true;
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
	if (tcp_may_end_data(out->flags, options.len) &&
	    tcp_data_fin_is_among(options, out->payload_len))
		out->flags |= TCP_FIN;
	out->is_tcp = true;
	walk_end(w, names ? PACKET_NAMES : PACKET_TCP);
}
