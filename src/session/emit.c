/* What is known of a session becomes its event. */
#include <string.h>

#include "session/session_internal.h"
#include "tls/names.h"

#include "base/banned.h"

static bool
is_service(const struct session *s, unsigned dir)
{
	return service_set_has(s->options->services, s->conn->port[dir]);
}

unsigned
session_client_dir(const struct session *s)
{
	if (s->client >= 0)
		return (unsigned)s->client;
	if (s->conn->opener >= 0)
		return (unsigned)s->conn->opener;
	if (s->mail_client >= 0)
		return (unsigned)s->mail_client;
	return is_service(s, 0) && !is_service(s, 1) ? 1 : 0;
}

struct service
session_service(const struct session *s, unsigned client)
{
	struct service service = service_set_find(s->options->services, s->conn->port[1 - client]);

	/* The service may stand on the side of the one who sent the ClientHello. */
	if (service.protocol == PROTOCOL_NONE)
		service = service_set_find(s->options->services, s->conn->port[client]);
	return service;
}

static void
set_endpoints(const struct session *s, struct event *ev)
{
	const struct connection *conn = s->conn;
	unsigned client = session_client_dir(s);

	ev->client_ip = conn->addr[client];
	ev->client_port = conn->port[client];
	ev->server_ip = conn->addr[1 - client];
	ev->server_port = conn->port[1 - client];
	ev->source = conn->source;
	ev->vlan = connection_vlan(conn, client);
	ev->has_client_mac = (conn->mac_dirs & 1u << client) != 0;
	memcpy(ev->client_mac, conn->mac[client], 6);
}

static void
set_client_name(const struct session *s, struct event *ev)
{
	const struct mail_facts *facts;

	if (s->mail == NULL)
		return;
	facts = &s->mail->facts;
	switch ((enum mail_name_source)facts->client_name_source) {
	case MAIL_NAME_NONE:
		return;
	case MAIL_NAME_EHLO:
		ev->client_name_source = NAME_SOURCE_EHLO;
		break;
	case MAIL_NAME_IMAP_ID:
		ev->client_name_source = NAME_SOURCE_IMAP_ID;
		break;
	}
	event_text_set(&ev->client_name, span_from(s->mail->client_name, facts->client_name_len));
}

static void
set_limited_by(const struct session *s, struct event *ev)
{
	ev->limited_by = SIDE_NONE;
	if (ev->tls_version == 0 || ev->offered_version == 0 ||
	    tls_version_compare(ev->tls_version, s->options->minimum) >= 0)
		return;
	ev->limited_by = tls_version_compare(ev->offered_version, ev->tls_version) > 0
			     ? SIDE_SERVER
			     : SIDE_CLIENT;
}

/* A FIN that was not captured matters where nothing else tells how the handshake went. */
static bool
lacks_end(const struct session *s)
{
	return (s->side[0].lacks_fin || s->side[1].lacks_fin) &&
	       (s->event.outcome == OUTCOME_NEGOTIATED || s->event.outcome == OUTCOME_UNANSWERED);
}

static void
emit(struct session *s, int64_t time_us)
{
	struct event *ev = &s->event;
	unsigned client = session_client_dir(s);
	struct service service = session_service(s, client);

	set_endpoints(s, ev);
	ev->settled_us = time_us;
	ev->protocol = service.protocol;
	if (s->mail != NULL && !s->mail->guessed)
		ev->protocol = (enum protocol)s->mail->protocol;
	set_client_name(s, ev);
	if (ev->kind == EVENT_TLS_HANDSHAKE) {
		ev->tls_mode = session_mode(s, &service);
		set_limited_by(s, ev);
		session_doubt_first_hello(s, client);
		/* What was not captured matters: the other direction, or a hello of it. */
		ev->capture_gap = s->side[0].gap || s->side[1].gap || !s->conn->seen[0] ||
				  !s->conn->seen[1] || !s->side[client].evidence.hello ||
				  s->second_hello || lacks_end(s);
	} else {
		ev->capture_gap =
		    s->side[0].gap || s->side[1].gap || !s->conn->seen[0] || !s->conn->seen[1];
	}
	if (!network_set_contains(s->options->internal, &ev->client_ip)) {
		s->options->counters->external_client++;
		return;
	}
	s->options->counters->events++;
	if (ev->kind == EVENT_TLS_HANDSHAKE)
		session_count_login(s);
	s->emitted = true;
	s->options->event(s->options->arg, ev);
}

void
session_count_login(const struct session *s)
{
	const struct addr *client = &s->conn->addr[session_client_dir(s)];

	if (s->mail != NULL && s->mail->facts.login &&
	    network_set_contains(s->options->internal, client))
		s->options->counters->login_before_tls++;
}

void
session_emit_tls(struct session *s, const struct evidence_outcome *result, int64_t time_us)
{
	s->event.kind = EVENT_TLS_HANDSHAKE;
	s->event.outcome = result->outcome;
	s->event.refused_by = result->refused_by;
	s->event.refusal = result->refusal;
	s->event.refusal_alert = result->refusal_alert;
	emit(s, time_us);
}

static void
emit_logins(struct session *s)
{
	const struct mail_facts *facts = &s->mail->facts;
	struct event_ending *ending = &s->event.ending;

	_Static_assert(
	    sizeof(ending->failed_names) == sizeof(s->mail->failed_names), "all of them");
	if (!s->emitted || s->options->ending == NULL ||
	    (facts->failed_logins == 0 && facts->accepted_logins == 0))
		return;
	s->event.kind = EVENT_SESSION_END;
	*ending = (struct event_ending){
		.failed_logins = facts->failed_logins,
		.accepted_logins = facts->accepted_logins,
		.failed_name_count = facts->failed_name_count,
	};
	memcpy(ending->failed_names, s->mail->failed_names,
	    facts->failed_name_count * sizeof(ending->failed_names[0]));
	s->options->ending(s->options->arg, &s->event);
}

void
session_emit_cleartext(struct session *s, int64_t time_us)
{
	struct event *ev = &s->event;
	const struct session_side *a = &s->side[0], *b = &s->side[1];

	session_begin_event(s);
	ev->kind = EVENT_CLEARTEXT_SESSION;
	ev->tls_mode = TLS_MODE_NONE;
	ev->outcome = OUTCOME_CLEARTEXT;
	ev->fallback_scsv = TRI_FALSE;
	ev->login = s->mail->facts.login;
	ev->timestamp_us =
	    !s->spoke[1] || (s->spoke[0] && a->first_mark.time_us <= b->first_mark.time_us)
		? a->first_mark.time_us
		: b->first_mark.time_us;
	emit(s, time_us);
	emit_logins(s);
}

const struct event *
session_event(const struct session *s)
{
	return s->emitted ? &s->event : NULL;
}
