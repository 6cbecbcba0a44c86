#include "event/event.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/short_copy.h"
#include "tls/names.h"

#include "base/banned.h"

void
event_init(struct event *ev)
{
	memset(ev, 0, offsetof(struct event, server_name));
	ev->vlan = -1;
	ev->server_name.len = ev->client_name.len = ev->certificate_subject.len = 0;
}

const char *
outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_ESTABLISHED] = "established",
		[OUTCOME_NEGOTIATED] = "negotiated",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_UNANSWERED] = "unanswered",
		[OUTCOME_CLEARTEXT] = "cleartext",
	};

	return names[outcome];
}

const char *
tls_mode_name(enum tls_mode mode)
{
	static const char *const names[] = {
		[TLS_MODE_NONE] = "none",
		[TLS_MODE_IMPLICIT] = "implicit",
		[TLS_MODE_STARTTLS] = "starttls",
	};

	return names[mode];
}

const char *
event_side_name(enum event_side side)
{
	static const char *const names[] = {
		[SIDE_NONE] = NULL,
		[SIDE_CLIENT] = "client",
		[SIDE_SERVER] = "server",
	};

	return names[side];
}

const char *
name_source_name(enum name_source source)
{
	static const char *const names[] = {
		[NAME_SOURCE_NONE] = NULL,
		[NAME_SOURCE_SNI] = "sni",
		[NAME_SOURCE_DNS] = "dns",
		[NAME_SOURCE_CERTIFICATE] = "certificate",
		[NAME_SOURCE_RANGE] = "range",
		[NAME_SOURCE_EHLO] = "ehlo",
		[NAME_SOURCE_IMAP_ID] = "imap-id",
		[NAME_SOURCE_DHCP] = "dhcp",
		[NAME_SOURCE_MDNS] = "mdns",
		[NAME_SOURCE_NBNS] = "nbns",
		[NAME_SOURCE_LIST] = "names-file",
		[NAME_SOURCE_REVERSE_DNS] = "reverse-dns",
	};

	return names[source];
}

/* draft-hickman-netscape-ssl-00, section 2.7: the ERROR message's codes. */
static const char *
sslv2_error_name(uint8_t code)
{
	switch (code) {
	case 1:
		return "sslv2_no_cipher";
	case 2:
		return "sslv2_no_certificate";
	case 4:
		return "sslv2_bad_certificate";
	case 6:
		return "sslv2_unsupported_certificate_type";
	default:
		return NULL;
	}
}

const char *
event_refusal_text(const struct event *ev, char out[EVENT_REFUSAL_TEXT_LEN])
{
	const char *name = NULL;

	switch (ev->refusal) {
	case REFUSAL_NONE:
		return NULL;
	case REFUSAL_ENCRYPTED_ALERT:
		return "encrypted_alert";
	case REFUSAL_RESET:
		return "reset";
	case REFUSAL_CLOSE:
		return "close";
	case REFUSAL_ALERT:
		name = tls_alert_name(ev->refusal_alert);
		break;
	case REFUSAL_SSLV2_ERROR:
		name = sslv2_error_name(ev->refusal_alert);
		break;
	}
	if (name != NULL)
		return name;
	(void)snprintf(out, EVENT_REFUSAL_TEXT_LEN, "%s_%u",
	    ev->refusal == REFUSAL_ALERT ? "alert" : "sslv2_error", ev->refusal_alert);
	return out;
}

const char *
event_cipher_text(const struct event *ev, char out[EVENT_CIPHER_TEXT_LEN])
{
	const char *name;

	if (!ev->has_cipher_suite)
		return NULL;
	if (ev->tls_version == TLS_VERSION_SSL2)
		name = tls_sslv2_cipher_name(ev->cipher_suite);
	else
		name = tls_cipher_suite_name((uint16_t)ev->cipher_suite);
	if (name != NULL)
		return name;
	(void)snprintf(out, EVENT_CIPHER_TEXT_LEN, "0x%0*x",
	    ev->tls_version == TLS_VERSION_SSL2 ? 6 : 4, ev->cipher_suite);
	return out;
}

void
event_text_set(struct event_text *text, struct span value)
{
	text->len = (uint16_t)(value.len < EVENT_NAME_MAX ? value.len : EVENT_NAME_MAX);
	short_copy(text->data, value.data, text->len);
}

struct span
event_text_span(const struct event_text *text)
{
	return text->len > 0 ? span_from(text->data, text->len) : (struct span){ 0 };
}

static int
compare_i64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

int
event_compare(const struct event *a, const struct event *b)
{
	int order;

	if ((order = compare_i64(a->settled_us, b->settled_us)) != 0 ||
	    (order = compare_i64(a->timestamp_us, b->timestamp_us)) != 0 ||
	    (order = addr_compare(&a->client_ip, &b->client_ip)) != 0 ||
	    (order = compare_i64(a->client_port, b->client_port)) != 0 ||
	    (order = addr_compare(&a->server_ip, &b->server_ip)) != 0 ||
	    (order = compare_i64(a->server_port, b->server_port)) != 0)
		return order;
	return compare_i64(a->kind, b->kind);
}
