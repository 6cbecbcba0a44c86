/*
 * JSON: one document, a client per line inside it; NDJSON: the coverage, then a flat record per row
 * of the inventory, with the columns of the CSV.  Described by docs/schema/export.schema.json.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "event/event_form.h"
#include "policy/printable.h"
#include "report/export_internal.h"
#include "report/report_internal.h"
#include "report/summary.h"
#include "tls/names.h"

#include "base/banned.h"

#define USEC_PER_TENTH (USEC_PER_SEC / 10)

/* RFC 8259, section 8.1: text is UTF-8; what is none is printable before it gets here. */
static void
member_text(void *arg, const char *name, const char *value)
{
	struct buf *out = arg, printable = { 0 };

	if (value != NULL) {
		printable_add(&printable, span_from_text(value), SIZE_MAX);
		value = buf_text(&printable);
	}
	json_member_text(out, name, value);
	buf_release(&printable);
}

static void
member_number(void *arg, const char *name, uint64_t value)
{
	json_member_u64(arg, name, value);
}

static void
member_time(struct buf *out, const char *name, bool known, int64_t time_us)
{
	char text[TIMESTAMP_TEXT_LEN];

	json_member_text(out, name, known ? timestamp_to_text(time_us, text) : NULL);
}

/* The sum over the runs that knew it, and whether all did: else it is a lower bound. */
static void
add_counters(const struct report_observed *o, struct buf *out)
{
	json_key(out, "counters");
	json_begin_object(out);
	for (size_t i = 0; i < o->counter_count; i++) {
		const struct report_counter *c = &o->counters[i];
		struct buf name = { 0 };

		/* A name of this program, but it comes out of a file: nothing in it may end the
		 * string. */
		for (const char *p = c->name; *p != '\0'; p++)
			buf_add_char(
			    &name, (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ? *p : '_');
		json_key(out, buf_text(&name));
		json_begin_object(out);
		json_member_u64(out, "value", c->value);
		json_member_bool(out, "complete", c->run_count == o->run_count);
		json_end_object(out);
		buf_release(&name);
	}
	json_end_object(out);
}

static void
add_seconds(struct buf *out, const char *name, int64_t us)
{
	json_key(out, name);
	buf_addf(out, "%lld.%lld", (long long)(us / USEC_PER_SEC),
	    (long long)(us % USEC_PER_SEC / USEC_PER_TENTH));
}

static void
add_gaps(const struct report_observed *o, struct buf *out)
{
	json_member_u64(out, "gaps_in_time", o->gap_count);
	add_seconds(out, "seconds_without_capture", o->gap_us);
	json_key(out, "longest_gap");
	if (o->gap_count == 0) {
		buf_add_text(out, "null");
		return;
	}
	json_begin_object(out);
	member_time(out, "begin", true, o->longest_gap.begin_us);
	member_time(out, "end", true, o->longest_gap.end_us);
	json_end_object(out);
}

/* For a diff: on what days silence says something. */
static void
add_days(const char *name, const struct report_day *days, size_t count, struct buf *out)
{
	char date[TIMESTAMP_TEXT_LEN];

	json_key(out, name);
	buf_add_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		const struct report_day *day = &days[i];

		buf_add_text(out, i > 0 ? "," : "");
		json_begin_object(out);
		json_member_text(out, "day", timestamp_to_date(day->day * USEC_PER_DAY, date));
		json_member_u64(out, "seconds", (uint64_t)(day->captured_us / USEC_PER_SEC));
		json_end_object(out);
	}
	buf_add_char(out, ']');
}

static void
add_days_by_sensor(const struct report_observed *o, struct buf *out)
{
	json_key(out, "observed_days_by_sensor");
	buf_add_char(out, '[');
	for (size_t i = 0; i < o->sensor_count; i++) {
		const struct report_sensor *sensor = &o->sensors[i];

		buf_add_text(out, i > 0 ? "," : "");
		json_begin_object(out);
		json_member_text(out, "sensor", sensor->name);
		add_days("days", sensor->days, sensor->day_count, out);
		json_end_object(out);
	}
	buf_add_char(out, ']');
}

static void
add_coverage_members(const struct report *r, const struct report_options *options, struct buf *out)
{
	const struct report_observed *o = &r->observed;
	struct buf summary = { 0 };

	json_member_u64(out, "runs", o->run_count);
	json_member_u64(out, "captures", o->source_count);
	json_member_u64(out, "captures_failed", o->failed_source_count);
	member_time(out, "begin", o->has_packets, o->begin_us);
	member_time(out, "end", o->has_packets, o->end_us);
	add_seconds(out, "covered_seconds", o->covered_us);
	json_member_u64(out, "packets", o->packet_count);
	json_member_u64(out, "bytes", o->byte_count);
	json_member_u64(out, "packets_cut", o->snapped_count);
	json_member_u64(out, "handshakes", o->handshake_count);
	json_member_u64(out, "cleartext_sessions", o->cleartext_count);
	json_member_u64(out, "unclear", o->unclear_count);
	json_key(out, "unclear_by_reason");
	json_begin_object(out);
	for (int i = 0; i < REPORT_UNCLEAR_COUNT; i++)
		json_member_u64(out, report_unclear_name((enum report_unclear)i), o->unclear_by[i]);
	json_end_object(out);
	json_member_u64(out, "end_not_seen", o->open_end_count);
	add_gaps(o, out);
	add_days("observed_days", o->days, o->day_count, out);
	add_days_by_sensor(o, out);
	add_counters(o, out);
	summary_add_coverage(r, options, &summary);
	json_member_text(out, "summary", buf_text(&summary));
	buf_release(&summary);
}

static void
add_network(const struct network *net, struct buf *out)
{
	char addr[ADDR_TEXT_LEN];

	buf_addf(out, "\"%s/%u\"", addr_to_text(&net->addr, addr), net->prefix_len);
}

/* What was asked for: what it leaves out is not "not there". */
static void
add_filter(const struct report_options *options, const struct export_view *view, struct buf *out)
{
	const struct network_set *clients = options->clients;
	bool first = true;

	json_key(out, "filter");
	json_begin_object(out);
	member_time(out, "since", options->has_since, options->since_us);
	member_time(out, "until", options->has_until, options->until_us);
	json_key(out, "clients");
	if (clients == NULL || clients->any) {
		buf_add_text(out, "null");
	} else {
		buf_add_char(out, '[');
		for (size_t i = 0; i < clients->count; i++) {
			buf_add_text(out, i > 0 ? "," : "");
			add_network(&clients->items[i], out);
		}
		buf_add_char(out, ']');
	}
	json_key(out, "verdicts");
	if (view->verdicts == 0) {
		buf_add_text(out, "null");
	} else {
		buf_add_char(out, '[');
		for (int i = 0; i < VERDICT_COUNT; i++) {
			if ((view->verdicts & 1U << i) == 0)
				continue;
			buf_addf(out, "%s\"%s\"", first ? "" : ",", verdict_name((enum verdict)i));
			first = false;
		}
		buf_add_char(out, ']');
	}
	json_end_object(out);
}

/* Which list of services was used; null where there was none. */
static void
add_services(const struct report_options *options, struct buf *out)
{
	const struct switch_off *list = options->policy.services;
	char date[TIMESTAMP_TEXT_LEN];
	int64_t oldest_us = 0;
	bool dated;

	json_key(out, "services");
	if (options->services_path == NULL || list == NULL) {
		buf_add_text(out, "null");
		return;
	}
	dated = switch_off_oldest(list, &oldest_us);
	json_begin_object(out);
	member_text(out, "file", options->services_path);
	json_member_u64(out, "count", switch_off_service_count(list));
	json_member_u64(out, "wrong_lines", options->services_fault_count);
	json_member_text(out, "oldest", dated ? timestamp_to_date(oldest_us, date) : NULL);
	json_member_bool(out, "older_than_a_year", report_services_are_old(options));
	json_end_object(out);
}

static void
add_head(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	json_member_u64(out, "schema_version", EXPORT_SCHEMA_VERSION);
	member_time(out, "made", true, view->made_us);
	json_member_text(out, "minimum", tls_version_name(options->policy.minimum));
	add_services(options, out);
	add_filter(options, view, out);
	json_key(out, "totals");
	json_begin_object(out);
	for (int i = 0; i < VERDICT_COUNT; i++)
		json_member_u64(out, verdict_name((enum verdict)i), r->totals[i]);
	json_end_object(out);
}

static void
add_client(const struct report_client *c, struct buf *out)
{
	const struct export_visitor members = { member_text, member_number, out };

	json_begin_object(out);
	export_visit_identity(c, &members);
	export_visit_summary(c, &members);
	json_member_u64(out, "count", c->total_count);
	member_time(out, "first_seen", true, c->first_seen_us);
	member_time(out, "last_seen", true, c->last_seen_us);
	json_key(out, "inventory");
	buf_add_char(out, '[');
	for (size_t i = 0; i < c->row_count; i++) {
		buf_add_text(out, i > 0 ? ",\n  " : "\n  ");
		json_begin_object(out);
		export_visit_row(c, i, &members);
		json_end_object(out);
	}
	buf_add_char(out, ']');
	json_end_object(out);
}

void
export_write_json(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	bool first = true;

	json_begin_object(out);
	json_member_text(out, "format", "tlstally-export");
	add_head(r, options, view, out);
	json_key(out, "coverage");
	json_begin_object(out);
	add_coverage_members(r, options, out);
	json_end_object(out);
	json_key(out, "clients");
	buf_add_char(out, '[');
	for (size_t i = 0; i < r->client_count; i++) {
		if (!export_is_shown(view, &r->clients[i]))
			continue;
		buf_add_text(out, first ? "\n " : ",\n ");
		add_client(&r->clients[i], out);
		first = false;
	}
	buf_add_char(out, ']');
	json_end_object(out);
	buf_add_char(out, '\n');
}

static void
add_coverage_record(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	json_begin_object(out);
	json_member_text(out, "record", "coverage");
	add_head(r, options, view, out);
	add_coverage_members(r, options, out);
	json_end_object(out);
}

static void
add_row_record(const struct report_client *c, size_t index, struct buf *out)
{
	const struct export_visitor members = { member_text, member_number, out };

	json_begin_object(out);
	json_member_text(out, "record", "inventory");
	export_visit_identity(c, &members);
	export_visit_row(c, index, &members);
	export_visit_summary(c, &members);
	json_end_object(out);
}

void
export_write_ndjson(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	add_coverage_record(r, options, view, out);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];

		for (size_t k = 0; export_is_shown(view, c) && k < c->row_count; k++) {
			add_row_record(c, k, out);
			buf_add_char(out, '\n');
		}
	}
}

/* A row as its latest event would be, as far as the row knows it. */
static void
row_to_event(const struct report_client *c, size_t index, struct event *ev)
{
	const struct report_row *row = &c->rows[index];
	const struct report_detail *d = &c->details[index];
	struct addr is_address;

	event_init(ev);
	ev->kind =
	    row->outcome == OUTCOME_CLEARTEXT ? EVENT_CLEARTEXT_SESSION : EVENT_TLS_HANDSHAKE;
	ev->timestamp_us = row->last_us;
	ev->client_ip = c->ip;
	ev->has_client_mac = c->has_mac;
	memcpy(ev->client_mac, c->mac, sizeof(ev->client_mac));
	ev->server_ip = d->server_ip;
	ev->server_port = d->server_port;
	ev->protocol = row->protocol;
	ev->tls_mode = row->tls_mode;
	ev->tls_version = row->tls_version;
	ev->offered_version = row->offered_version;
	ev->outcome = row->outcome;
	ev->refused_by = row->refused_by;
	ev->refusal = row->refusal;
	ev->refusal_alert = row->refusal_alert;
	ev->has_cipher_suite = d->has_cipher_suite;
	ev->cipher_suite = d->cipher_suite;
	ev->has_ja4 = d->has_ja4;
	memcpy(ev->ja4, d->ja4, sizeof(ev->ja4));
	ev->has_certificate_not_after = d->has_certificate_not_after;
	ev->certificate_not_after_us = d->certificate_not_after_us;
	if (!addr_from_text(d->server, &is_address)) {
		event_text_set(&ev->server_name, span_from_text(d->server));
		ev->server_name_source = d->server_name_source;
	}
	if (c->name != NULL)
		event_text_set(&ev->client_name, span_from_text(c->name));
	if (d->certificate_subject != NULL)
		event_text_set(&ev->certificate_subject, span_from_text(d->certificate_subject));
}

void
export_write_as(enum record_form form, const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	struct buf own = { 0 };
	struct event ev;

	if (form == RECORD_FORM_TLSTALLY) {
		export_write_ndjson(r, options, view, out);
		return;
	}
	add_coverage_record(r, options, view, &own);
	event_form_write_other(
	    form, "coverage", view->made_us, NULL, span_from(own.data, own.len), out);
	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];

		for (size_t k = 0; export_is_shown(view, c) && k < c->row_count; k++) {
			buf_clear(&own);
			add_row_record(c, k, &own);
			row_to_event(c, k, &ev);
			event_form_write(form, &ev, c->sensor, span_from(own.data, own.len), out);
		}
	}
	buf_release(&own);
}
