#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "policy/policy_internal.h"
#include "policy/printable.h"
#include "tls/names.h"

#include "base/banned.h"

/* Of a server's name in a sentence; the inventory has it whole. */
#define SERVER_TEXT_MAX 80
#define DATE_LEN 10

static void
add_server(struct buf *out, const struct grounds *ev)
{
	const struct finding *f = ev->lead;

	printable_add_server(
	    out, event_text_span(&f->key.server), f->key.server_port, SERVER_TEXT_MAX);
	reason_add_service_of_address(out, ev->policy, f);
}

void
reason_add_number_of(struct buf *out, uint64_t count, const char *one, const char *many)
{
	buf_add_u64(out, count);
	buf_add_char(out, ' ');
	buf_add_text(out, count == 1 ? one : many);
}

/* "2026-11-19 22:14", of a whole timestamp. */
static void
add_date_and_minute(struct buf *out, const char text[TIMESTAMP_TEXT_LEN])
{
	buf_add(out, text, DATE_LEN);
	buf_add_char(out, ' ');
	buf_add(out, text + DATE_LEN + 1, 5);
}

/* "2026-11-19 22:14 UTC" */
static void
add_minute(struct buf *out, int64_t time_us)
{
	char text[TIMESTAMP_TEXT_LEN];

	timestamp_to_text(time_us, text);
	add_date_and_minute(out, text);
	buf_add_text(out, " UTC");
}

void
reason_add_since(struct buf *out, const struct grounds *ev)
{
	char first[TIMESTAMP_TEXT_LEN], last[TIMESTAMP_TEXT_LEN];

	if (ev->count == 1) {
		buf_add_text(out, " on ");
		add_minute(out, ev->last_us);
		return;
	}
	timestamp_to_text(ev->first_us, first);
	timestamp_to_text(ev->last_us, last);
	buf_add_text(out, " since ");
	/* All on one day: the date alone would say nothing. */
	if (strncmp(first, last, DATE_LEN) == 0)
		add_date_and_minute(out, first);
	else
		buf_add(out, first, DATE_LEN);
}

void
reason_add_last(struct buf *out, const struct grounds *ev)
{
	if (ev->count == 1)
		return;
	buf_add_text(out, ", last ");
	add_minute(out, ev->last_us);
}

/* " with alert protocol_version", " by a reset": how the refusal showed itself. */
static void
add_how(struct buf *out, const struct grounds *ev)
{
	char room[EVENT_REFUSAL_TEXT_LEN];
	struct event event = {
		.refusal = ev->lead->key.refusal,
		.refusal_alert = ev->lead->key.refusal_alert,
	};
	const char *name = event_refusal_text(&event, room);

	buf_add_text(out, ev->several_refusals ? ", the latest" : "");
	switch (ev->lead->key.refusal) {
	case REFUSAL_NONE:
		/* Below TLS 1.3 an alert shows; so what stood before the end was not captured. */
		buf_add_text(out, ev->lead->key.tls_version == TLS_VERSION_1_3
				      ? " in a way that is encrypted"
				      : " in a way that was not seen");
		break;
	case REFUSAL_ALERT:
		buf_add_text(out, strncmp(name, "alert_", 6) == 0 ? " with " : " with alert ");
		buf_add_text(out, name);
		break;
	case REFUSAL_ENCRYPTED_ALERT:
		buf_add_text(out, " with an encrypted alert");
		break;
	case REFUSAL_RESET:
		buf_add_text(out, " by a reset");
		break;
	case REFUSAL_CLOSE:
		buf_add_text(out, " by closing the connection");
		break;
	case REFUSAL_SSLV2_ERROR:
		buf_addf(out, " with SSLv2 error %s", name);
		break;
	}
}

/* RFC 8446, section 6.2: the alerts that are about a certificate. */
static bool
rejects_certificate(const struct finding *f)
{
	return f->key.refused_by == SIDE_CLIENT && f->key.refusal == REFUSAL_ALERT &&
	       ((f->key.refusal_alert >= 42 && f->key.refusal_alert <= 46) ||
		   f->key.refusal_alert == 48);
}

/* "mail.example.com:993 refused 212 of 212 tries since ... with ..., last ..." */
static void
add_refusal(struct buf *out, const struct grounds *ev)
{
	bool by_client = ev->lead->key.refused_by == SIDE_CLIENT;

	if (by_client)
		buf_add_text(out, "the client itself broke off ");
	else {
		add_server(out, ev);
		buf_add_text(out, " refused ");
	}
	buf_add_u64(out, ev->count);
	buf_add_text(out, " of ");
	reason_add_number_of(out, ev->try_count, "try", "tries");
	if (by_client) {
		buf_add_text(out, " with ");
		add_server(out, ev);
	}
	reason_add_since(out, ev);
	add_how(out, ev);
	reason_add_last(out, ev);
	if (ev->lead->key.tls_version != 0) {
		buf_add_text(
		    out, by_client ? ", after the server had chosen " : ", having chosen ");
		tls_version_add_words(out, ev->lead->key.tls_version);
	}
}

static void
add_broken(struct buf *out, const struct grounds *ev)
{
	buf_add_text(out, "offers at most ");
	tls_version_add_words(out, ev->lead->key.offered_version);
	buf_add_text(out, "; ");
	add_refusal(out, ev);
	if (rejects_certificate(ev->lead))
		buf_add_text(out,
		    "; the client has to change: it rejects the certificate, so a newer "
		    "version alone will not mend it");
	else if (ev->scsv_count == ev->count)
		buf_add_text(out, "; the client marks these tries as a fallback "
				  "(TLS_FALLBACK_SCSV), so a better offer has failed before");
	else
		buf_add_text(out, "; the client has to change");
}

/* Who has to change, unless that has happened already. */
static void
add_remedy(struct buf *out, const struct grounds *ev, const char *remedy)
{
	char date[TIMESTAMP_TEXT_LEN];

	if (!ev->better_since) {
		buf_add_text(out, remedy);
		return;
	}
	buf_add_text(out, "; since then it negotiates ");
	tls_version_add_words(out, ev->better->key.tls_version);
	buf_add_text(out, " there");
	if (ev->better->key.server_port != ev->lead->key.server_port)
		buf_addf(out, " on port %u", ev->better->key.server_port);
	buf_addf(out, ", last on %s", timestamp_to_date(ev->better->last_us, date));
}

static void
add_unseen_end(struct buf *out, const struct grounds *ev)
{
	if (ev->unseen_count == 0)
		return;
	if (ev->unseen_count == ev->count)
		buf_add_text(out, ev->count == 1 ? "; how it ended was not seen"
						 : "; how they ended was not seen");
	else
		buf_addf(out, "; how %" PRIu64 " of them ended was not seen", ev->unseen_count);
}

/* A client that falls back offers more at first: the offer of this finding is not all it can do. */
static void
add_fallbacks(struct buf *out, const struct grounds *ev)
{
	if (ev->fallback_count == 0)
		return;
	if (ev->fallback_count == ev->count)
		buf_add_text(out, ev->count == 1 ? "; it is a fallback" : "; all are fallbacks");
	else
		buf_addf(out, "; %" PRIu64 " of them %s", ev->fallback_count,
		    ev->fallback_count == 1 ? "is a fallback" : "are fallbacks");
	if (ev->fallback_from != 0) {
		buf_add_text(out, ", seconds after a try with ");
		tls_version_add_words(out, ev->fallback_from);
		buf_add_text(out, " failed");
	}
	if (ev->scsv_count > 0)
		buf_add_text(out, ", as the client itself says (TLS_FALLBACK_SCSV)");
}

/*
 * SPEC section 6: a handshake that completes proves little where the session is ended at once.  In
 * 2022 and 2023 Exchange Online refused old versions by a mail protocol's error inside TLS.
 */
static void
add_dropped_early(struct buf *out, const struct grounds *ev)
{
	int64_t seconds = ev->dropped_us / 1000000 + (ev->dropped_us % 1000000 > 0);

	if (ev->dropped_count == 0)
		return;
	buf_addf(out, "; the server ended %" PRIu64 " of ", ev->dropped_count);
	reason_add_number_of(out, ev->ended_count, "session", "sessions");
	buf_addf(out, " within %" PRId64 " s after at most ", seconds > 0 ? seconds : 1);
	reason_add_number_of(out, ev->dropped_len, "byte", "bytes");
	buf_add_text(out, ev->dropped_count == ev->ended_count
			      ? ": dropped early, so it may be refused inside TLS and not "
				"work at all (an inference)"
			      : ": dropped early (an inference)");
}

static void
add_legacy(struct buf *out, const struct grounds *ev)
{
	const struct finding_key *key = &ev->lead->key;
	const char *remedy = "; the client has to change";

	if (ev->fallback_count > 0 && ev->fallback_from >= ev->policy->minimum)
		remedy =
		    "; find out why the higher version fails, and let the client not fall back";
	if (key->tls_version == 0) {
		buf_add_text(out, "offers at most ");
		tls_version_add_words(out, key->offered_version);
		buf_add_text(out, ", and goes on without the server's choice being seen, with ");
	} else {
		buf_add_text(out, "negotiates ");
		tls_version_add_words(out, key->tls_version);
		if (key->offered_version == key->tls_version)
			buf_add_text(out, ev->fallback_count > 0 ? ", the most it offers then"
								 : ", the most it offers");
		else if (key->offered_version != 0) {
			buf_add_text(out, " and offers at most ");
			tls_version_add_words(out, key->offered_version);
		}
		buf_add_text(out, key->offered_version == 0 ? " with " : ", with ");
	}
	add_server(out, ev);
	buf_add_text(out, ": ");
	reason_add_number_of(out, ev->count, "handshake", "handshakes");
	reason_add_since(out, ev);
	reason_add_last(out, ev);
	add_unseen_end(out, ev);
	add_fallbacks(out, ev);
	add_dropped_early(out, ev);
	if (ev->refused_count > 0) {
		buf_add_text(out, "; ");
		reason_add_number_of(out, ev->refused_count, "more try was", "more tries were");
		buf_add_text(out, " refused, last ");
		add_minute(out, ev->refused_last_us);
	}
	if (key->offered_version == 0)
		remedy =
		    "; what the client offers was not seen, so whether it or the server has to "
		    "change is open";
	if (ev->verdict == VERDICT_WILL_BREAK && !ev->better_since)
		reason_add_switch_off(out, ev->policy, ev->lead, ev->last_us);
	add_remedy(out, ev, remedy);
}

static void
add_server_limited(struct buf *out, const struct grounds *ev)
{
	buf_add_text(out, "offers ");
	tls_version_add_words(out, ev->lead->key.offered_version);
	buf_add_text(out, ", but ");
	add_server(out, ev);
	buf_add_text(out, " chose ");
	tls_version_add_words(out, ev->lead->key.tls_version);
	buf_add_text(out, " in ");
	buf_add_u64(out, ev->count);
	buf_add_text(out, " of ");
	reason_add_number_of(out, ev->try_count, "try", "tries");
	reason_add_since(out, ev);
	reason_add_last(out, ev);
	if (ev->lead->key.outcome == OUTCOME_REFUSED) {
		buf_add_text(out, ev->lead->key.refused_by == SIDE_CLIENT
				      ? "; the client then broke off"
				      : "; it then refused");
		add_how(out, ev);
	}
	add_unseen_end(out, ev);
	add_remedy(out, ev, "; the server has to change");
}

static void
add_cleartext(struct buf *out, const struct grounds *ev)
{
	const char *protocol = protocol_name(ev->lead->key.protocol);

	buf_add_u64(out, ev->count);
	buf_add_char(out, ' ');
	buf_add_text(out, protocol);
	buf_add_text(out, ev->count == 1 ? " session" : " sessions");
	buf_add_text(out, " without TLS with ");
	add_server(out, ev);
	reason_add_since(out, ev);
	reason_add_last(out, ev);
	if (ev->login_count == 0)
		buf_add_text(out, ", none seen with a login");
	else if (ev->login_count == ev->count)
		buf_add_text(out, ev->count == 1 ? ", with a login in the clear"
						 : ", all with a login in the clear");
	else
		buf_addf(out, ", %" PRIu64 " with a login in the clear", ev->login_count);
	add_remedy(out, ev, "; TLS has to be turned on in the client");
}

static void
add_unclear_success(struct buf *out, const struct grounds *ev)
{
	reason_add_number_of(out, ev->count, "handshake", "handshakes");
	buf_add_text(out, " with ");
	add_server(out, ev);
	reason_add_since(out, ev);
	reason_add_last(out, ev);
	buf_add_text(out, " went on, but the server's choice of version was not seen");
	if (ev->lead->key.offered_version != 0) {
		buf_add_text(out, " (offered: ");
		tls_version_add_words(out, ev->lead->key.offered_version);
		buf_add_char(out, ')');
	}
}

static void
add_unclear_unanswered(struct buf *out, const struct policy *policy, const struct grounds *ev)
{
	if (ev->lead->key.offered_version != 0) {
		buf_add_text(out,
		    policy_offers_too_little(policy, ev->lead) ? "offers at most " : "offers ");
		tls_version_add_words(out, ev->lead->key.offered_version);
		buf_add_text(out, "; ");
	}
	add_server(out, ev);
	buf_add_text(out, " did not answer ");
	buf_add_u64(out, ev->count);
	buf_add_text(out, " of ");
	reason_add_number_of(out, ev->try_count, "try", "tries");
	reason_add_since(out, ev);
	reason_add_last(out, ev);
	buf_add_text(out, "; it is silent, or the capture does not see what it sends");
}

static void
add_unclear_refused(struct buf *out, const struct policy *policy, const struct grounds *ev)
{
	const struct finding_key *key = &ev->lead->key;
	bool enough = key->offered_version >= policy->minimum ||
		      (key->offered_version == 0 && key->tls_version >= policy->minimum);
	bool about_version =
	    key->refusal == REFUSAL_ALERT && key->refusal_alert == TLS_ALERT_PROTOCOL_VERSION;

	if (key->offered_version != 0) {
		buf_add_text(out, enough ? "offers " : "offers at most ");
		tls_version_add_words(out, key->offered_version);
		buf_add_text(out, enough ? ", which is enough; " : ev->in_vain ? " then; " : "; ");
	}
	add_refusal(out, ev);
	if (ev->in_vain)
		buf_add_text(out,
		    ", seconds after a better offer had failed there: not for the old version "
		    "alone");
	else if (key->offered_version != 0 && !enough)
		buf_add_text(out,
		    ", while other handshakes there go through: another program on this "
		    "device, or a fallback");
	else if (about_version && key->refused_by == SIDE_SERVER)
		buf_add_text(out, ": it takes none of the versions offered; look at the server");
	else if (about_version)
		buf_add_text(out, ": it does not take the version chosen");
	else if (rejects_certificate(ev->lead))
		buf_add_text(out, ": the certificate is what it rejects, not the version");
	else if (enough)
		buf_add_text(out, ": not for an old version");
	else
		buf_add_text(out,
		    "; what the client offers was not seen, so whether the version is "
		    "the cause cannot be told");
}

static void
add_unclear(struct buf *out, const struct policy *policy, const struct grounds *ev)
{
	switch (ev->lead->key.outcome) {
	case OUTCOME_ESTABLISHED:
	case OUTCOME_NEGOTIATED:
		add_unclear_success(out, ev);
		break;
	case OUTCOME_UNANSWERED:
		add_unclear_unanswered(out, policy, ev);
		break;
	case OUTCOME_REFUSED:
		add_unclear_refused(out, policy, ev);
		break;
	case OUTCOME_CLEARTEXT: /* has a verdict of its own */
		assert(false);
		break;
	}
	if (ev->gap_count > 0 && ev->count == 1)
		buf_add_text(out, "; bytes are missing from the capture");
	else if (ev->gap_count > 0)
		buf_addf(out, "; bytes are missing from the capture in %" PRIu64 " of them",
		    ev->gap_count);
}

/* Those that something went through with: a device that was mended may name its server since. */
static size_t
count_success_servers(const struct finding *findings, size_t count)
{
	enum verdict *marks = xreallocarray(NULL, count, sizeof(*marks));
	size_t servers[VERDICT_COUNT];

	for (size_t i = 0; i < count; i++)
		marks[i] = policy_is_success(&findings[i]) ? VERDICT_OK : VERDICT_UNCLEAR;
	policy_count_servers(findings, marks, count, servers);
	free(marks);
	return servers[VERDICT_OK];
}

/* Nothing is wrong: all successes together, and how many tries failed before them. */
static void
add_ok(struct buf *out, const struct grounds *lead, const struct finding *findings, size_t count,
    size_t servers)
{
	struct grounds all = { 0 };
	uint16_t lowest = UINT16_MAX, highest = 0;
	uint64_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];

		if (!policy_is_success(f)) {
			failed += f->count;
			continue;
		}
		if (all.count == 0 || f->first_us < all.first_us)
			all.first_us = f->first_us;
		if (all.count == 0 || f->last_us > all.last_us)
			all.last_us = f->last_us;
		all.count += f->count;
		lowest = f->key.tls_version < lowest ? f->key.tls_version : lowest;
		highest = f->key.tls_version > highest ? f->key.tls_version : highest;
	}
	if (failed > 0 && servers > 1)
		servers = count_success_servers(findings, count);
	buf_add_text(out, "negotiates ");
	tls_version_add_words(out, lowest);
	if (highest != lowest) {
		buf_add_text(out, " to ");
		tls_version_add_words(out, highest);
	}
	buf_add_text(out, ": ");
	reason_add_number_of(out, all.count, "handshake", "handshakes");
	buf_add_text(out, " with ");
	if (servers == 1)
		add_server(out, lead);
	else
		reason_add_number_of(out, servers, "server", "servers");
	reason_add_since(out, &all);
	reason_add_last(out, &all);
	if (failed > 0) {
		buf_add_text(out, "; ");
		reason_add_number_of(out, failed, "try failed", "tries failed");
		buf_add_text(out, ", with a success since");
	}
}

/* What else is wrong, so that mending the worst is not taken for the end of it. */
static void
add_others(struct buf *out, enum verdict worst, const size_t servers[VERDICT_COUNT])
{
	const char *separator = "; also ";

	for (int v = 0; v < VERDICT_OK; v++) {
		size_t more = servers[v] - (v == (int)worst ? 1 : 0);

		if (servers[v] == 0 || more == 0)
			continue;
		buf_add_text(out, separator);
		buf_add_text(out, verdict_name((enum verdict)v));
		buf_add_text(out, " with ");
		if (v == (int)worst)
			reason_add_number_of(out, more, "more server", "more servers");
		else
			reason_add_number_of(out, more, "server", "servers");
		separator = ", ";
	}
}

enum verdict
policy_judge_client(const struct policy *policy, const struct finding *findings,
    const enum verdict *verdicts, size_t count, struct buf *reason)
{
	size_t servers[VERDICT_COUNT];
	struct grounds ev;

	assert(count > 0);
	grounds_collect(&ev, policy, findings, verdicts, count);
	policy_count_servers(findings, verdicts, count, servers);
	switch (ev.verdict) {
	case VERDICT_BROKEN:
		add_broken(reason, &ev);
		break;
	case VERDICT_WILL_BREAK:
	case VERDICT_LEGACY:
		add_legacy(reason, &ev);
		break;
	case VERDICT_SERVER_LIMITED:
		add_server_limited(reason, &ev);
		break;
	case VERDICT_CLEARTEXT:
		add_cleartext(reason, &ev);
		break;
	case VERDICT_UNCLEAR:
		add_unclear(reason, policy, &ev);
		break;
	case VERDICT_OK:
		add_ok(reason, &ev, findings, count, servers[VERDICT_OK]);
		break;
	}
	add_others(reason, ev.verdict, servers);
	return ev.verdict;
}
