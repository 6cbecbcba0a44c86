#include "capture/ring_block.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#include "base/banned.h"

/* The addresses of Ethernet, which stand before a tag. */
#define ADDRESSES_LEN ((size_t)2 * ETH_ALEN)
/*
 * While a frame's header is read, bytes this far behind it are prefetched: the next batch is there.
 */
#define FETCH_AHEAD 12288
#define CACHE_LINE 64
/* The sender stands behind a frame's header. */
#define SENDER_AT                                                                                  \
	((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT *               \
	    TPACKET_ALIGNMENT)

/*
 * Frames lie one behind the other in a block, and another processor wrote them.  At a block's end
 * this prefetches the next block, or no memory at all, which does no harm.
 */
static void
fetch_ahead(const uint8_t *header, size_t len)
{
	uintptr_t at = (uintptr_t)header + FETCH_AHEAD;

	for (uintptr_t end = at + len; at < end; at += CACHE_LINE)
		/* Into the second cache: they are too many for the first. */
		__builtin_prefetch((const void *)at, 0, 2);
}

static bool
is_outgoing(const struct tpacket3_hdr *header)
{
	const void *sender = (const uint8_t *)header + SENDER_AT;

	return ((const struct sockaddr_ll *)sender)->sll_pkttype == PACKET_OUTGOING;
}

/* Puts the VLAN tag, which the kernel took out, behind the addresses again, which move towards the
 * front. */
static void __attribute__((noinline, cold))
put_tag_back(const struct tpacket3_hdr *header, uint8_t *bytes, struct frame *frame)
{
	bool has_type = (header->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
	const uint16_t tag[2] = { htobe16(has_type ? header->hv1.tp_vlan_tpid : ETH_P_8021Q),
		htobe16((uint16_t)header->hv1.tp_vlan_tci) };

	if (frame->bytes.len < ADDRESSES_LEN)
		return;
	memmove(bytes - RING_TAG_LEN, bytes, ADDRESSES_LEN);
	memcpy(bytes - RING_TAG_LEN + ADDRESSES_LEN, tag, sizeof(tag));
	frame->bytes = span_from(bytes - RING_TAG_LEN, frame->bytes.len + RING_TAG_LEN);
	frame->wire_len += RING_TAG_LEN;
}

static struct frame
frame_at(struct tpacket3_hdr *header, const struct ring_block_options *options)
{
	uint8_t *bytes = (uint8_t *)header + header->tp_mac;
	struct frame frame = {
		.bytes = span_from(bytes, header->tp_snaplen),
		.wire_len = header->tp_len,
		.link_type = options->link_type,
		.source = options->source,
		.time_us = (int64_t)header->tp_sec * 1000000 + header->tp_nsec / 1000,
	};

	if ((header->tp_status & TP_STATUS_VLAN_VALID) != 0)
		put_tag_back(header, bytes, &frame);
	return frame;
}

size_t
ring_block_read(
    void *block, const struct ring_block_options *options, ring_frames_fn frames, void *arg)
{
	const struct tpacket_hdr_v1 *head = &((const struct tpacket_block_desc *)block)->hdr.bh1;
	uint8_t *at = (uint8_t *)block + head->offset_to_first_pkt;
	struct frame batch[RING_BATCH];
	size_t total = 0, count = 0;

	for (uint32_t left = head->num_pkts; left > 0; left--) {
		struct tpacket3_hdr *header = (struct tpacket3_hdr *)(void *)at;

		at += header->tp_next_offset;
		fetch_ahead((const uint8_t *)header, header->tp_next_offset);
		if (options->skips_outgoing && is_outgoing(header))
			continue;
		batch[count++] = frame_at(header, options);
		if (count < RING_BATCH)
			continue;
		frames(arg, batch, count);
		total += count;
		count = 0;
	}
	if (count > 0)
		frames(arg, batch, count);
	return total + count;
}
