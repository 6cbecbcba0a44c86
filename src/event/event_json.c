#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "event/community_id.h"
#include "event/event.h"
#include "tls/names.h"

#include "base/banned.h"

static void
member_tri(struct buf *b, const char *name, enum tri value)
{
	if (value == TRI_UNKNOWN)
		json_member_null(b, name);
	else
		json_member_bool(b, name, value == TRI_TRUE);
}

static void
member_addr(struct buf *b, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_LEN];

	json_member_text(b, name, addr_to_text(a, text));
}

static void
member_mac(struct buf *b, const struct event *ev)
{
	static const char digits[] = "0123456789abcdef";
	char text[18];

	if (!ev->has_client_mac) {
		json_member_null(b, "client_mac");
		return;
	}
	for (int i = 0; i < 6; i++) {
		text[3 * i] = digits[ev->client_mac[i] >> 4];
		text[3 * i + 1] = digits[ev->client_mac[i] & 15];
		text[3 * i + 2] = ':';
	}
	text[17] = '\0';
	json_member_text(b, "client_mac", text);
}

static void
write_endpoints(const struct event *ev, const char *sensor, const char *source, struct buf *out)
{
	char community_id[COMMUNITY_ID_TEXT_LEN];

	json_member_text(out, "sensor", sensor);
	json_member_text(out, "source", source);
	member_addr(out, "client_ip", &ev->client_ip);
	json_member_u64(out, "client_port", ev->client_port);
	member_addr(out, "server_ip", &ev->server_ip);
	json_member_u64(out, "server_port", ev->server_port);
	member_mac(out, ev);
	if (ev->vlan >= 0)
		json_member_u64(out, "vlan", (uint64_t)ev->vlan);
	else
		json_member_null(out, "vlan");
	community_id_text(ev, community_id);
	json_member_text(out, "community_id", community_id);
}

static void
write_negotiation(const struct event *ev, struct buf *out)
{
	char cipher[EVENT_CIPHER_TEXT_LEN];

	json_member_text(out, "protocol", protocol_name(ev->protocol));
	json_member_text(out, "tls_mode", tls_mode_name(ev->tls_mode));
	json_member_text(out, "tls_version", tls_version_name(ev->tls_version));
	json_member_text(out, "offered_version", tls_version_name(ev->offered_version));
	json_member_text(out, "cipher_suite", event_cipher_text(ev, cipher));
	json_member_span(out, "server_name", event_text_span(&ev->server_name));
	json_member_text(out, "server_name_source", name_source_name(ev->server_name_source));
	json_member_span(
	    out, "alpn", ev->alpn_len > 0 ? span_from(ev->alpn, ev->alpn_len) : (struct span){ 0 });
	member_tri(out, "resumed", ev->resumed);
	member_tri(out, "hello_retry", ev->hello_retry);
	member_tri(out, "fallback_scsv", ev->fallback_scsv);
	json_member_text(out, "downgrade_sentinel", tls_version_name(ev->downgrade_sentinel));
}

static void
write_result(const struct event *ev, struct buf *out)
{
	char refusal[EVENT_REFUSAL_TEXT_LEN];

	json_member_text(out, "outcome", outcome_name(ev->outcome));
	json_member_text(out, "refused_by", event_side_name(ev->refused_by));
	json_member_text(out, "refusal", event_refusal_text(ev, refusal));
	json_member_text(out, "limited_by", event_side_name(ev->limited_by));
}

static void
write_identity(const struct event *ev, struct buf *out)
{
	char time[TIMESTAMP_TEXT_LEN];

	json_member_span(out, "client_name", event_text_span(&ev->client_name));
	json_member_text(out, "client_name_source", name_source_name(ev->client_name_source));
	json_member_span(
	    out, "ja3", ev->has_ja3 ? span_from(ev->ja3, EVENT_JA3_LEN) : (struct span){ 0 });
	json_member_span(
	    out, "ja4", ev->has_ja4 ? span_from(ev->ja4, EVENT_JA4_LEN) : (struct span){ 0 });
	json_member_span(out, "certificate_subject", event_text_span(&ev->certificate_subject));
	json_member_text(out, "certificate_not_after",
	    ev->has_certificate_not_after ? timestamp_to_text(ev->certificate_not_after_us, time)
					  : NULL);
}

void
event_write_json(const struct event *ev, const char *sensor, const char *source, struct buf *out)
{
	char time[TIMESTAMP_TEXT_LEN];

	json_begin_object(out);
	json_member_text(
	    out, "event", ev->kind == EVENT_TLS_HANDSHAKE ? "tls_handshake" : "cleartext_session");
	json_member_text(out, "timestamp", timestamp_to_text(ev->timestamp_us, time));
	write_endpoints(ev, sensor, source, out);
	write_negotiation(ev, out);
	write_result(ev, out);
	write_identity(ev, out);
	if (ev->kind == EVENT_CLEARTEXT_SESSION)
		json_member_bool(out, "login", ev->login);
	else
		json_member_null(out, "login");
	json_member_bool(out, "capture_gap", ev->capture_gap);
	json_end_object(out);
	buf_add_char(out, '\n');
}
