#include "event/form_values.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "event/common_name.h"
#include "event/community_id.h"
#include "tls/names.h"

#include "base/banned.h"

#define ECS_VERSION "8.11.0"

static bool
add_text(struct buf *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return false;
	json_string(out, span_from_text(text));
	return true;
}

static bool
add_span(struct buf *out, struct span text)
{
	if (text.len == 0)
		return false;
	json_string(out, text);
	return true;
}

static bool
add_raw(struct buf *out, const char *json)
{
	buf_add_text(out, json);
	return true;
}

static bool
add_bool(struct buf *out, bool value)
{
	return add_raw(out, value ? "true" : "false");
}

static bool
add_time(struct buf *out, int64_t time_us)
{
	char text[TIMESTAMP_TEXT_LEN];

	return add_text(out, timestamp_to_text(time_us, text));
}

/* Seconds with six places; before 1970 as well. */
static bool
add_epoch(struct buf *out, int64_t time_us)
{
	uint64_t us = time_us < 0 ? -(uint64_t)time_us : (uint64_t)time_us;

	buf_addf(out, "%s%llu.%06llu", time_us < 0 ? "-" : "",
	    (unsigned long long)(us / (uint64_t)USEC_PER_SEC),
	    (unsigned long long)(us % (uint64_t)USEC_PER_SEC));
	return true;
}

bool
form_time_rfc3339(const struct form_record *r, struct buf *out)
{
	return add_time(out, r->time_us);
}

bool
form_time_epoch(const struct form_record *r, struct buf *out)
{
	return add_epoch(out, r->time_us);
}

bool
form_time_eve(const struct form_record *r, struct buf *out)
{
	char text[TIMESTAMP_TEXT_LEN];

	timestamp_to_text(r->time_us, text);
	text[strlen(text) - 1] = '\0'; /* the Z */
	buf_addf(out, "\"%s+0000\"", text);
	return true;
}

bool
form_kind(const struct form_record *r, struct buf *out)
{
	return add_text(out, r->kind);
}

bool
form_dataset(const struct form_record *r, struct buf *out)
{
	return add_text(out, r->event != NULL ? "tlstally.events" : "tlstally.coverage");
}

bool
form_product(const struct form_record *r, struct buf *out)
{
	(void)r;
	return add_text(out, "tlstally");
}

bool
form_sensor(const struct form_record *r, struct buf *out)
{
	return add_text(out, r->sensor);
}

static bool
add_addr(struct buf *out, const struct addr *a)
{
	char text[ADDR_TEXT_LEN];

	return add_text(out, addr_to_text(a, text));
}

bool
form_client_ip(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_addr(out, &r->event->client_ip);
}

bool
form_server_ip(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_addr(out, &r->event->server_ip);
}

/* Port 0: a row of the inventory, which stands for many ports. */
static bool
add_port(struct buf *out, uint16_t port)
{
	if (port == 0)
		return false;
	buf_add_u64(out, port);
	return true;
}

bool
form_client_port(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_port(out, r->event->client_port);
}

bool
form_server_port(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_port(out, r->event->server_port);
}

static bool
add_mac(const struct form_record *r, struct buf *out, bool ecs)
{
	if (r->event == NULL || !r->event->has_client_mac)
		return false;
	buf_add_char(out, '"');
	for (size_t i = 0; i < sizeof(r->event->client_mac); i++) {
		if (i > 0)
			buf_add_char(out, ecs ? '-' : ':');
		buf_addf(out, ecs ? "%02X" : "%02x", r->event->client_mac[i]);
	}
	buf_add_char(out, '"');
	return true;
}

bool
form_client_mac(const struct form_record *r, struct buf *out)
{
	return add_mac(r, out, false);
}

/* RFC 7042, as ECS wants it. */
bool
form_client_mac_ecs(const struct form_record *r, struct buf *out)
{
	return add_mac(r, out, true);
}

bool
form_client_name(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_span(out, event_text_span(&r->event->client_name));
}

bool
form_server_name(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_span(out, event_text_span(&r->event->server_name));
}

bool
form_sni(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->server_name_source == NAME_SOURCE_SNI &&
	       add_span(out, event_text_span(&r->event->server_name));
}

static bool
add_vlan(const struct form_record *r, struct buf *out, const char *before, const char *behind)
{
	if (r->event == NULL || r->event->vlan < 0)
		return false;
	buf_addf(out, "%s%d%s", before, r->event->vlan, behind);
	return true;
}

bool
form_vlan(const struct form_record *r, struct buf *out)
{
	return add_vlan(r, out, "", "");
}

bool
form_vlan_text(const struct form_record *r, struct buf *out)
{
	return add_vlan(r, out, "\"", "\"");
}

bool
form_vlan_array(const struct form_record *r, struct buf *out)
{
	return add_vlan(r, out, "[", "]");
}

/* A hash of both ends, so only where both are known. */
bool
form_community_id(const struct form_record *r, struct buf *out)
{
	char text[COMMUNITY_ID_TEXT_LEN];

	if (r->event == NULL || r->event->client_port == 0)
		return false;
	community_id_text(r->event, text);
	return add_text(out, text);
}

bool
form_transport(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_text(out, "tcp");
}

bool
form_transport_upper(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_text(out, "TCP");
}

bool
form_network_type(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_text(out, r->event->client_ip.family == 6 ? "ipv6" : "ipv4");
}

bool
form_protocol_lower(const struct form_record *r, struct buf *out)
{
	char lower[8] = "";
	const char *name = r->event != NULL ? protocol_name(r->event->protocol) : "";

	for (size_t i = 0; i < sizeof(lower) - 1 && name[i] != '\0'; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	return add_text(out, lower);
}

bool
form_from_proto(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->tls_mode == TLS_MODE_STARTTLS &&
	       form_protocol_lower(r, out);
}

/* The place in the tables of spellings below; 0: no version. */
static size_t
version_index(uint16_t version)
{
	switch (version) {
	case TLS_VERSION_SSL2:
		return 1;
	case TLS_VERSION_SSL3:
		return 2;
	case TLS_VERSION_1_0:
		return 3;
	case TLS_VERSION_1_1:
		return 4;
	case TLS_VERSION_1_2:
		return 5;
	case TLS_VERSION_1_3:
		return 6;
	default:
		return 0;
	}
}

static bool
add_version(const struct form_record *r, struct buf *out, const char *const spellings[7])
{
	return r->event != NULL && add_text(out, spellings[version_index(r->event->tls_version)]);
}

bool
form_version(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_text(out, tls_version_name(r->event->tls_version));
}

bool
form_version_number(const struct form_record *r, struct buf *out)
{
	static const char *const numbers[7] = { NULL, "2.0", "3.0", "1.0", "1.1", "1.2", "1.3" };

	return add_version(r, out, numbers);
}

bool
form_version_protocol(const struct form_record *r, struct buf *out)
{
	static const char *const names[7] = { NULL, "ssl", "ssl", "tls", "tls", "tls", "tls" };

	return add_version(r, out, names);
}

bool
form_version_zeek(const struct form_record *r, struct buf *out)
{
	static const char *const names[7] = { NULL, "SSLv2", "SSLv3", "TLSv10", "TLSv11", "TLSv12",
		"TLSv13" };

	return add_version(r, out, names);
}

static const char *const eve_versions[7] = { NULL, "SSLv2", "SSLv3", "TLSv1", "TLS 1.1", "TLS 1.2",
	"TLS 1.3" };

bool
form_version_eve(const struct form_record *r, struct buf *out)
{
	return add_version(r, out, eve_versions);
}

bool
form_offered_eve(const struct form_record *r, struct buf *out)
{
	return r->event != NULL &&
	       add_text(out, eve_versions[version_index(r->event->offered_version)]);
}

/* In a hello that offers 1.3 this field says 1.2, whatever the hello offers. */
bool
form_offered_number(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL || version_index(r->event->offered_version) == 0 ||
	    r->event->offered_version == TLS_VERSION_1_3)
		return false;
	buf_add_u64(out, r->event->offered_version);
	return true;
}

bool
form_offered_array(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL || r->event->offered_version != TLS_VERSION_1_3)
		return false;
	buf_addf(out, "[%u]", r->event->offered_version);
	return true;
}

bool
form_cipher(const struct form_record *r, struct buf *out)
{
	char text[EVENT_CIPHER_TEXT_LEN];

	return r->event != NULL && add_text(out, event_cipher_text(r->event, text));
}

bool
form_cipher_number(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL || !r->event->has_cipher_suite)
		return false;
	buf_add_u64(out, r->event->cipher_suite);
	return true;
}

bool
form_established(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->kind == EVENT_TLS_HANDSHAKE &&
	       add_bool(out, r->event->outcome == OUTCOME_ESTABLISHED);
}

bool
form_resumed(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->resumed != TRI_UNKNOWN &&
	       add_bool(out, r->event->resumed == TRI_TRUE);
}

bool
form_alpn(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_span(out, span_from(r->event->alpn, r->event->alpn_len));
}

bool
form_alpn_array(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL || r->event->alpn_len == 0)
		return false;
	buf_add_char(out, '[');
	json_string(out, span_from(r->event->alpn, r->event->alpn_len));
	buf_add_char(out, ']');
	return true;
}

bool
form_refusal(const struct form_record *r, struct buf *out)
{
	char text[EVENT_REFUSAL_TEXT_LEN];

	return r->event != NULL && add_text(out, event_refusal_text(r->event, text));
}

bool
form_alert(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->refusal == REFUSAL_ALERT && form_refusal(r, out);
}

bool
form_ja3(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->has_ja3 &&
	       add_span(out, span_from(r->event->ja3, EVENT_JA3_LEN));
}

bool
form_ja4(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->has_ja4 &&
	       add_span(out, span_from(r->event->ja4, EVENT_JA4_LEN));
}

bool
form_subject(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_span(out, event_text_span(&r->event->certificate_subject));
}

bool
form_common_name(const struct form_record *r, struct buf *out)
{
	struct buf name = { 0 };
	bool found = r->event != NULL &&
		     common_name_add(event_text_span(&r->event->certificate_subject), &name) &&
		     add_span(out, span_from(name.data, name.len));

	buf_release(&name);
	return found;
}

bool
form_not_after_rfc3339(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->has_certificate_not_after &&
	       add_time(out, r->event->certificate_not_after_us);
}

/* "2027-09-01T00:00:00" */
bool
form_not_after_eve(const struct form_record *r, struct buf *out)
{
	char text[TIMESTAMP_TEXT_LEN], *point;

	if (r->event == NULL || !r->event->has_certificate_not_after)
		return false;
	timestamp_to_text(r->event->certificate_not_after_us, text);
	point = strchr(text, '.');
	if (point != NULL)
		*point = '\0';
	return add_text(out, text);
}

bool
form_not_after_epoch(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && r->event->has_certificate_not_after &&
	       add_epoch(out, r->event->certificate_not_after_us);
}

bool
form_ecs_version(const struct form_record *r, struct buf *out)
{
	(void)r;
	return add_text(out, ECS_VERSION);
}

bool
form_ecs_kind(const struct form_record *r, struct buf *out)
{
	return add_text(out, r->event != NULL ? "event" : "state");
}

bool
form_ecs_category(const struct form_record *r, struct buf *out)
{
	return r->event != NULL && add_raw(out, "[\"network\"]");
}

bool
form_ecs_type(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL)
		return false;
	return add_raw(out, r->event->outcome == OUTCOME_REFUSED
				? "[\"connection\",\"protocol\",\"denied\"]"
				: "[\"connection\",\"protocol\"]");
}

bool
form_ecs_outcome(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL)
		return false;
	switch (r->event->outcome) {
	case OUTCOME_ESTABLISHED:
		return add_text(out, "success");
	case OUTCOME_REFUSED:
		return add_text(out, "failure");
	case OUTCOME_NEGOTIATED:
	case OUTCOME_UNANSWERED:
	case OUTCOME_CLEARTEXT:
		break;
	}
	return add_text(out, "unknown");
}

bool
form_observer_type(const struct form_record *r, struct buf *out)
{
	(void)r;
	return add_text(out, "sensor");
}

/* A cleartext session must not be taken for a handshake. */
bool
form_eve_type(const struct form_record *r, struct buf *out)
{
	bool tls = r->event != NULL && r->event->kind == EVENT_TLS_HANDSHAKE;

	return add_text(out, tls ? "tls" : "tlstally");
}

bool
form_cim_action(const struct form_record *r, struct buf *out)
{
	if (r->event == NULL)
		return false;
	switch (r->event->outcome) {
	case OUTCOME_ESTABLISHED:
	case OUTCOME_CLEARTEXT:
		return add_text(out, "allowed");
	case OUTCOME_REFUSED:
		return add_text(out, "blocked");
	case OUTCOME_NEGOTIATED:
	case OUTCOME_UNANSWERED:
		break;
	}
	return false;
}
