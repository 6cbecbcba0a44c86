/* From handshake messages to the event's fields and the evidence. */
#include <string.h>

#include "session/session_internal.h"
#include "tls/cache.h"
#include "tls/certificate.h"
#include "tls/hello.h"
#include "tls/names.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define SSL2_ERROR_LEN 3

static void
set_fingerprints(struct event *ev, const struct tls_fingerprints *found)
{
	ev->has_ja3 = found->ja3[0] != '\0';
	if (ev->has_ja3)
		memcpy(ev->ja3, found->ja3, EVENT_JA3_LEN);
	ev->has_ja4 = found->ja4[0] != '\0';
	if (ev->has_ja4)
		memcpy(ev->ja4, found->ja4, EVENT_JA4_LEN);
}

/* What the client offers; fingerprints are of whole hellos only, and not of a second one. */
static void
set_offer(struct session *s, const struct tls_client_hello *ch, bool whole)
{
	struct event *ev = &s->event;
	struct tls_fingerprints room;
	const struct tls_fingerprints *found = &room;

	if (whole) {
		found = tls_cache_fingerprints(s->options->cache, ch, &room);
		if (!s->second_hello)
			set_fingerprints(ev, found);
	} else {
		tls_suite_offers_of(ch, &room.offers);
		room.offered_version = tls_client_hello_offered_version(ch);
		room.fallback_scsv = tls_client_hello_offers_suite(ch, TLS_SUITE_FALLBACK_SCSV);
	}
	ev->suites = found->offers.set;
	ev->offers_aead = found->offers.aead;
	ev->offers_ecdhe = found->offers.ecdhe;
	ev->offered_version = found->offered_version;
	if (found->fallback_scsv)
		ev->fallback_scsv = TRI_TRUE;
	else if (ch->cipher_suites_whole)
		ev->fallback_scsv = TRI_FALSE;
}

/*
 * The first hello was not captured: a HelloRetryRequest came in answer to it.  RFC 8446, section
 * 4.2.2 and appendix D.4: this one has its cookie, or stands behind a ChangeCipherSpec.
 */
static void
note_second_hello(struct session *s, unsigned dir, const struct tls_client_hello *ch)
{
	s->second_hello = ch->has_cookie || s->side[dir].evidence.ccs;
	if (!s->second_hello)
		return;
	s->event.hello_retry = TRI_TRUE;
	s->side[1 - dir].evidence.hello_retry = true;
}

static void
take_client_hello(struct session *s, unsigned dir, const struct tls_client_hello *ch, bool whole,
    const struct mark *mark)
{
	struct evidence_side *evidence = &s->side[dir].evidence;
	struct event *ev = &s->event;

	/* A second one answers a HelloRetryRequest: the first one is the client's offer. */
	if (evidence->hello || (s->client >= 0 && s->client != (int8_t)dir))
		return;
	s->client = (int8_t)dir;
	s->client_hello_seen = true;
	evidence->hello = true;
	evidence->hello_mark = *mark;
	evidence->early_data = ch->has_early_data;
	if (evidence->lost)
		session_note_hole_before_hello(s, dir);
	ev->timestamp_us = mark->time_us;
	note_second_hello(s, dir, ch);
	set_offer(s, ch, whole);
	if (ch->server_name.data != NULL && ch->server_name.len > 0) {
		event_text_set(&ev->server_name, ch->server_name);
		ev->server_name_source = NAME_SOURCE_SNI;
	}
	s->offers_session_id = ch->session_id.len > 0 && ch->session_id.len <= 32;
	if (s->offers_session_id) {
		s->session_id_len = (uint8_t)ch->session_id.len;
		memcpy(s->session_id, ch->session_id.data, ch->session_id.len);
	}
}

static bool
echoes_session_id(const struct session *s, const struct tls_server_hello *sh)
{
	return s->offers_session_id &&
	       span_equals(sh->session_id, span_from(s->session_id, s->session_id_len));
}

static void
set_resumed(struct session *s, const struct tls_server_hello *sh, uint16_t version)
{
	struct event *ev = &s->event;

	if (sh->hello_retry_request || version == 0)
		return;
	if (version == TLS_VERSION_1_3) {
		/* RFC 8446, section 2.2: the server takes up a pre-shared key. */
		if (sh->has_pre_shared_key)
			ev->resumed = TRI_TRUE;
		else if (sh->extensions_whole)
			ev->resumed = TRI_FALSE;
	} else if (version == TLS_VERSION_SSL2) {
		ev->resumed = sh->sslv2_session_id_hit ? TRI_TRUE : TRI_FALSE;
	} else if (echoes_session_id(s, sh)) {
		/* RFC 5246, section 7.4.1.3; with a ticket too: RFC 5077, section 3.4. */
		ev->resumed = TRI_TRUE;
	}
}

static void
take_server_hello(
    struct session *s, unsigned dir, const struct tls_server_hello *sh, const struct mark *mark)
{
	struct evidence_side *evidence = &s->side[dir].evidence;
	struct event *ev = &s->event;
	uint16_t version = tls_server_hello_version(sh);

	if (evidence->hello || s->client == (int8_t)dir)
		return;
	if (s->client < 0)
		s->client = (int8_t)(1 - dir);
	if (version != 0)
		ev->tls_version = version;
	if (sh->has_cipher_suite) {
		ev->has_cipher_suite = true;
		ev->cipher_suite = sh->cipher_suite;
	}
	if (sh->hello_retry_request) {
		evidence->hello_retry = true;
		ev->hello_retry = TRI_TRUE;
		return;
	}
	evidence->hello = true;
	evidence->hello_mark = *mark;
	if (evidence->lost)
		session_note_hole_before_hello(s, dir);
	/* RFC 8446, appendix D.4: a ChangeCipherSpec in front of it stands behind another one. */
	if (ev->hello_retry == TRI_UNKNOWN && sh->random.len == TLS_RANDOM_LEN &&
	    !(evidence->ccs && version >= TLS_VERSION_1_3))
		ev->hello_retry = TRI_FALSE;
	if (sh->has_alpn && sh->alpn.len > 0) {
		ev->alpn_len =
		    (uint8_t)(sh->alpn.len < EVENT_ALPN_MAX ? sh->alpn.len : EVENT_ALPN_MAX);
		memcpy(ev->alpn, sh->alpn.data, ev->alpn_len);
	}
	ev->downgrade_sentinel = tls_server_hello_downgrade_sentinel(sh);
	set_resumed(s, sh, version);
}

static void
take_leaf(struct session *s, struct span der)
{
	struct tls_certificate room;
	const struct tls_certificate *leaf = tls_cache_certificate(s->options->cache, der, &room);

	if (leaf == NULL) {
		s->options->counters->bad_certificate++;
		return;
	}
	event_text_set(&s->event.certificate_subject, span_from_text(leaf->subject));
	/* SNI outranks it, whichever comes first. */
	if (leaf->dns_name[0] != '\0' && s->event.server_name.len == 0) {
		event_text_set(&s->event.server_name, span_from_text(leaf->dns_name));
		s->event.server_name_source = NAME_SOURCE_CERTIFICATE;
	}
	s->event.has_certificate_not_after = leaf->has_not_after;
	s->event.certificate_not_after_us = leaf->not_after_us;
}

static void
on_message(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	struct session_record_arg *a = arg;
	struct tls_client_hello ch;
	struct tls_server_hello sh;
	struct span der;
	enum parse parsed;

	a->s->evidence_changed = true;
	switch (type) {
	case TLS_HANDSHAKE_CLIENT_HELLO:
		parsed = tls_client_hello_parse(body, whole, &ch);
		/*
		 * A hello that ends before its suites is none, unless the capture cut them off.  An
		 * empty list is for the server to refuse.
		 */
		if (ch.has_legacy_version &&
		    (ch.cipher_suites_whole || ch.cipher_suites.len > 0 || !whole))
			take_client_hello(a->s, a->dir, &ch, parsed == PARSE_DONE && whole, mark);
		return;
	case TLS_HANDSHAKE_SERVER_HELLO:
		parsed = tls_server_hello_parse(body, whole, &sh);
		if (sh.has_legacy_version && (parsed != PARSE_BAD || sh.has_cipher_suite))
			take_server_hello(a->s, a->dir, &sh, mark);
		return;
	case TLS_HANDSHAKE_HELLO_RETRY_REQUEST:
		parsed = tls_hello_retry_request_parse(body, whole, &sh);
		if (parsed != PARSE_BAD && sh.has_legacy_version)
			take_server_hello(a->s, a->dir, &sh, mark);
		return;
	case TLS_HANDSHAKE_CERTIFICATE:
		if (session_client_dir(a->s) != a->dir && tls_certificate_message_leaf(body, &der))
			take_leaf(a->s, der);
		return;
	default:
		return;
	}
}

/* Without a ClientHello the event begins with the first TLS record of either side. */
static __attribute__((noinline)) void
note_time(struct session *s, const struct mark *mark)
{
	int64_t *time_us = &s->event.timestamp_us;

	if (!s->has_time || mark->time_us < *time_us)
		*time_us = mark->time_us;
	s->has_time = true;
}

/* draft-hickman-netscape-ssl-00: CLIENT-HELLO is 1, SERVER-HELLO is 4. */
static void
on_sslv2_hello(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	struct session_record_arg *a = arg;
	struct tls_client_hello ch;
	struct tls_server_hello sh;

	/* Nothing else tells of that record: see on_seen. */
	if (!a->s->client_hello_seen)
		note_time(a->s, mark);
	a->s->evidence_changed = true;
	if (type == 1) {
		if (tls_sslv2_client_hello_parse(body, &ch) != PARSE_BAD)
			take_client_hello(a->s, a->dir, &ch, whole, mark);
	} else if (type == 4) {
		if (tls_sslv2_server_hello_parse(body, &sh) != PARSE_BAD) {
			take_server_hello(a->s, a->dir, &sh, mark);
			if (whole && sh.sslv2_certificate.len > 0)
				take_leaf(a->s, sh.sslv2_certificate);
		}
	}
}

/* A handshake message of the server that only a full handshake has (RFC 5246, section 7.3). */
static bool
is_full_handshake(uint16_t type)
{
	return type == TLS_HANDSHAKE_CERTIFICATE || type == TLS_HANDSHAKE_SERVER_KEY_EXCHANGE ||
	       type == TLS_HANDSHAKE_CERTIFICATE_REQUEST || type == TLS_HANDSHAKE_SERVER_HELLO_DONE;
}

/* A warning behind which its sender goes on was survived. */
static void
survive_warning(struct evidence_side *evidence)
{
	if (evidence->warning)
		evidence->alert = evidence->warning = false;
}

static void
seen_handshake(struct session *s, unsigned dir, uint16_t type)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	survive_warning(evidence);
	if (type == TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE || type == TLS_HANDSHAKE_CERTIFICATE_VERIFY ||
	    type == TLS_HANDSHAKE_CERTIFICATE)
		evidence->goes_on = true;
	if (evidence->hello && s->client != (int8_t)dir && is_full_handshake(type)) {
		s->server_key_exchange = true;
		s->event.resumed = TRI_FALSE;
	}
}

static void
seen_ccs(struct session *s, unsigned dir)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	survive_warning(evidence);
	evidence->ccs = true;
	/* RFC 8446, appendix D.4: with early data it comes before any answer. */
	evidence->goes_on = evidence->goes_on || !evidence->early_data;
	/* RFC 5077, section 3.1: right behind the ServerHello it takes up an old session. */
	if (evidence->hello && s->client != (int8_t)dir && !s->server_key_exchange &&
	    s->event.resumed == TRI_UNKNOWN && s->event.tls_version != 0 &&
	    s->event.tls_version < TLS_VERSION_1_3 && !s->side[dir].gap)
		s->event.resumed = TRI_TRUE;
}

/* An alert whose level nobody can read, or which has none: it ends the handshake. */
static void
seen_final_alert(struct evidence_side *evidence, enum refusal_kind kind, uint8_t description,
    const struct mark *mark)
{
	if (evidence->alert && !evidence->warning)
		return;
	evidence->alert = true;
	evidence->warning = false;
	evidence->alert_kind = (uint8_t)kind;
	evidence->alert_description = description;
	evidence->alert_mark = *mark;
}

/* A record that may be the client's Finished, or what shows that it went by. */
static inline void
note_ciphertext(struct session *s, unsigned dir)
{
	/* Of the server's records alerts alone are decisive. */
	s->maybe_decisive = s->maybe_decisive || s->client != (int8_t)(1 - dir);
}

static inline void
seen_ciphertext(struct evidence_side *evidence, uint32_t len, const struct mark *mark)
{
	if (evidence->ccs && !evidence->ciphertext) {
		evidence->ciphertext = true;
		evidence->ciphertext_mark = *mark;
		evidence->ciphertext_len = len;
	}
	evidence->goes_on = evidence->goes_on || !evidence->early_data;
}

static void
seen_encrypted_handshake(struct session *s, unsigned dir, uint32_t len, const struct mark *mark)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	note_ciphertext(s, dir);
	seen_ciphertext(evidence, len, mark);
	/* RFC 5246, section 7.4.9; in 1.3 it looks like application data. */
	evidence->finished = evidence->finished || evidence->ccs;
}

static void
seen_application_data(struct session *s, unsigned dir, uint32_t len, const struct mark *mark)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	note_ciphertext(s, dir);
	/* What a hole swallowed went by all the same: RFC 5246, section 7.1. */
	evidence->ccs = evidence->ccs || s->side[dir].gap;
	seen_ciphertext(evidence, len, mark);
	evidence_add_record(evidence, len, mark);
}

/* Three bytes are an ERROR message: nothing that is enciphered is so short. */
static void
seen_ssl2_record(struct session *s, unsigned dir, uint32_t len)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	note_ciphertext(s, dir);
	if (len > SSL2_ERROR_LEN && evidence->ssl2_records < UINT8_MAX)
		evidence->ssl2_records++;
	evidence->goes_on = evidence->goes_on || len > SSL2_ERROR_LEN;
}

static __attribute__((noinline)) void
seen_alert(
    struct session *s, unsigned dir, enum tls_seen what, uint16_t value, const struct mark *mark)
{
	struct evidence_side *evidence = &s->side[dir].evidence;

	s->maybe_decisive = true;
	if (what == TLS_SEEN_ALERT) {
		evidence_add_alert(evidence, (uint8_t)(value >> 8), (uint8_t)value, mark);
	} else if (what == TLS_SEEN_ENCRYPTED_ALERT) {
		seen_final_alert(evidence, REFUSAL_ENCRYPTED_ALERT, 0, mark);
		evidence->goes_on = evidence->goes_on || !evidence->early_data;
	} else {
		seen_final_alert(evidence, REFUSAL_SSLV2_ERROR, (uint8_t)value, mark);
	}
}

static void
on_seen(void *arg, enum tls_seen what, uint16_t value, uint32_t len, const struct mark *mark)
{
	struct session_record_arg *a = arg;
	struct session *s = a->s;

	if (!s->client_hello_seen)
		note_time(s, mark);
	s->evidence_changed = true;
	switch (what) {
	case TLS_SEEN_HANDSHAKE:
		seen_handshake(s, a->dir, value);
		return;
	case TLS_SEEN_CCS:
		seen_ccs(s, a->dir);
		return;
	case TLS_SEEN_ALERT:
	case TLS_SEEN_ENCRYPTED_ALERT:
	case TLS_SEEN_SSL2_ERROR:
		seen_alert(s, a->dir, what, value, mark);
		return;
	case TLS_SEEN_ENCRYPTED_HANDSHAKE:
		seen_encrypted_handshake(s, a->dir, len, mark);
		return;
	case TLS_SEEN_APPLICATION_DATA:
		seen_application_data(s, a->dir, len, mark);
		return;
	case TLS_SEEN_SSL2_RECORD:
		seen_ssl2_record(s, a->dir, len);
		return;
	}
}

const struct tls_record_sink session_record_sink = {
	.seen = on_seen,
	.message = on_message,
	.sslv2_hello = on_sslv2_hello,
};
