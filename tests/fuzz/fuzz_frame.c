/*
 * The first byte is the link type (0xfa and above: link_types), the second says how many bytes the
 * capture cut off; the rest is the frame.
 */
#include "packet/packet.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LINKTYPES_FROM 0xfa

/* LINKTYPE_ values that take more than a byte. */
static const uint32_t link_types[] = { 285, 284, 282, 281, 258, 276 };

static bool
is_inside(const struct frame *frame, const uint8_t *at, size_t len)
{
	return at >= frame->bytes.data && len <= frame->bytes.len &&
	       (size_t)(at - frame->bytes.data) <= frame->bytes.len - len;
}

static void
check_packet(const struct frame *frame, const struct packet *p)
{
	assert(p->src.family == 4 || p->src.family == 6);
	assert(p->src.family == p->dst.family);
	assert(p->payload.len <= p->payload_len);
	assert(is_inside(frame, p->payload.data, p->payload.len));
	assert(p->src_mac == NULL || is_inside(frame, p->src_mac, 6));
	assert(p->dst_mac == NULL || is_inside(frame, p->dst_mac, 6));
	assert(p->vlan >= -1 && p->vlan <= 0xfff);
	assert(p->time_us == frame->time_us && p->source == frame->source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct service_set services;
	struct frame frame = { .bytes = span_from(data, len), .source = 5, .time_us = -7 };
	struct packet all, some;
	enum packet_kind kind, some_kind;
	uint8_t choice, cut_len;

	if (!span_read_u8(&frame.bytes, &choice) || !span_read_u8(&frame.bytes, &cut_len))
		return 0;
	if (!service_set_has(&services, 993))
		service_set_init_defaults(&services);
	frame.link_type = choice < LINKTYPES_FROM ? choice : link_types[choice - LINKTYPES_FROM];
	frame.wire_len = (uint32_t)frame.bytes.len + (uint32_t)cut_len * (cut_len & 0x80 ? 257 : 1);
	kind = packet_decode(&frame, NULL, &all);
	some_kind = packet_decode(&frame, &services, &some);
	assert(packet_kind_name(kind) != NULL);
	assert(kind != PACKET_OTHER_PORT);
	if (kind == PACKET_TCP) {
		check_packet(&frame, &all);
		assert((some_kind == PACKET_TCP) == (service_set_has(&services, all.src_port) ||
							service_set_has(&services, all.dst_port)));
	}
	if (some_kind == PACKET_TCP) {
		assert(kind == PACKET_TCP);
		check_packet(&frame, &some);
		assert(some.seq == all.seq && some.payload_len == all.payload_len);
	} else {
		assert(some_kind == kind || some_kind == PACKET_OTHER_PORT);
	}
	return 0;
}
