/*
 * One line per event, written without a look at how much room is left: LINE_FIXED_LEN and six times
 * the free texts is more than any line takes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/json.h"
#include "base/short_copy.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "event/community_id.h"
#include "event/event.h"
#include "event/event_lines.h"
#include "event/phrases.h"
#include "tls/names.h"

#include "base/banned.h"

/* The names of all members, numbers, times, addresses, and names from this program's own lists. */
#define LINE_FIXED_LEN 2048
/* Names of members, quotes or nulls. */
#define ORIGIN_FIXED_LEN 64

#define PUT(out, literal) put(out, "" literal, sizeof(literal) - 1)
#define PUT_KEY(out, name) PUT(out, ",\"" name "\":")

struct event_lines {
	char *sensor;      /* owned */
	char *source;      /* owned; the latest event's; NULL: it had none */
	struct buf origin; /* what both come to in a line; empty: there was no event yet */
	struct timestamp_dates dates;
	struct phrase negotiations[PHRASE_COUNT], results[PHRASE_COUNT];
};

static char *
put(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return out + len;
}

/* A name of this program: nothing in it needs an escape.  NULL: null. */
static char *
put_name(char *out, const char *name)
{
	size_t len;

	if (name == NULL)
		return PUT(out, "null");
	len = strlen(name);
	*out++ = '"';
	short_copy(out, name, len);
	out[len] = '"';
	return out + len + 1;
}

/* A text from outside; data NULL: null. */
static char *
put_text(char *out, struct span text)
{
	return text.data == NULL ? PUT(out, "null") : json_put_string(out, text);
}

/* A port, or the number of a VLAN. */
static char *
put_number(char *out, uint16_t value)
{
	if (value >= 1000)
		return digits_put_two(digits_put_small(out, value / 100u), value % 100u);
	return digits_put_small(out, value);
}

static char *
put_bool(char *out, bool value)
{
	return value ? PUT(out, "true") : PUT(out, "false");
}

static char *
put_tri(char *out, enum tri value)
{
	return value == TRI_UNKNOWN ? PUT(out, "null") : put_bool(out, value == TRI_TRUE);
}

static char *
put_addr(char *out, const struct addr *a)
{
	*out++ = '"';
	out = addr_put(out, a);
	*out++ = '"';
	return out;
}

static char *
put_time(char *out, int64_t time_us, struct event_lines *lines)
{
	*out++ = '"';
	out = lines == NULL ? timestamp_put(out, time_us)
			    : timestamp_put_again(out, time_us, &lines->dates);
	*out++ = '"';
	return out;
}

/* Lower-case hexadecimal digits of this program. */
static char *
put_ja3(char *out, const struct event *ev)
{
	if (!ev->has_ja3)
		return PUT(out, "null");
	*out++ = '"';
	out = put(out, ev->ja3, EVENT_JA3_LEN);
	*out++ = '"';
	return out;
}

static char *
put_mac(char *out, const struct event *ev)
{
	static const char digits[] = "0123456789abcdef";

	if (!ev->has_client_mac)
		return PUT(out, "null");
	for (int i = 0; i < 6; i++) {
		*out++ = i == 0 ? '"' : ':';
		*out++ = digits[ev->client_mac[i] >> 4];
		*out++ = digits[ev->client_mac[i] & 15];
	}
	*out++ = '"';
	return out;
}

static char *
put_origin(char *out, struct span sensor, struct span source)
{
	out = PUT_KEY(out, "sensor");
	out = put_text(out, sensor);
	out = PUT_KEY(out, "source");
	return put_text(out, source);
}

static char *
put_endpoints(char *out, const struct event *ev)
{
	out = PUT_KEY(out, "client_ip");
	out = put_addr(out, &ev->client_ip);
	out = PUT_KEY(out, "client_port");
	out = put_number(out, ev->client_port);
	out = PUT_KEY(out, "server_ip");
	out = put_addr(out, &ev->server_ip);
	out = PUT_KEY(out, "server_port");
	out = put_number(out, ev->server_port);
	out = PUT_KEY(out, "client_mac");
	out = put_mac(out, ev);
	out = PUT_KEY(out, "vlan");
	out = ev->vlan >= 0 ? put_number(out, (uint16_t)ev->vlan) : PUT(out, "null");
	out = PUT_KEY(out, "community_id");
	*out++ = '"';
	out = community_id_put(out, ev);
	*out++ = '"';
	return out;
}

/*
 * The name by which the client meant to reach the server.  What a certificate says names the row of
 * the inventory; in the event it stands in `certificate_subject`.
 */
static char *
put_server_name(char *out, const struct event *ev)
{
	bool shown = ev->server_name_source != NAME_SOURCE_CERTIFICATE &&
		     ev->server_name_source != NAME_SOURCE_RANGE;

	out = PUT_KEY(out, "server_name");
	out = put_text(out, shown ? event_text_span(&ev->server_name) : (struct span){ 0 });
	out = PUT_KEY(out, "server_name_source");
	return put_name(out, shown ? name_source_name(ev->server_name_source) : NULL);
}

static char *
write_negotiation(char *out, const struct event *ev)
{
	char cipher[EVENT_CIPHER_TEXT_LEN];

	out = PUT_KEY(out, "protocol");
	out = put_name(out, protocol_name(ev->protocol));
	out = PUT_KEY(out, "tls_mode");
	out = put_name(out, tls_mode_name(ev->tls_mode));
	out = PUT_KEY(out, "tls_version");
	out = put_name(out, tls_version_name(ev->tls_version));
	out = PUT_KEY(out, "offered_version");
	out = put_name(out, tls_version_name(ev->offered_version));
	out = PUT_KEY(out, "cipher_suite");
	return put_name(out, event_cipher_text(ev, cipher));
}

static char *
put_negotiation(char *out, const struct event *ev, struct event_lines *lines)
{
	const struct phrase_key key = {
		(uint64_t)ev->cipher_suite << 32 | (uint32_t)ev->tls_version << 16 |
		    ev->offered_version,
		(uint64_t)ev->protocol << 16 | (uint64_t)ev->tls_mode << 8 | ev->has_cipher_suite,
	};

	if (lines == NULL)
		return write_negotiation(out, ev);
	return phrase_put(lines->negotiations, &key, write_negotiation, ev, out);
}

static char *
put_alpn(char *out, const struct event *ev)
{
	out = PUT_KEY(out, "alpn");
	return put_text(
	    out, ev->alpn_len > 0 ? span_from(ev->alpn, ev->alpn_len) : (struct span){ 0 });
}

static char *
write_result(char *out, const struct event *ev)
{
	char refusal[EVENT_REFUSAL_TEXT_LEN];

	out = PUT_KEY(out, "resumed");
	out = put_tri(out, ev->resumed);
	out = PUT_KEY(out, "hello_retry");
	out = put_tri(out, ev->hello_retry);
	out = PUT_KEY(out, "fallback_scsv");
	out = put_tri(out, ev->fallback_scsv);
	out = PUT_KEY(out, "downgrade_sentinel");
	out = put_name(out, tls_version_name(ev->downgrade_sentinel));
	out = PUT_KEY(out, "outcome");
	out = put_name(out, outcome_name(ev->outcome));
	out = PUT_KEY(out, "refused_by");
	out = put_name(out, event_side_name(ev->refused_by));
	out = PUT_KEY(out, "refusal");
	out = put_name(out, event_refusal_text(ev, refusal));
	out = PUT_KEY(out, "limited_by");
	return put_name(out, event_side_name(ev->limited_by));
}

static char *
put_result(char *out, const struct event *ev, struct event_lines *lines)
{
	const struct phrase_key key = {
		(uint64_t)ev->downgrade_sentinel << 32 | (uint64_t)ev->resumed << 16 |
		    (uint64_t)ev->hello_retry << 8 | (uint64_t)ev->fallback_scsv,
		(uint64_t)ev->outcome << 32 | (uint64_t)ev->refused_by << 24 |
		    (uint64_t)ev->limited_by << 16 | (uint64_t)ev->refusal << 8 | ev->refusal_alert,
	};

	if (lines == NULL)
		return write_result(out, ev);
	return phrase_put(lines->results, &key, write_result, ev, out);
}

static char *
put_identity(char *out, const struct event *ev, struct event_lines *lines)
{
	struct span none = { 0 };

	out = PUT_KEY(out, "client_name");
	out = put_text(out, event_text_span(&ev->client_name));
	out = PUT_KEY(out, "client_name_source");
	out = put_name(out, name_source_name(ev->client_name_source));
	out = PUT_KEY(out, "ja3");
	out = put_ja3(out, ev);
	out = PUT_KEY(out, "ja4");
	out = put_text(out, ev->has_ja4 ? span_from(ev->ja4, EVENT_JA4_LEN) : none);
	out = PUT_KEY(out, "certificate_subject");
	out = put_text(out, event_text_span(&ev->certificate_subject));
	out = PUT_KEY(out, "certificate_not_after");
	return ev->has_certificate_not_after ? put_time(out, ev->certificate_not_after_us, lines)
					     : PUT(out, "null");
}

static size_t
line_len_max(const struct event *ev, size_t origin_len)
{
	size_t text_len = (size_t)ev->server_name.len + ev->alpn_len + ev->client_name.len +
			  ev->certificate_subject.len;

	return LINE_FIXED_LEN + origin_len + JSON_STRING_MAX(text_len);
}

/*
 * `lines`: NULL, or phrases kept from earlier lines.  `origin`: members that are written already.
 */
static void
write_line(const struct event *ev, struct span origin, struct event_lines *lines, struct buf *out)
{
	size_t room = line_len_max(ev, origin.len);
	char *begin = buf_reserve(out, room), *p = begin;

	p = PUT(p, "{\"event\":");
	p = ev->kind == EVENT_TLS_HANDSHAKE ? PUT(p, "\"tls_handshake\"")
					    : PUT(p, "\"cleartext_session\"");
	p = PUT_KEY(p, "timestamp");
	p = put_time(p, ev->timestamp_us, lines);
	p = put(p, (const char *)origin.data, origin.len);
	p = put_endpoints(p, ev);
	p = put_negotiation(p, ev, lines);
	p = put_server_name(p, ev);
	p = put_alpn(p, ev);
	p = put_result(p, ev, lines);
	p = put_identity(p, ev, lines);
	p = PUT_KEY(p, "login");
	/* Where bytes are missing, no login seen is not the same as none. */
	p = ev->kind != EVENT_CLEARTEXT_SESSION || (ev->capture_gap && !ev->login)
		? PUT(p, "null")
		: put_bool(p, ev->login);
	p = PUT_KEY(p, "capture_gap");
	p = put_bool(p, ev->capture_gap);
	p = PUT(p, "}\n");
	assert((size_t)(p - begin) <= room);
	out->len += (size_t)(p - begin);
}

static struct span
text_or_none(const char *text)
{
	return text != NULL ? span_from_text(text) : (struct span){ 0 };
}

static void
write_origin(const char *sensor, const char *source, struct buf *out)
{
	struct span sensor_text = text_or_none(sensor), source_text = text_or_none(source);
	char *begin =
	    buf_reserve(out, ORIGIN_FIXED_LEN + JSON_STRING_MAX(sensor_text.len + source_text.len));

	out->len += (size_t)(put_origin(begin, sensor_text, source_text) - begin);
}

void
event_write_json(const struct event *ev, const char *sensor, const char *source, struct buf *out)
{
	struct buf origin = { 0 };

	write_origin(sensor, source, &origin);
	write_line(ev, span_from(origin.data, origin.len), NULL, out);
	buf_release(&origin);
}

struct event_lines *
event_lines_new(const char *sensor)
{
	struct event_lines *lines = xcalloc(1, sizeof(*lines));

	lines->sensor = xstrdup(sensor);
	return lines;
}

void
event_lines_free(struct event_lines *lines)
{
	if (lines == NULL)
		return;
	free(lines->sensor);
	free(lines->source);
	buf_release(&lines->origin);
	free(lines);
}

static bool
is_latest_source(const struct event_lines *lines, const char *source)
{
	if (source == NULL || lines->source == NULL)
		return source == lines->source && lines->origin.len > 0;
	return strcmp(source, lines->source) == 0;
}

void
event_lines_add(
    struct event_lines *lines, const struct event *ev, const char *source, struct buf *out)
{
	if (!is_latest_source(lines, source)) {
		free(lines->source);
		lines->source = source != NULL ? xstrdup(source) : NULL;
		buf_clear(&lines->origin);
		write_origin(lines->sensor, source, &lines->origin);
	}
	write_line(ev, span_from(lines->origin.data, lines->origin.len), lines, out);
}
