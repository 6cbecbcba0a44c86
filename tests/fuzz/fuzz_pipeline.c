/*
 * A small capture.  Each frame begins with a byte that says what it is: one as it stands, of any
 * link type, or a TCP segment of one connection, whose headers are made here.
 */
#include "pipeline/pipeline.h"

#include <assert.h>

#include "packet/packet.h"
#include "tls/names.h"

#include "base/banned.h"

#define LINK_RAW 101
#define HEADERS_LEN 40
#define PAYLOAD_MAX 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint32_t links[] = { 0, 1, 9, 12, 50, 101, 104, 107, 108, 109, 113, 122, 228, 229, 253,
	276 };

/* The connection whose segments are made here. */
struct talk {
	uint32_t next[2];
	uint16_t client_port;
};

static void
on_event(void *arg, const struct event *ev)
{
	struct buf line = { 0 };

	(*(unsigned *)arg)++;
	event_write_json(ev, "sensor", "source", &line);
	assert(line.len > 2 && memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	buf_release(&line);
}

static void
put_u16(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

static void
put_u32(uint8_t *out, uint32_t value)
{
	put_u16(out, value >> 16);
	put_u16(out + 2, value & 0xffff);
}

/* Three bytes: flags and direction, how far the numbers are off, payload's length. */
static bool
make_segment(
    struct talk *talk, struct span *in, uint8_t out[HEADERS_LEN + PAYLOAD_MAX], struct frame *frame)
{
	static const uint8_t hosts[2][4] = { { 10, 0, 0, 5 }, { 192, 0, 2, 25 } };
	struct span payload;
	uint8_t flags, shift, len;
	unsigned from;

	if (!span_read_u8(in, &flags) || !span_read_u8(in, &shift) || !span_read_u8(in, &len))
		return false;
	from = flags >> 7;
	payload = span_first(*in, len);
	if (!span_skip(in, payload.len))
		return false;
	memset(out, 0, HEADERS_LEN);
	out[0] = 0x45;
	put_u16(out + 2, (unsigned)(HEADERS_LEN + payload.len));
	out[8] = 64;
	out[9] = 6;
	memcpy(out + 12, hosts[from], 4);
	memcpy(out + 16, hosts[1 - from], 4);
	put_u16(out + 20, from == 0 ? talk->client_port : 993);
	put_u16(out + 22, from == 0 ? 993 : talk->client_port);
	put_u32(out + 24, talk->next[from] + (uint32_t)(shift & 15) * 7 - (shift & 15) / 8 * 91u);
	put_u32(out + 28, talk->next[1 - from]);
	out[32] = 0x50;
	out[33] = flags & 0x17;
	if (payload.len > 0)
		memcpy(out + HEADERS_LEN, payload.data, payload.len);
	talk->next[from] +=
	    (uint32_t)payload.len + ((flags & (TCP_SYN | TCP_FIN)) != 0) + (shift >> 4);
	frame->bytes = span_from(out, HEADERS_LEN + payload.len);
	frame->link_type = LINK_RAW;
	return true;
}

static bool
read_frame(
    struct talk *talk, struct span *in, uint8_t out[HEADERS_LEN + PAYLOAD_MAX], struct frame *frame)
{
	uint8_t what, len;

	if (!span_read_u8(in, &what))
		return false;
	frame->time_us += (int64_t)(what >> 5) * (what >> 5) * 50000;
	frame->source = what & 1;
	if ((what & 1) == 0) {
		if (!make_segment(talk, in, out, frame))
			return false;
	} else {
		if (!span_read_u8(in, &len))
			return false;
		frame->link_type = links[what >> 1 & 15];
		frame->bytes = span_first(*in, len);
		if (!span_skip(in, frame->bytes.len))
			return false;
	}
	frame->wire_len = (uint32_t)frame->bytes.len;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct service_set services;
	static const struct network_set internal = { .any = true };
	uint8_t out[HEADERS_LEN + PAYLOAD_MAX];
	struct talk talk = { { 1000, 5000 }, 40000 };
	struct span in = span_from(data, len);
	struct frame frame = { .time_us = INT64_C(1700000000000000) };
	unsigned events = 0;
	struct pipeline_options options = { .services = &services,
		.internal = &internal,
		.minimum = TLS_VERSION_1_2,
		.event = on_event,
		.arg = &events };
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	struct pipeline *pipeline;

	service_set_init_defaults(&services);
	flow_options_init(&options.flows);
	/* Small budgets, so that a small input reaches them. */
	options.flows.max_flows = 8;
	options.flows.max_unsettled = 4;
	options.flows.max_closed = 4;
	options.flows.max_held_len = 2048;
	options.flows.max_held_per_stream = 1024;
	pipeline = pipeline_new(&options);
	while (read_frame(&talk, &in, out, &frame))
		pipeline_add(pipeline, &frame);
	pipeline_finish(pipeline);
	for (size_t i = pipeline_counters(pipeline, counters); i-- > 0;)
		assert(strcmp(counters[i].name, "events") != 0 || counters[i].value == events);
	pipeline_free(pipeline);
	return 0;
}
