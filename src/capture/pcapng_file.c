/* Source: draft-ietf-opsawg-pcapng, sections 3.1 (blocks), 3.5 (options), 4 (block types). */
#include "capture/capture_internal.h"

#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

enum {
	PCAPNG_INTERFACE = 1,
	PCAPNG_OLD_PACKET = 2,
	PCAPNG_SIMPLE_PACKET = 3,
	PCAPNG_STATISTICS = 5,
	PCAPNG_ENHANCED_PACKET = 6,
};
#define PCAPNG_SECTION 0x0a0d0d0au /* the same in both byte orders */
#define PCAPNG_BYTE_ORDER_MAGIC 0x1a2b3c4du
#define PCAPNG_BYTE_ORDER_MAGIC_LITTLE 0x4d3c2b1au
#define PCAPNG_BLOCK_LEN_MIN 12 /* type and two lengths */
#define PCAPNG_OPTION_END 0
#define PCAPNG_IF_TSRESOL 9
#define PCAPNG_IF_TSOFFSET 14
#define PCAPNG_ISB_IFDROP 5
#define PCAPNG_ISB_OSDROP 7
/* Nobody lost more; sums of it stay far from the end of 63 bits. */
#define PCAPNG_LOSS_MAX (UINT64_C(1) << 40)
/* More is no capture of anything, and each takes memory. */
#define PCAPNG_INTERFACES_MAX 65536

/* The last microsecond of the year 9999: what RFC 3339 can write, and safe to calculate with. */
#define TIME_MAX_S INT64_C(253402300799)
#define TIME_MAX_US (TIME_MAX_S * USEC_PER_SEC + 999999)

bool
pcapng_detect(struct span head)
{
	uint32_t type, len, magic;

	return span_read_u32(&head, &type) && type == PCAPNG_SECTION &&
	       span_read_u32(&head, &len) && span_read_u32(&head, &magic) &&
	       (magic == PCAPNG_BYTE_ORDER_MAGIC || magic == PCAPNG_BYTE_ORDER_MAGIC_LITTLE);
}

enum reader_open_answer
pcapng_open(struct reader *r)
{
	(void)r; /* a file begins with a section, as any section does: see begin_section */
	return READER_OPEN;
}

void
pcapng_close(struct pcapng_state *p)
{
	free(p->interfaces);
	p->interfaces = NULL;
	p->interface_count = p->interface_room = 0;
}

static uint64_t
power_of_ten(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

/* draft-ietf-opsawg-pcapng, section 4.2, if_tsresol: the top bit chooses base two. */
static void
set_resolution(struct pcapng_interface *interface, uint8_t value)
{
	unsigned exponent = value & 0x7f;

	interface->binary = (value & 0x80) != 0;
	interface->exponent = (uint8_t)exponent;
	if (interface->binary)
		interface->ticks_per = 0;
	else if (exponent <= 6)
		interface->ticks_per = power_of_ten(6 - exponent);
	else
		/* 10^19 is the last power below 2^64, and 2^64 such ticks are two microseconds. */
		interface->ticks_per = power_of_ten(exponent - 6 < 19 ? exponent - 6 : 19);
}

/* Seconds and a fraction, without more than 64 bits: 44 bits of it are finer than needed. */
static uint64_t
binary_ticks_to_us(uint64_t ticks, unsigned exponent)
{
	uint64_t seconds = exponent < 64 ? ticks >> exponent : 0;
	uint64_t fraction = exponent < 64 ? ticks & ((UINT64_C(1) << exponent) - 1) : ticks;

	if (seconds > (uint64_t)TIME_MAX_S)
		return TIME_MAX_US;
	if (exponent > 44) {
		fraction = exponent - 44 < 64 ? fraction >> (exponent - 44) : 0;
		exponent = 44;
	}
	return seconds * 1000000 + (fraction * 1000000 >> exponent);
}

static int64_t
time_from_ticks(const struct pcapng_interface *interface, uint64_t ticks)
{
	uint64_t us;
	int64_t time_us;

	if (interface->binary)
		us = binary_ticks_to_us(ticks, interface->exponent);
	else if (interface->exponent == 6)
		us = ticks;
	else if (interface->exponent > 6)
		us = ticks / interface->ticks_per;
	else if (__builtin_mul_overflow(ticks, interface->ticks_per, &us))
		us = TIME_MAX_US;
	if (us > (uint64_t)TIME_MAX_US)
		us = TIME_MAX_US;
	time_us = (int64_t)us + interface->offset_s * USEC_PER_SEC;
	if (time_us < 0)
		return 0;
	return time_us < TIME_MAX_US ? time_us : TIME_MAX_US;
}

/* A 64-bit number in the file's order: its halves change places with it. */
static bool
read_u64(struct span *s, bool little, uint64_t *out)
{
	uint32_t words[2];

	if (!file_read_u32(s, little, &words[0]) || !file_read_u32(s, little, &words[1]))
		return false;
	*out = (uint64_t)words[little ? 1 : 0] << 32 | words[little ? 0 : 1];
	return true;
}

/* draft-ietf-opsawg-pcapng, section 3.5.  False at the end of the options, or where one lies. */
static bool
read_option(struct span *options, bool little, uint16_t *code, struct span *value)
{
	uint16_t len;

	if (!file_read_u16(options, little, code) || !file_read_u16(options, little, &len) ||
	    *code == PCAPNG_OPTION_END || !span_read_span(options, len, value))
		return false;
	if (!span_skip(options, -(size_t)len & 3))
		*options = span_from(NULL, 0); /* the last one, without its padding */
	return true;
}

static void
read_interface_option(
    struct pcapng_interface *interface, bool little, uint16_t code, struct span value)
{
	uint64_t offset;
	uint8_t resolution;

	if (code == PCAPNG_IF_TSRESOL && span_read_u8(&value, &resolution)) {
		set_resolution(interface, resolution);
	} else if (code == PCAPNG_IF_TSOFFSET && read_u64(&value, little, &offset)) {
		int64_t offset_s = (int64_t)offset; /* the sign is part of it */

		if (offset_s > TIME_MAX_S)
			offset_s = TIME_MAX_S;
		interface->offset_s = offset_s < -TIME_MAX_S ? -TIME_MAX_S : offset_s;
	}
}

/* Section 4.2.  A block too short for one stands for an interface that
 * is not known, so that the numbers of those behind it stay right. */
static void
read_interface(struct reader *r, struct span body)
{
	struct pcapng_state *p = &r->pcapng;
	struct pcapng_interface *interface;
	uint16_t link_type = 0, reserved, code;
	struct span value;

	if (p->interface_count == PCAPNG_INTERFACES_MAX)
		return;
	r->interface_count++;
	if (p->interface_count == p->interface_room) {
		p->interface_room = p->interface_room * 2 + 4;
		p->interfaces =
		    xreallocarray(p->interfaces, p->interface_room, sizeof(*p->interfaces));
	}
	interface = &p->interfaces[p->interface_count++];
	*interface = (struct pcapng_interface){ .link_type = UINT32_MAX };
	set_resolution(interface, 6);
	if (!file_read_u16(&body, p->little, &link_type) ||
	    !file_read_u16(&body, p->little, &reserved) ||
	    !file_read_u32(&body, p->little, &interface->snap_len))
		return;
	interface->link_type = link_type_from_file(link_type);
	if (interface->snap_len > r->snap_len)
		r->snap_len = interface->snap_len;
	while (read_option(&body, p->little, &code, &value))
		read_interface_option(interface, p->little, code, value);
}

/* The latest word of an interface replaces the one before; dumpcap has all ones for "not known". */
static void
take_loss(struct reader_loss *all, struct pcapng_loss *interface, uint64_t count)
{
	if (count == UINT64_MAX)
		return;
	if (count > PCAPNG_LOSS_MAX)
		count = PCAPNG_LOSS_MAX;
	all->count += count - interface->count;
	all->interface_count += !interface->is_told;
	*interface = (struct pcapng_loss){ .count = count, .is_told = true };
}

/* Section 4.6. */
static void
read_statistics(struct reader *r, struct span body)
{
	struct pcapng_state *p = &r->pcapng;
	struct span time, value;
	uint32_t index;
	uint64_t count;
	uint16_t code;

	if (!file_read_u32(&body, p->little, &index) || !span_read_span(&body, 8, &time) ||
	    index >= p->interface_count)
		return;
	while (read_option(&body, p->little, &code, &value)) {
		struct pcapng_interface *interface = &p->interfaces[index];

		if (code == PCAPNG_ISB_IFDROP && read_u64(&value, p->little, &count))
			take_loss(&r->by_interface, &interface->by_interface, count);
		else if (code == PCAPNG_ISB_OSDROP && read_u64(&value, p->little, &count))
			take_loss(&r->by_kernel, &interface->by_kernel, count);
	}
}

static const struct pcapng_interface *
interface_at(struct reader *r, size_t index)
{
	if (index < r->pcapng.interface_count &&
	    r->pcapng.interfaces[index].link_type != UINT32_MAX)
		return &r->pcapng.interfaces[index];
	reader_leave_out(r, "does not describe the interface of some packets");
	return NULL;
}

/* The block ends where it says, so what is wrong with its packet does not touch the next one. */
static enum reader_answer
leave_out_lying(struct reader *r, unsigned long len)
{
	reader_leave_out(r, "has a lying length: packet %llu claims %lu bytes",
	    (unsigned long long)r->packet_count + r->left_out_count + 1, len);
	return READER_MORE;
}

static enum reader_answer
leave_out_short(struct reader *r)
{
	reader_leave_out(r, "has a packet block that is too short for its header");
	return READER_MORE;
}

/* Sections 4.3 (enhanced) and appendix A (the old packet block).  READER_MORE: nothing for the
 * reader in it, go on with the next block. */
static enum reader_answer
read_packet(struct reader *r, uint32_t type, struct span body, struct frame *frame)
{
	struct pcapng_state *p = &r->pcapng;
	const struct pcapng_interface *interface;
	uint32_t index, high, low, captured_len, wire_len;
	uint16_t short_index, drops;
	bool whole;

	if (type == PCAPNG_OLD_PACKET) {
		whole = file_read_u16(&body, p->little, &short_index) &&
			file_read_u16(&body, p->little, &drops);
		index = whole ? short_index : 0;
	} else {
		whole = file_read_u32(&body, p->little, &index);
	}
	if (!whole || !file_read_u32(&body, p->little, &high) ||
	    !file_read_u32(&body, p->little, &low) ||
	    !file_read_u32(&body, p->little, &captured_len) ||
	    !file_read_u32(&body, p->little, &wire_len))
		return leave_out_short(r);
	if (captured_len > PACKET_LEN_MAX || !span_read_span(&body, captured_len, &frame->bytes))
		return leave_out_lying(r, captured_len);
	interface = interface_at(r, index);
	if (interface == NULL)
		return READER_MORE;
	frame->time_us = time_from_ticks(interface, (uint64_t)high << 32 | low);
	frame->wire_len = wire_len > captured_len ? wire_len : captured_len;
	frame->link_type = interface->link_type;
	frame->source = r->number;
	p->last_us = frame->time_us;
	return READER_FRAME;
}

/* Section 4.4: the packet has no time of its own, and its length follows from the block's. */
static enum reader_answer
read_simple_packet(struct reader *r, struct span body, struct frame *frame)
{
	struct pcapng_state *p = &r->pcapng;
	const struct pcapng_interface *interface;
	uint32_t wire_len;
	size_t captured_len;

	if (!file_read_u32(&body, p->little, &wire_len))
		return leave_out_short(r);
	interface = interface_at(r, 0);
	if (interface == NULL)
		return READER_MORE;
	captured_len = wire_len;
	if (interface->snap_len != 0 && captured_len > interface->snap_len)
		captured_len = interface->snap_len;
	frame->bytes = span_first(body, captured_len);
	if (frame->bytes.len > PACKET_LEN_MAX)
		return leave_out_lying(r, frame->bytes.len);
	frame->time_us = p->last_us;
	frame->wire_len = wire_len;
	frame->link_type = interface->link_type;
	frame->source = r->number;
	return READER_FRAME;
}

/* The two lengths of a block are the same: that is how a damaged file shows. */
static bool
lengths_agree(const struct pcapng_state *p, struct span trailer, uint32_t len)
{
	uint32_t second = 0;

	return file_read_u32(&trailer, p->little, &second) && second == len;
}

static enum reader_answer
disagree(struct reader *r)
{
	return reader_bad(r, "is damaged: the two lengths of the block behind packet %llu disagree",
	    (unsigned long long)r->packet_count);
}

/* Goes over the rest of a block that is of no use.  READER_FRAME: done with it. */
static enum reader_answer
skip_block(struct reader *r)
{
	struct pcapng_state *p = &r->pcapng;
	struct span rest;

	p->skip_len -= source_skip(&r->source, p->skip_len);
	if (p->skip_len > 0)
		return reader_need(r, 1);
	rest = source_rest(&r->source);
	if (rest.len < 4)
		return reader_need(r, 4);
	if (!lengths_agree(p, rest, p->block_len))
		return disagree(r);
	source_take(&r->source, 4);
	p->in_block = false;
	return READER_FRAME;
}

/* Section 4.1: the byte order is known from here on, and the interfaces begin anew. */
static bool
begin_section(struct pcapng_state *p, uint32_t magic)
{
	if (magic != PCAPNG_BYTE_ORDER_MAGIC && magic != PCAPNG_BYTE_ORDER_MAGIC_LITTLE)
		return false;
	p->little = magic == PCAPNG_BYTE_ORDER_MAGIC_LITTLE;
	p->interface_count = 0;
	return true;
}

/* What `type` holds for us.  READER_MORE: nothing. */
static enum reader_answer
read_block(struct reader *r, uint32_t type, struct span body, struct frame *frame)
{
	enum reader_answer answer = READER_MORE;

	if (type == PCAPNG_INTERFACE)
		read_interface(r, body);
	else if (type == PCAPNG_STATISTICS)
		read_statistics(r, body);
	else if (type == PCAPNG_SIMPLE_PACKET)
		answer = read_simple_packet(r, body, frame);
	else
		answer = read_packet(r, type, body, frame);
	if (answer == READER_FRAME)
		r->packet_count++;
	return answer;
}

/* Statistics can be done without where they would not fit. */
static bool
is_read(uint32_t type, uint64_t padded_len)
{
	return type == PCAPNG_ENHANCED_PACKET || type == PCAPNG_INTERFACE ||
	       type == PCAPNG_SIMPLE_PACKET || type == PCAPNG_OLD_PACKET ||
	       (type == PCAPNG_STATISTICS && padded_len <= BLOCK_LEN_MAX);
}

/* One block.  READER_FRAME with *is_frame false: it was none with a frame, go on. */
static enum reader_answer
next_block(struct reader *r, struct frame *frame, bool *is_frame)
{
	struct pcapng_state *p = &r->pcapng;
	struct span rest = source_rest(&r->source), head = rest;
	uint32_t type, len, magic;
	uint64_t padded_len;
	enum reader_answer answer;

	if (!file_read_u32(&head, p->little, &type) || rest.len < PCAPNG_BLOCK_LEN_MIN)
		return reader_need(r, PCAPNG_BLOCK_LEN_MIN);
	if (type == PCAPNG_SECTION && span_skip(&head, 4) && span_read_u32(&head, &magic) &&
	    !begin_section(p, magic))
		return reader_bad(r, "is damaged: a section of unknown byte order begins in it");
	head = rest;
	if (!span_skip(&head, 4) || !file_read_u32(&head, p->little, &len) ||
	    len < PCAPNG_BLOCK_LEN_MIN)
		return reader_bad(r, "is damaged: it has a block of an impossible length");
	/* Section 3.1: a multiple of four; some writers gave the length without the padding. */
	padded_len = ((uint64_t)len + 3) & ~UINT64_C(3);
	if (!is_read(type, padded_len)) {
		source_take(&r->source, 8);
		p->in_block = true;
		p->block_len = len;
		p->skip_len = padded_len - PCAPNG_BLOCK_LEN_MIN;
		return READER_FRAME;
	}
	if (padded_len > BLOCK_LEN_MAX)
		return reader_bad(r, "has a lying length: packet %llu claims %lu bytes",
		    (unsigned long long)r->packet_count + r->left_out_count + 1,
		    (unsigned long)len);
	if (rest.len < padded_len)
		return reader_need(r, (size_t)padded_len);
	if (!lengths_agree(p, span_from(rest.data + padded_len - 4, 4), len))
		return disagree(r);
	answer =
	    read_block(r, type, span_first(head, (size_t)padded_len - PCAPNG_BLOCK_LEN_MIN), frame);
	source_take(&r->source, (size_t)padded_len);
	*is_frame = answer == READER_FRAME;
	return answer == READER_MORE ? READER_FRAME : answer;
}

enum reader_answer
pcapng_next(struct reader *r, struct frame *frame)
{
	enum reader_answer answer = READER_FRAME;
	bool is_frame = false;

	while (answer == READER_FRAME && !is_frame)
		answer = r->pcapng.in_block ? skip_block(r) : next_block(r, frame, &is_frame);
	return answer;
}

size_t
pcapng_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us)
{
	struct pcapng_state *p = &r->pcapng;
	size_t count = 0;

	while (count < max && !p->in_block) {
		size_t begin = r->source.begin;
		int64_t last_us = p->last_us;
		bool is_frame = false;

		/* What stops here, pcapng_next finds once more, and says what it is. */
		if (next_block(r, &frames[count], &is_frame) != READER_FRAME || !is_frame)
			break;
		if (frames[count].time_us >= before_us) {
			r->source.begin = begin;
			p->last_us = last_us;
			r->packet_count--;
			break;
		}
		count++;
	}
	return count;
}
