#include "handshake_internal.h"
#include "wire.h"

#include "base/banned.h"

enum alert {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_PROTOCOL_VERSION = 70,
};

static const struct {
	enum fate fate;
	uint32_t per_mille;
} fates[] = {
	{ FATE_SILENCE, 6 },
	{ FATE_SILENCE_CLOSED, 4 },
	{ FATE_SERVER_RESET, 10 },
	{ FATE_SERVER_CLOSE, 5 },
	{ FATE_SERVER_CLOSE_ALERT, 3 },
	{ FATE_SERVER_ALERT_RESET, 5 },
	{ FATE_CUT, 10 },
	{ FATE_CLIENT_RESET, 5 },
	{ FATE_CLIENT_ALERT, 24 },
	{ FATE_CLIENT_PROTECTED, 5 },
	{ FATE_NONE, 1000 },
};

enum fate
refusal_draw(struct dice *dice)
{
	uint32_t drawn = dice_below(dice, 1000);
	size_t i = 0;

	while (drawn >= fates[i].per_mille)
		drawn -= fates[i++].per_mille;
	return fates[i].fate;
}

static void
refuse(struct writing *w, const char *by, const char *how)
{
	w->c->truth.outcome = "refused";
	w->c->truth.refused_by = by;
	w->c->truth.refusal = how;
}

static const char *
alert_name(enum alert alert)
{
	switch (alert) {
	case ALERT_HANDSHAKE_FAILURE:
		return "handshake_failure";
	case ALERT_BAD_CERTIFICATE:
		return "bad_certificate";
	case ALERT_CERTIFICATE_UNKNOWN:
		return "certificate_unknown";
	case ALERT_UNKNOWN_CA:
		return "unknown_ca";
	case ALERT_PROTOCOL_VERSION:
		return "protocol_version";
	}
	return NULL;
}

static void
send_alert(struct writing *w, enum side side, enum alert alert, unsigned version)
{
	size_t record = record_open(&w->flight, RECORD_ALERT, version);

	wire_u8(&w->flight, 2); /* fatal */
	wire_u8(&w->flight, alert);
	wire_close_u16(&w->flight, record);
	handshake_send(w, side);
}

static void
refuse_by_alert(struct writing *w, enum side side, enum alert alert, unsigned version)
{
	send_alert(w, side, alert, version);
	refuse(w, side == CLIENT ? "client" : "server", alert_name(alert));
	conversation_close(w->c, side);
}

bool
refusal_by_server(struct writing *w)
{
	unsigned version = w->plan->kind->legacy_version;

	if (w->fate == FATE_SERVER_RESET) {
		conversation_reset(w->c, SERVER);
		refuse(w, "server", "reset");
	} else if (w->fate == FATE_SERVER_CLOSE) {
		conversation_finish(w->c, SERVER);
		refuse(w, "server", "close");
	} else if (w->fate == FATE_SERVER_CLOSE_ALERT) {
		conversation_fin(w->c, SERVER);
		send_alert(w, CLIENT, ALERT_HANDSHAKE_FAILURE, version);
		conversation_fin(w->c, CLIENT);
		refuse(w, "server", "close");
	} else if (w->fate == FATE_SERVER_ALERT_RESET) {
		send_alert(w, SERVER, ALERT_HANDSHAKE_FAILURE, version);
		conversation_reset(w->c, SERVER);
		refuse(w, "server", "handshake_failure");
	} else if (w->hello.version == 0) {
		refuse_by_alert(w, SERVER, ALERT_PROTOCOL_VERSION, version);
	} else if (w->hello.suite == 0) {
		refuse_by_alert(w, SERVER, ALERT_HANDSHAKE_FAILURE, version);
	} else {
		return false;
	}
	return true;
}

bool
refusal_by_client(struct writing *w)
{
	static const enum alert alerts[] = { ALERT_UNKNOWN_CA, ALERT_BAD_CERTIFICATE,
		ALERT_CERTIFICATE_UNKNOWN };
	const struct client_kind *kind = w->plan->kind;
	bool knows_new_only = (kind->has & HELLO_TLS_1_3) && !(kind->has & HELLO_OLD_VERSIONS);

	if (w->fate == FATE_CUT) {
		w->c->truth.outcome = "negotiated";
		return true;
	}
	conversation_ack(w->c, CLIENT, dice_between(w->dice, 60, 400));
	if (w->fate == FATE_CLIENT_RESET) {
		conversation_reset(w->c, CLIENT);
		refuse(w, "client", "reset");
	} else if (w->hello.version < TLS_1_2 && knows_new_only) {
		/* The server did not look at supported_versions. */
		refuse_by_alert(w, CLIENT, ALERT_PROTOCOL_VERSION, w->record_version);
	} else if (w->fate == FATE_CLIENT_ALERT && !w->hello.is_resumed) {
		refuse_by_alert(w, CLIENT, alerts[dice_below(w->dice, 3)], w->record_version);
	} else if (w->fate == FATE_CLIENT_PROTECTED && w->hello.version == TLS_1_3) {
		if (!w->hello.has_retry)
			record_change_cipher_spec(&w->flight, TLS_1_2);
		record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2, 2 + INNER_LEN);
		handshake_send(w, CLIENT);
		refuse(w, "client", NULL);
		conversation_close(w->c, CLIENT);
	} else {
		return false;
	}
	return true;
}
