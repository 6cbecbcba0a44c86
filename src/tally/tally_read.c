/* What a sorted tally tells. */
#include <stddef.h>
#include <string.h>

#include "tally/tally_internal.h"

#include "base/banned.h"

bool
tally_is_full(const struct tally *t)
{
	return t->bytes >= t->max_bytes;
}

bool
tally_is_empty(const struct tally *t)
{
	return t->event_count == 0 && t->ending_count == 0;
}

size_t
tally_bytes(const struct tally *t)
{
	return t->bytes;
}

uint64_t
tally_event_count(const struct tally *t)
{
	return t->event_count;
}

size_t
tally_client_count(const struct tally *t)
{
	return t->client_count;
}

size_t
tally_finding_count(const struct tally *t)
{
	return t->finding_count;
}

void
tally_client_at(const struct tally *t, size_t index, struct tally_client *out)
{
	const struct tally_client_entry *c = &t->clients[t->client_order[index]];

	*out = (struct tally_client){
		.ip = c->ip,
		.has_mac = c->has_mac,
		.name = span_from(c->name.data, c->name.len),
		.name_source = (enum name_source)c->name_source,
		.name_us = c->name_us,
		.first_us = c->first_us,
		.last_us = c->last_us,
		.event_count = c->event_count,
		.first_finding = c->first_finding,
		.finding_count = c->finding_count,
		.first_day = c->first_day,
		.day_count = c->day_count,
		.first_hour = c->first_hour,
		.hour_count = c->hour_count,
	};
	memcpy(out->mac, c->mac, sizeof(out->mac));
	tally_tell_cadence(t, c, &out->cadence);
}

size_t
tally_kind_count(const struct tally *t)
{
	return t->kind_count;
}

size_t
tally_story_count(const struct tally *t)
{
	return t->story_count;
}

void
tally_kind_at(const struct tally *t, uint32_t kind, struct finding_key *out)
{
	const struct tally_kind *k = &t->kinds[kind];

	out->protocol = (enum protocol)k->protocol;
	out->tls_mode = (enum tls_mode)k->tls_mode;
	event_text_set(&out->server, span_from(k->server.data, k->server.len));
	out->server_port = k->server_port;
	out->tls_version = k->tls_version;
	out->offered_version = k->offered_version;
	out->outcome = (enum outcome)k->outcome;
	out->refused_by = (enum event_side)k->refused_by;
	out->refusal = (enum refusal_kind)k->refusal;
	out->refusal_alert = k->refusal_alert;
}

void
tally_story_at(const struct tally *t, uint32_t story, struct finding *out)
{
	const struct tally_story *s = &t->stories[story];

	out->server_ip = s->server_ip;
	out->server_name_source = (enum name_source)s->server_name_source;
	out->has_cipher_suite = s->has_cipher_suite;
	out->cipher_suite = s->cipher_suite;
	out->has_ja4 = s->has_ja4;
	memcpy(out->ja4, s->ja4, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)s->limited_by;
	event_text_set(&out->certificate_subject, span_from(s->subject.data, s->subject.len));
	out->has_certificate_not_after = s->has_not_after;
	out->certificate_not_after_us = s->not_after_us;
	out->offers_aead = s->offers_aead;
	out->offers_ecdhe = s->offers_ecdhe;
	out->fallback_from = s->fallback_from;
	out->suites_all = s->suites_all;
	out->suites_any = s->suites_any;
}

void
tally_row_at(const struct tally *t, size_t index, struct tally_row *out)
{
	const struct tally_finding_entry *e = &t->findings[t->finding_order[index]];

	*out = (struct tally_row){
		.kind = e->kind,
		.story = e->story,
		.first_us = e->first_us,
		.last_us = e->last_us,
		.count = e->count,
		.gap_count = e->gap_count,
		.login_count = e->login_count,
		.scsv_count = e->scsv_count,
		.fallback_count = e->fallback_count,
		.ended_count = e->ended_count,
		.dropped_early_count = e->dropped_early_count,
		.dropped_early_us = (int64_t)e->dropped_early_ms * 1000,
		.dropped_early_len = e->dropped_early_len,
	};
}

void
tally_finding_at(const struct tally *t, size_t index, struct finding *out)
{
	const struct tally_finding_entry *e = &t->findings[t->finding_order[index]];
	struct tally_row row;

	memset(out, 0, offsetof(struct finding, certificate_subject));
	tally_row_at(t, index, &row);
	out->key.client_ip = t->clients[e->client].ip;
	tally_kind_at(t, row.kind, &out->key);
	out->count = row.count;
	out->gap_count = row.gap_count;
	out->login_count = row.login_count;
	out->scsv_count = row.scsv_count;
	out->fallback_count = row.fallback_count;
	out->ended_count = row.ended_count;
	out->dropped_early_count = row.dropped_early_count;
	out->dropped_early_us = row.dropped_early_us;
	out->dropped_early_len = row.dropped_early_len;
	out->first_us = row.first_us;
	out->last_us = row.last_us;
	tally_story_at(t, row.story, out);
}

void
tally_day_at(const struct tally *t, size_t index, struct tally_day *out)
{
	const struct tally_day_entry *d = &t->days[t->day_order[index]];

	*out = (struct tally_day){
		.day = d->day,
		.tls_version = d->tls_version,
		.outcome = (enum outcome)d->outcome,
		.count = d->count,
	};
}
