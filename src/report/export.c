#include "report/export.h"

#include <string.h>

#include "base/timestamp.h"
#include "report/export_internal.h"
#include "tls/names.h"

#include "base/banned.h"

static const char *const format_names[] = {
	[EXPORT_CSV] = "csv",
	[EXPORT_JSON] = "json",
	[EXPORT_NDJSON] = "ndjson",
	[EXPORT_HTML] = "html",
};

const char *
export_format_name(enum export_format format)
{
	return format_names[format];
}

bool
export_format_from_text(const char *text, enum export_format *out)
{
	for (size_t i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (strcmp(text, format_names[i]) != 0)
			continue;
		*out = (enum export_format)i;
		return true;
	}
	return false;
}

bool
export_is_shown(const struct export_view *view, const struct report_client *c)
{
	return view->verdicts == 0 || (view->verdicts & 1U << c->verdict) != 0;
}

static void
visit_text(const struct export_visitor *v, const char *name, const char *value)
{
	v->text(v->arg, name, value);
}

static void
visit_time(const struct export_visitor *v, const char *name, int64_t time_us)
{
	char text[TIMESTAMP_TEXT_LEN];

	v->text(v->arg, name, timestamp_to_text(time_us, text));
}

static void
visit_mac(const struct export_visitor *v, const char *name, bool has, const uint8_t mac[6])
{
	struct buf text = { 0 };

	for (int i = 0; has && i < 6; i++)
		buf_addf(&text, "%s%02x", i == 0 ? "" : ":", mac[i]);
	visit_text(v, name, has ? buf_text(&text) : NULL);
	buf_release(&text);
}

void
export_visit_identity(const struct report_client *c, const struct export_visitor *v)
{
	char addr[ADDR_TEXT_LEN];

	visit_text(v, "sensor", c->sensor);
	visit_text(v, "client", addr_to_text(&c->ip, addr));
	visit_text(v, "client_name", c->name);
	visit_text(v, "client_name_source", name_source_name(c->name_source));
	visit_mac(v, "client_mac", c->has_mac, c->mac);
}

/* What it is, whose it is, when it comes. */
static void
visit_device(const struct report_client *c, const struct export_visitor *v)
{
	visit_text(v, "client_vendor", c->vendor);
	if (c->has_mac)
		v->number(v->arg, "client_mac_made_up", mac_is_made_up(c->mac));
	else
		visit_text(v, "client_mac_made_up", NULL);
	visit_mac(v, "router_mac", c->has_router_mac, c->mac);
	visit_text(v, "client_owner", c->owner);
	visit_text(v, "client_note", c->note);
	visit_text(v, "client_cadence", c->cadence);
	if (c->interval_us > 0)
		v->number(v->arg, "client_interval_s",
		    (uint64_t)((c->interval_us + USEC_PER_SEC / 2) / USEC_PER_SEC));
	else
		visit_text(v, "client_interval_s", NULL);
	visit_text(v, "client_active_hours", c->active_hours);
}

void
export_visit_summary(const struct report_client *c, const struct export_visitor *v)
{
	visit_text(v, "client_verdict", verdict_name(c->verdict));
	visit_text(v, "client_reason", c->reason);
	visit_text(v, "client_worst_version", tls_version_name(c->worst_version));
	visit_text(v, "client_best_version", tls_version_name(c->best_version));
	if (c->is_quiet)
		visit_time(v, "client_quiet_since", c->last_seen_us);
	else
		visit_text(v, "client_quiet_since", NULL);
	visit_device(c, v);
}

/* What went the same way: the key of the row. */
static void
visit_key(
    const struct report_row *row, const struct report_detail *d, const struct export_visitor *v)
{
	char addr[ADDR_TEXT_LEN], refusal[EVENT_REFUSAL_TEXT_LEN];
	const struct event event = { .refusal = row->refusal, .refusal_alert = row->refusal_alert };

	visit_text(v, "protocol", protocol_name(row->protocol));
	visit_text(v, "tls_mode", tls_mode_name(row->tls_mode));
	visit_text(v, "server", d->server);
	visit_text(
	    v, "server_ip", d->server_ip.family != 0 ? addr_to_text(&d->server_ip, addr) : NULL);
	v->number(v->arg, "server_port", d->server_port);
	visit_text(v, "tls_version", tls_version_name(row->tls_version));
	visit_text(v, "offered_version", tls_version_name(row->offered_version));
	visit_text(v, "outcome", outcome_name(row->outcome));
	visit_text(v, "refused_by", event_side_name(row->refused_by));
	visit_text(v, "refusal", event_refusal_text(&event, refusal));
	visit_text(v, "limited_by", event_side_name(d->limited_by));
}

void
export_visit_row(const struct report_client *c, size_t index, const struct export_visitor *v)
{
	const struct report_row *row = &c->rows[index];
	const struct report_detail *d = &c->details[index];
	char cipher[EVENT_CIPHER_TEXT_LEN], ja4[EVENT_JA4_LEN + 1] = "";
	const struct event event = {
		.tls_version = row->tls_version,
		.has_cipher_suite = d->has_cipher_suite,
		.cipher_suite = d->cipher_suite,
	};

	visit_key(row, d, v);
	v->number(v->arg, "count", row->count);
	visit_time(v, "first_seen", row->first_us);
	visit_time(v, "last_seen", row->last_us);
	visit_text(v, "cipher_suite", event_cipher_text(&event, cipher));
	memcpy(ja4, d->ja4, EVENT_JA4_LEN);
	visit_text(v, "ja4", d->has_ja4 ? ja4 : NULL);
	visit_text(v, "verdict", verdict_name(row->verdict));
	visit_text(v, "server_name_source", name_source_name(d->server_name_source));
	visit_text(v, "certificate_subject", d->certificate_subject);
	if (d->has_certificate_not_after)
		visit_time(v, "certificate_not_after", d->certificate_not_after_us);
	else
		visit_text(v, "certificate_not_after", NULL);
	v->number(v->arg, "with_capture_gap", d->gap_count);
	v->number(v->arg, "cleartext_logins", d->login_count);
	if (d->legacy_endpoint == TRI_UNKNOWN)
		visit_text(v, "legacy_endpoint", NULL);
	else
		v->number(v->arg, "legacy_endpoint", d->legacy_endpoint == TRI_TRUE);
	v->number(v->arg, "fallbacks", row->fallback_count);
	visit_text(v, "fallback_from", tls_version_name(row->fallback_from));
	v->number(v->arg, "ended", d->ended_count);
	v->number(v->arg, "dropped_early", d->dropped_early_count);
}

void
export_write(enum export_format format, const struct report *r,
    const struct report_options *options, const struct export_view *view, struct buf *out)
{
	switch (format) {
	case EXPORT_CSV:
		export_write_csv(r, options, view, out);
		break;
	case EXPORT_JSON:
		export_write_json(r, options, view, out);
		break;
	case EXPORT_NDJSON:
		export_write_ndjson(r, options, view, out);
		break;
	case EXPORT_HTML:
		export_write_html(r, options, view, out);
		break;
	}
}
