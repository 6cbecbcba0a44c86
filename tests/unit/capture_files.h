/*
 * capture_files - makes pcap and pcapng bytes, for the tests of capture.
 */
#ifndef TLSTALLY_TESTS_CAPTURE_FILES_H
#define TLSTALLY_TESTS_CAPTURE_FILES_H

#include <stdio.h>

#include "base/buf.h"
#include "capture/capture_internal.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define PCAP_US 0xa1b2c3d4u
#define PCAP_NS 0xa1b23c4du
#define PCAP_PATCHED 0xa1b2cd34u

static inline struct span
buf_span(const struct buf *b)
{
	return span_from(b->data, b->len);
}

static inline void
put_u32(struct buf *b, bool little, uint32_t value)
{
	char bytes[4];

	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (char)(uint8_t)(value >> (little ? 8 * i : 24 - 8 * i));
	buf_add(b, bytes, 4);
}

static inline void
put_u16(struct buf *b, bool little, uint16_t value)
{
	char bytes[2] = { (char)(uint8_t)(value >> (little ? 0 : 8)),
		(char)(uint8_t)(value >> (little ? 8 : 0)) };

	buf_add(b, bytes, 2);
}

static inline void
put_zeros(struct buf *b, size_t len)
{
	while (len-- > 0)
		buf_add_char(b, 0);
}

static inline void
put_pcap_header(struct buf *b, bool little, uint32_t magic, uint32_t link_type)
{
	put_u32(b, little, magic);
	put_u16(b, little, 2);
	put_u16(b, little, 4);
	put_zeros(b, 8);
	put_u32(b, little, 262144);
	put_u32(b, little, link_type);
}

/* The content of every made packet: its own number, all through. */
static inline void
put_packet_bytes(struct buf *b, unsigned number, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_add_char(b, (char)(uint8_t)(number + i / 7));
}

static inline bool
packet_bytes_are(struct span bytes, unsigned number, size_t len)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] != (uint8_t)(number + i / 7))
			return false;
	return bytes.len == len;
}

/* One record; `magic` as the file's header has it. */
static inline void
put_pcap_packet(
    struct buf *b, bool little, uint32_t magic, int64_t time_us, unsigned number, uint32_t len)
{
	uint32_t fraction = (uint32_t)(time_us % 1000000);

	put_u32(b, little, (uint32_t)(time_us / 1000000));
	put_u32(b, little, magic == PCAP_NS ? fraction * 1000 : fraction);
	put_u32(b, little, len);
	put_u32(b, little, len);
	if (magic == PCAP_PATCHED)
		put_zeros(b, 8);
	put_packet_bytes(b, number, len);
}

/* A little-endian pcap of `count` packets, from `first_us` on, one each `step_us`. */
static inline void
put_pcap(struct buf *b, int64_t first_us, int64_t step_us, unsigned count, uint32_t len)
{
	put_pcap_header(b, true, PCAP_US, 1);
	for (unsigned i = 0; i < count; i++)
		put_pcap_packet(b, true, PCAP_US, first_us + i * step_us, i, len);
}

static inline void
put_block(struct buf *b, bool little, uint32_t type, const struct buf *body)
{
	size_t padding = -body->len & 3;
	uint32_t len = (uint32_t)(body->len + padding + 12);

	put_u32(b, little, type);
	put_u32(b, little, len);
	buf_add(b, body->data, body->len);
	put_zeros(b, padding);
	put_u32(b, little, len);
}

static inline void
put_section(struct buf *b, bool little)
{
	struct buf body = { 0 };

	put_u32(&body, little, 0x1a2b3c4d);
	put_u16(&body, little, 1);
	put_u16(&body, little, 0);
	put_u32(&body, little, UINT32_MAX);
	put_u32(&body, little, UINT32_MAX);
	put_block(b, little, 0x0a0d0d0a, &body);
	buf_release(&body);
}

/* `options`: as they are to stand there; may be NULL. */
static inline void
put_interface(
    struct buf *b, bool little, uint16_t link_type, uint32_t snap_len, const struct buf *options)
{
	struct buf body = { 0 };

	put_u16(&body, little, link_type);
	put_u16(&body, little, 0);
	put_u32(&body, little, snap_len);
	if (options != NULL)
		buf_add(&body, options->data, options->len);
	put_block(b, little, 1, &body);
	buf_release(&body);
}

static inline void
put_enhanced(
    struct buf *b, bool little, uint32_t interface, uint64_t ticks, unsigned number, uint32_t len)
{
	struct buf body = { 0 };

	put_u32(&body, little, interface);
	put_u32(&body, little, (uint32_t)(ticks >> 32));
	put_u32(&body, little, (uint32_t)ticks);
	put_u32(&body, little, len);
	put_u32(&body, little, len);
	put_packet_bytes(&body, number, len);
	put_block(b, little, 6, &body);
	buf_release(&body);
}

static inline void
put_pcapng(struct buf *b, int64_t first_us, int64_t step_us, unsigned count, uint32_t len)
{
	put_section(b, true);
	put_interface(b, true, 1, 262144, NULL);
	for (unsigned i = 0; i < count; i++)
		put_enhanced(b, true, 0, (uint64_t)(first_us + i * step_us), i, len);
}

/* Everything that a reader over `bytes` gives; at most `max` frames are kept, without their bytes.
 */
struct reading {
	enum reader_open_answer opened;
	enum reader_answer ended;
	uint64_t count, byte_count, left_out_count;
	bool all_as_made; /* each packet's bytes are those of put_packet_bytes, by its place */
	struct frame frames[16];
	struct error error;
};

static inline struct reading
read_all(struct span bytes)
{
	struct reading all = { .all_as_made = true };
	struct reader reader;
	struct frame frame;

	all.opened = reader_open_memory(&reader, bytes, WINDOW_LEN_SMALL);
	reader.number = 7;
	all.ended = READER_END;
	while (all.opened == READER_OPEN &&
	       (all.ended = reader_advance(&reader, &frame)) == READER_FRAME) {
		if (!packet_bytes_are(frame.bytes, (unsigned)all.count, frame.bytes.len))
			all.all_as_made = false;
		if (all.count < 16)
			all.frames[all.count] = frame;
		all.count++;
		all.byte_count += frame.bytes.len;
	}
	all.left_out_count = reader.left_out_count;
	all.error = reader.error;
	reader_close(&reader);
	return all;
}

#endif
