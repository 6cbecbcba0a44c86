/*
 * pipeline_script - conversations as frames, and a pipeline for them.
 */
#ifndef TLSTALLY_TESTS_PIPELINE_SCRIPT_H
#define TLSTALLY_TESTS_PIPELINE_SCRIPT_H

#include "pipeline/pipeline.h"

#include "packet/packet.h"

#include "suite.h"
#include "tls_wire.h"

#define LINK_ETHERNET 1
#define LINK_RAW 101
#define LINK_UNHEARD_OF 9999
#define START_US INT64_C(1700000000000000)
#define FRAMES_MAX 32
#define CLIENT_PORT 40000

/* A capture under construction: one connection after another, between the same two hosts. */
struct frames {
	struct writer bytes;
	struct frame frames[FRAMES_MAX];
	size_t count;
	uint32_t link_type;
	uint16_t server_port;
	uint32_t next[2]; /* sequence numbers; 0: the client */
	struct writer out;
};

static inline void
put_u32(struct writer *w, uint32_t value)
{
	put_u16(w, value >> 16);
	put_u16(w, value & 0xffff);
}

static inline void
put_ethernet(struct writer *w, unsigned from)
{
	static const char *const macs[] = { "\x02\x00\x00\x00\x00\x05",
		"\x02\x00\x00\x00\x00\x19" };

	put_span(w, span_from(macs[1 - from], 6));
	put_span(w, span_from(macs[from], 6));
	put_span(w, BYTES("\x81\x00\x00\x2a\x08\x00")); /* VLAN 42 */
}

static inline void
put_ip(struct writer *w, unsigned from, size_t payload_len)
{
	static const char *const hosts[] = { "\x0a\x00\x00\x05", "\xc0\x00\x02\x19" };

	put_span(w, BYTES("\x45\x00"));
	put_u16(w, (unsigned)(40 + payload_len));
	put_span(w, BYTES("\x00\x00\x40\x00\x40\x06\x00\x00"));
	put_span(w, span_from(hosts[from], 4));
	put_span(w, span_from(hosts[1 - from], 4));
}

/* One segment with everything that was put into `out`. */
static inline void
segment(struct frames *f, unsigned from, unsigned flags)
{
	struct writer *w = &f->bytes;
	size_t begin = w->len;
	uint16_t ports[] = { CLIENT_PORT, f->server_port };

	ck_assert_uint_lt(f->count, FRAMES_MAX);
	if (f->link_type == LINK_ETHERNET)
		put_ethernet(w, from);
	put_ip(w, from, f->out.len);
	put_u16(w, ports[from]);
	put_u16(w, ports[1 - from]);
	put_u32(w, f->next[from]);
	put_u32(w, f->next[1 - from]);
	put_u8(w, 0x50);
	put_u8(w, flags);
	put_span(w, BYTES("\xff\xff\x00\x00\x00\x00"));
	put_span(w, written(&f->out));
	f->next[from] += (uint32_t)f->out.len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	f->out.len = 0;
	f->frames[f->count] = (struct frame){ .bytes = span_from(w->data + begin, w->len - begin),
		.wire_len = (uint32_t)(w->len - begin),
		.link_type = f->link_type,
		.source = 1,
		.time_us = START_US + (int64_t)f->count * 1000 };
	f->count++;
}

static inline void
begin(struct frames *f, uint32_t link_type, uint16_t server_port)
{
	memset(f, 0, sizeof(*f));
	f->link_type = link_type;
	f->server_port = server_port;
}

static inline void
connect_tcp(struct frames *f, uint32_t isn)
{
	f->next[0] = isn;
	f->next[1] = 0;
	segment(f, 0, TCP_SYN);
	f->next[1] = isn + 77777;
	segment(f, 1, TCP_SYN | TCP_ACK);
	segment(f, 0, TCP_ACK);
}

static inline void
hello(struct frames *f, struct span message)
{
	put_record(&f->out, TLS_RECORD_HANDSHAKE, message);
	segment(f, 0, TCP_ACK);
}

/* The server's greeting, of `greeting_len` bytes inside TLS, comes with its Finished. */
static inline void
handshake_with_greeting(struct frames *f, uint32_t isn, size_t greeting_len)
{
	connect_tcp(f, isn);
	hello(f, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&f->out, TLS_VERSION_1_0);
	put_message(&f->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	segment(f, 1, TCP_ACK);
	put_message(&f->out, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 130);
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	segment(f, 0, TCP_ACK);
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	if (greeting_len > 0)
		put_sealed(&f->out, TLS_RECORD_APPLICATION_DATA, greeting_len);
	segment(f, 1, TCP_ACK);
	segment(f, 0, TCP_ACK | TCP_FIN);
	segment(f, 1, TCP_ACK | TCP_FIN);
}

static inline void
handshake(struct frames *f, uint32_t isn)
{
	handshake_with_greeting(f, isn, 0);
}

struct fixture {
	struct service_set services;
	struct network_set internal;
	struct pipeline *pipeline;
	struct event events[4], endings[4];
	size_t event_count, ending_count;
};

static struct fixture fixture;
static struct frames capture;

static inline void
on_event(void *arg, const struct event *ev)
{
	struct fixture *f = arg;

	ck_assert_uint_lt(f->event_count, 4);
	f->events[f->event_count++] = *ev;
}

static inline void
on_ending(void *arg, const struct event *ev)
{
	struct fixture *f = arg;

	ck_assert_int_eq(ev->kind, EVENT_SESSION_END);
	ck_assert_uint_lt(f->ending_count, 4);
	f->endings[f->ending_count++] = *ev;
}

static inline void
setup(void)
{
	struct pipeline_options options = { .services = &fixture.services,
		.internal = &fixture.internal,
		.minimum = TLS_VERSION_1_2,
		.event = on_event,
		.ending = on_ending,
		.arg = &fixture };

	fixture.event_count = fixture.ending_count = 0;
	service_set_init_defaults(&fixture.services);
	network_set_add_internal_defaults(&fixture.internal);
	flow_options_init(&options.flows);
	fixture.pipeline = pipeline_new(&options);
}

static inline void
teardown(void)
{
	pipeline_free(fixture.pipeline);
	network_set_release(&fixture.internal);
}

static inline void
add_all(const struct frames *f)
{
	for (size_t i = 0; i < f->count; i++)
		pipeline_add(fixture.pipeline, &f->frames[i]);
}

static inline uint64_t
counter(const char *name)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t count = pipeline_counters(fixture.pipeline, counters);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	}
	ck_abort_msg("no counter %s", name);
	return 0;
}

#endif
