/* How a client came to TLS: at once, or led by words. */
#include "session/session_internal.h"

#include "base/banned.h"

/* Of a side whose beginning was captured: nothing stands before its TLS. */
static bool
begins_with_tls(const struct session_side *side)
{
	return side->tls && side->tls_mark.offset == side->first_mark.offset &&
	       (!side->evidence.lost || side->evidence.lost_begin > side->tls_mark.offset);
}

/* What stood before the ClientHello was not captured, or not all of it. */
static bool
begins_late(const struct session *s)
{
	unsigned client = session_client_dir(s);

	if (s->conn->mid_start[client])
		return true;
	if (!s->side[0].gap && !s->side[1].gap)
		return false;
	/* A server that is led to TLS by words has some of its own, and the first. */
	if (!s->conn->mid_start[1 - client] && begins_with_tls(&s->side[1 - client]))
		return false;
	/* Nothing stands before the client's first byte, wherever else there is a hole. */
	return !begins_with_tls(&s->side[client]);
}

/* The first bytes of the client were not captured; those that were may be the rest of a hello. */
static bool
lacks_first_words(const struct session *s)
{
	unsigned client = session_client_dir(s);
	const struct session_side *side = &s->side[client];

	return s->conn->mid_start[client] ||
	       (side->evidence.lost && side->evidence.lost_begin < side->first_mark.offset);
}

/* All that the client said before its hello is here, and it was no word of a mail protocol. */
static bool
says_hello_first(const struct session *s)
{
	unsigned client = session_client_dir(s);
	const struct session_side *side = &s->side[client];

	return side->tls && !side->words && !s->conn->mid_start[client] &&
	       (!side->gap || begins_with_tls(side));
}

/*
 * A mail dialogue led to the hello, be it one of another protocol than is usual on the port.  A
 * greeting alone does not: TLS at once is answered by one; nor do complaints of a server that reads
 * the hello as commands.
 */
static bool
mail_led_to_tls(const struct session *s)
{
	const struct mail_facts *facts = s->mail != NULL ? &s->mail->facts : NULL;

	if (facts == NULL || says_hello_first(s))
		return false;
	if (facts->starttls_asked || facts->starttls_granted || facts->command_count > 0)
		return true;
	/* Through an HTTP proxy the client is led to TLS at once: RFC 9110, section 9.3.6. */
	return begins_late(s) ? facts->greeting
			      : s->side[session_client_dir(s)].words && !session_is_http(s);
}

/* Another protocol's words: it is the client that asks for TLS in them. */
static bool
preamble_led_to_tls(const struct session *s)
{
	unsigned client = session_client_dir(s);

	return s->side[client].preamble_len > 0 &&
	       (!lacks_first_words(s) || s->side[1 - client].preamble_len > 0);
}

enum tls_mode
session_mode(const struct session *s, const struct service *service)
{
	unsigned server = 1 - session_client_dir(s);

	/* A server that is led to TLS by words has some of its own, and the first. */
	if (lacks_first_words(s) && !s->conn->mid_start[server] &&
	    begins_with_tls(&s->side[server]))
		return TLS_MODE_IMPLICIT;
	if (mail_led_to_tls(s))
		return TLS_MODE_STARTTLS;
	if (service->protocol == PROTOCOL_TLS && preamble_led_to_tls(s))
		return TLS_MODE_STARTTLS;
	/* What is usual on the port is the best guess. */
	if (begins_late(s))
		return service->starttls ? TLS_MODE_STARTTLS : TLS_MODE_IMPLICIT;
	return TLS_MODE_IMPLICIT;
}
