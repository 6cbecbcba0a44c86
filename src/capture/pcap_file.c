/* Source: draft-ietf-opsawg-pcap, sections 4 (file header) and 5 (packet record). */
#include "capture/capture_internal.h"

#include <endian.h>
#include <string.h>

#include "base/timestamp.h"

#include "base/banned.h"

#define PCAP_FILE_HEADER_LEN 24
#define PCAP_RECORD_HEADER_LEN 16
/* The patched libpcap of 1990s Linux added an interface index, a protocol and a packet type. */
#define PCAP_RECORD_HEADER_LEN_PATCHED 24
/* Nokia's IPSO adds 4 bytes, Red Hat 6.1 added 8, SuSE 6.3 added 4 to what a magic number told. */
#define PCAP_RECORD_HEADER_MORE 4
#define PCAP_RECORD_HEADER_MORE_MAX 8
#define DAY_SECONDS 86400u
/* The field's upper bits say whether the frames carry their check sequence. */
#define PCAP_LINK_TYPE_MASK 0x03ffffffu

static const struct {
	uint32_t magic; /* the file's first four bytes, read in network order */
	bool little, nanoseconds;
	size_t record_header_len;
} magics[] = {
	{ 0xa1b2c3d4, false, false, PCAP_RECORD_HEADER_LEN },
	{ 0xd4c3b2a1, true, false, PCAP_RECORD_HEADER_LEN },
	{ 0xa1b23c4d, false, true, PCAP_RECORD_HEADER_LEN },
	{ 0x4d3cb2a1, true, true, PCAP_RECORD_HEADER_LEN },
	{ 0xa1b2cd34, false, false, PCAP_RECORD_HEADER_LEN_PATCHED },
	{ 0x34cdb2a1, true, false, PCAP_RECORD_HEADER_LEN_PATCHED },
};

/* Their systems wrote these numbers before the LINKTYPE_ registry drew a line; see the link-layer
 * header types list of tcpdump.org. */
static const struct {
	uint32_t dlt, link_type;
} old_numbers[] = {
	{ 11, 100 }, /* ATM_RFC1483 */
	{ 12, 101 }, /* RAW */
	{ 13, 109 }, /* OpenBSD: ENC */
	{ 14, 101 }, /* OpenBSD: RAW */
	{ 17, 117 }, /* OpenBSD: PFLOG */
};

uint32_t
link_type_from_file(uint32_t field)
{
	for (size_t i = 0; i < sizeof(old_numbers) / sizeof(old_numbers[0]); i++)
		if (old_numbers[i].dlt == field)
			return old_numbers[i].link_type;
	return field;
}

bool
pcap_detect(struct span head)
{
	uint32_t magic;

	if (!span_read_u32(&head, &magic))
		return false;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magics[i].magic == magic)
			return true;
	return false;
}

static void
take_magic(struct pcap_state *p, uint32_t magic)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (magics[i].magic != magic)
			continue;
		p->little = magics[i].little;
		p->nanoseconds = magics[i].nanoseconds;
		p->header_len = magics[i].record_header_len;
	}
}

/* The file header's fields; `major` is judged by the caller.  False where it is not whole. */
static bool
read_file_header(struct span header, struct pcap_state *out, uint16_t *major, uint16_t *minor,
    uint32_t *snap_len)
{
	struct span zone_and_accuracy;
	uint32_t magic, link_type;

	if (span_read_u32(&header, &magic))
		take_magic(out, magic);
	if (!file_read_u16(&header, out->little, major) ||
	    !file_read_u16(&header, out->little, minor) ||
	    !span_read_span(&header, 8, &zone_and_accuracy) ||
	    !file_read_u32(&header, out->little, snap_len) ||
	    !file_read_u32(&header, out->little, &link_type))
		return false;
	/* Before 2.3 orig_len came first; 2.3 was written both ways. */
	out->swapped = *minor < 3;
	out->maybe_swapped = *minor == 3;
	out->link_type = link_type_from_file(link_type & PCAP_LINK_TYPE_MASK);
	return true;
}

/* A field of a record's header. */
static inline uint32_t
field_at(const struct pcap_state *p, struct span header, size_t at)
{
	uint32_t value;

	memcpy(&value, header.data + at, sizeof(value));
	return p->little ? le32toh(value) : be32toh(value);
}

static inline void
read_lengths(
    const struct pcap_state *p, struct span header, uint32_t *captured_len, uint32_t *wire_len)
{
	uint32_t first = field_at(p, header, 8), second = field_at(p, header, 12);
	bool swapped = p->swapped || (p->maybe_swapped && first > second);

	*captured_len = swapped ? second : first;
	*wire_len = swapped ? first : second;
}

/* Takes a record that makes sense, within a day of `*seconds` unless that is 0; tells its time. */
static bool
skip_sensible_record(const struct pcap_state *p, struct span *rest, uint32_t *seconds)
{
	struct span record = *rest, header;
	uint32_t now, captured_len, wire_len;

	if (!span_read_span(&record, p->header_len, &header))
		return false;
	now = field_at(p, header, 0);
	read_lengths(p, header, &captured_len, &wire_len);
	if (field_at(p, header, 4) >= (p->nanoseconds ? 1000000000u : 1000000u) ||
	    captured_len == 0 || captured_len > wire_len || captured_len > PACKET_LEN_MAX ||
	    (*seconds != 0 && now - *seconds + DAY_SECONDS > 2 * DAY_SECONDS) ||
	    !span_skip(&record, captured_len))
		return false;
	*seconds = now;
	*rest = record;
	return true;
}

static bool
has_sensible_records(const struct pcap_state *p, struct span rest, unsigned count)
{
	uint32_t seconds = 0;

	while (count > 0 && skip_sensible_record(p, &rest, &seconds))
		count--;
	return count == 0;
}

/*
 * Some systems made their records' headers longer and left the magic number as it was.  The first
 * records tell, where they have come already.
 */
static void
find_header_len(struct pcap_state *p, struct span rest)
{
	struct pcap_state longer = *p;

	if (has_sensible_records(p, rest, 2))
		return;
	for (size_t more = PCAP_RECORD_HEADER_MORE; more <= PCAP_RECORD_HEADER_MORE_MAX;
	     more += PCAP_RECORD_HEADER_MORE) {
		longer.header_len = p->header_len + more;
		if (has_sensible_records(&longer, rest, 3))
			p->header_len = longer.header_len;
	}
}

enum reader_open_answer
pcap_open(struct reader *r)
{
	const char *label = input_label(&r->source.input);
	uint16_t major, minor;

	source_fill(&r->source, PCAP_FILE_HEADER_LEN);
	if (!read_file_header(source_rest(&r->source), &r->pcap, &major, &minor, &r->snap_len)) {
		if (r->source.failed)
			r->error = r->source.error;
		else
			error_set(
			    &r->error, "%s ends inside its file header: no packet is in it", label);
		return READER_UNREADABLE;
	}
	if (major != 2) {
		error_set(&r->error,
		    "%s is a pcap file of version %u.%u, but only version 2 is known", label, major,
		    minor);
		return READER_UNREADABLE;
	}
	source_take(&r->source, PCAP_FILE_HEADER_LEN);
	find_header_len(&r->pcap, source_rest(&r->source));
	return READER_OPEN;
}

/*
 * Files put behind each other with cat: where a record is due, the next file's header is.  Read as
 * a record it would have no bytes and a time in December 2055.
 */
static bool
is_file_header(struct span s)
{
	struct pcap_state state = { 0 };
	struct span rest = s;
	uint32_t magic, zone, accuracy;
	uint16_t major, minor;

	if (!pcap_detect(s) || !span_read_u32(&rest, &magic))
		return false;
	take_magic(&state, magic);
	return file_read_u16(&rest, state.little, &major) && major == 2 &&
	       file_read_u16(&rest, state.little, &minor) && span_read_u32(&rest, &zone) &&
	       zone == 0 && span_read_u32(&rest, &accuracy) && accuracy == 0;
}

/* Takes the header of the next one of such files.  READER_FRAME: go on with its records. */
static enum reader_answer
begin_next_file(struct reader *r)
{
	struct pcap_state next = { 0 };
	uint16_t major, minor;
	uint32_t snap_len;

	if (!read_file_header(source_rest(&r->source), &next, &major, &minor, &snap_len))
		return reader_need(r, PCAP_FILE_HEADER_LEN);
	r->pcap = next;
	if (snap_len > r->snap_len)
		r->snap_len = snap_len;
	source_take(&r->source, PCAP_FILE_HEADER_LEN);
	return READER_FRAME;
}

/* As a file ends whose blocks were on the disk before their content, when the power went. */
static bool
is_all_zero(struct span header)
{
	static const uint8_t zeros[PCAP_RECORD_HEADER_LEN];

	return memcmp(header.data, zeros, sizeof(zeros)) == 0;
}

/*
 * One record of at least `len_min` bytes; false, and `rest` as it was, where it is not whole, has
 * fewer, or its length is a lie.
 */
static inline __attribute__((always_inline)) bool
read_record(const struct pcap_state *p, uint32_t len_min, struct span *rest, struct frame *frame)
{
	struct span record = *rest, header;
	uint32_t seconds, fraction, captured_len, wire_len;

	if (!span_read_span(&record, p->header_len, &header))
		return false;
	seconds = field_at(p, header, 0);
	fraction = field_at(p, header, 4);
	read_lengths(p, header, &captured_len, &wire_len);
	/* Fewer than the least are more than the most, so that this is one comparison. */
	if (captured_len - len_min > PACKET_LEN_MAX - len_min ||
	    !span_read_span(&record, captured_len, &frame->bytes))
		return false;
	/* A fraction of a second or more is carried over, as written by a few tools. */
	frame->time_us =
	    (int64_t)seconds * USEC_PER_SEC + (p->nanoseconds ? fraction / 1000 : fraction);
	frame->wire_len = wire_len > captured_len ? wire_len : captured_len;
	frame->link_type = p->link_type;
	*rest = record;
	return true;
}

/* A record without bytes, too, where it is neither zeros nor another file's header. */
static bool
read_any_record(const struct pcap_state *p, struct span *rest, struct frame *frame)
{
	struct span header = *rest;

	if (!read_record(p, 0, rest, frame))
		return false;
	if (frame->bytes.len > 0 || (!is_all_zero(header) && !is_file_header(header)))
		return true;
	*rest = header;
	return false;
}

static enum reader_answer
explain_no_record(struct reader *r)
{
	const struct pcap_state *p = &r->pcap;
	struct span rest = source_rest(&r->source), header;
	uint32_t captured_len, wire_len;

	if (!span_read_span(&rest, p->header_len, &header))
		return reader_need(r, p->header_len);
	if (is_all_zero(header))
		return reader_bad(r, "is damaged: zeros stand where packet %llu is due",
		    (unsigned long long)r->packet_count + 1);
	read_lengths(p, header, &captured_len, &wire_len);
	if (captured_len > PACKET_LEN_MAX)
		return reader_bad(r, "has a lying length: packet %llu claims %lu bytes",
		    (unsigned long long)r->packet_count + 1, (unsigned long)captured_len);
	return reader_need(r, p->header_len + captured_len);
}

enum reader_answer
pcap_next(struct reader *r, struct frame *frame)
{
	struct span rest = source_rest(&r->source), record = rest;

	while (!read_any_record(&r->pcap, &rest, frame)) {
		enum reader_answer answer;

		if (!is_file_header(rest))
			return explain_no_record(r);
		answer = begin_next_file(r);
		if (answer != READER_FRAME)
			return answer;
		rest = record = source_rest(&r->source);
	}
	frame->source = r->number;
	source_take(&r->source, record.len - rest.len);
	r->packet_count++;
	return READER_FRAME;
}

/* In place for each form of file, so that what a form decides is not asked for each record. */
static inline __attribute__((always_inline)) size_t
read_many(struct reader *r, const struct pcap_state *p, struct frame *frames, size_t max,
    int64_t before_us)
{
	struct span rest = source_rest(&r->source), record = rest;
	uintptr_t asked = r->source.asked;
	uint32_t number = r->number;
	size_t count = 0;

	/* What has no bytes may be no record, and is left to pcap_next. */
	while (count < max && read_record(p, 1, &rest, &frames[count]) &&
	       frames[count].time_us < before_us) {
		frames[count++].source = number;
		asked = ask_ahead(asked, rest.data);
		record = rest;
	}
	source_take_asked(&r->source, record.data, asked);
	r->packet_count += count;
	return count;
}

/* Nearly all files: written by a little-endian machine, microseconds, nothing patched or old. */
static bool
is_usual(const struct pcap_state *p)
{
	return p->little && !p->nanoseconds && !p->swapped && !p->maybe_swapped &&
	       p->header_len == PCAP_RECORD_HEADER_LEN;
}

/* A function of its own keeps what the loop needs in registers. */
__attribute__((noinline)) size_t
pcap_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us)
{
	/* Copies: what a frame is written to is neither. */
	const struct pcap_state any = r->pcap;
	const struct pcap_state usual = {
		.little = true,
		.header_len = PCAP_RECORD_HEADER_LEN,
		.link_type = any.link_type,
	};

	return is_usual(&any) ? read_many(r, &usual, frames, max, before_us)
			      : read_many(r, &any, frames, max, before_us);
}
