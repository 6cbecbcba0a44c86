/*
 * One connection: two bytes of circumstances, then acts of two bytes each (who does what, and how
 * many bytes), with the bytes that are said behind each.
 */
#include "session/session.h"
#include "tls/names.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum act { ACT_DATA, ACT_GAP, ACT_FIN, ACT_RST };

static const uint16_t ports[] = { 993, 587, 143, 110, 8443, 8389, 40000, 465 };

struct counts {
	unsigned events;
	struct session_counters counters;
};

static void
on_event(void *arg, const struct event *ev)
{
	struct counts *counts = arg;
	struct buf line = { 0 };

	counts->events++;
	event_write_json(ev, "sensor", "source", &line);
	assert(line.len > 2 && memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	buf_release(&line);
	assert((ev->outcome == OUTCOME_REFUSED) == (ev->refused_by != SIDE_NONE));
	assert(ev->outcome == OUTCOME_REFUSED || ev->refusal == REFUSAL_NONE);
	assert((ev->kind == EVENT_CLEARTEXT_SESSION) == (ev->outcome == OUTCOME_CLEARTEXT));
	assert(ev->limited_by == SIDE_NONE || ev->tls_version != 0);
}

static struct connection
read_connection(uint8_t a, uint8_t b)
{
	struct connection conn = {
		.opener = (int8_t)((a & 3) == 3 ? CONNECTION_NO_DIR : a & 1),
		.vlan = { -1, -1 },
		.port = { ports[b & 7], ports[b >> 3 & 7] },
		.mid_start = { (a & 4) != 0, (a & 8) != 0 },
		.seen = { (a & 16) == 0, (a & 32) == 0 },
	};

	conn.addr[0] = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 });
	conn.addr[1] = addr_from_v4((const uint8_t[]){ 10, 0, 0, 2 });
	return conn;
}

static enum session_wish
act_once(struct session *session, struct span *bytes, uint8_t what, uint8_t len, int64_t offset[2],
    int64_t time_us)
{
	unsigned dir = what & 1;
	struct mark mark = { .time_us = time_us,
		.offset = offset[dir],
		.peer_offset = (what & 8) != 0 ? MARK_NO_PEER : offset[1 - dir] };
	struct span said = span_first(*bytes, len);
	enum session_wish wish = SESSION_GO_ON;

	switch ((enum act)(what >> 1 & 3)) {
	case ACT_DATA:
		if (!span_skip(bytes, said.len) || said.len == 0)
			return SESSION_GO_ON;
		offset[dir] += (int64_t)said.len;
		/* One byte at a time, or as one segment. */
		while ((what & 16) != 0 && said.len > 1 && wish != SESSION_SETTLED) {
			wish = session_data(session, dir, span_first(said, 1), &mark);
			mark.offset++;
			said = span_from(said.data + 1, said.len - 1);
		}
		return wish == SESSION_SETTLED ? wish : session_data(session, dir, said, &mark);
	case ACT_GAP:
		offset[dir] += len + 1;
		return session_gap(session, dir, len + 1, &mark);
	case ACT_FIN:
		return session_fin(session, dir, &mark);
	case ACT_RST:
		return session_reset(session, dir, &mark);
	}
	return wish;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct service_set services;
	static const struct network_set internal = { .any = true };
	struct counts counts = { 0 };
	const struct session_options options = { .services = &services,
		.internal = &internal,
		.minimum = TLS_VERSION_1_2,
		.counters = &counts.counters,
		.event = on_event,
		.arg = &counts };
	struct span bytes = span_from(data, len);
	enum session_wish wish = SESSION_GO_ON;
	int64_t offset[2] = { 0, 0 }, time_us = 1000;
	uint8_t a, b, what, n;
	struct connection conn;
	struct session *session;
	struct error err;

	if (!span_read_u8(&bytes, &a) || !span_read_u8(&bytes, &b))
		return 0;
	service_set_init_defaults(&services);
	if (service_set_add_text(&services, "8443=tls", &err) != 0 ||
	    service_set_add_text(&services, "8389=tls+starttls", &err) != 0)
		return 0;
	conn = read_connection(a, b);
	session = session_new(&options, &conn);
	while (wish != SESSION_SETTLED && span_read_u8(&bytes, &what) && span_read_u8(&bytes, &n)) {
		time_us += what >> 5;
		wish = act_once(session, &bytes, what, n, offset, time_us);
		assert(counts.events == 0 || wish == SESSION_SETTLED);
	}
	if (wish == SESSION_SETTLED)
		session_free(session);
	else
		session_end(session, time_us);
	assert(counts.events <= 1 && counts.events == counts.counters.events);
	return 0;
}
