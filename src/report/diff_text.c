/* A diff as text for a mail, and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "policy/printable.h"
#include "report/diff_internal.h"
#include "report/phrase.h"
#include "tls/names.h"

#include "base/banned.h"

/* The length of lines in a mail, and wherever no terminal says how wide it is. */
#define MAIL_WIDTH 78
#define CHANGE_WIDTH 7
/* Of a file. */
#define NAME_SHOWN_MAX 200

/* "mail.example.com:993" */
static void
add_server(const struct diff_row *row, struct buf *out)
{
	bool is_v6 = strchr(row->server, ':') != NULL;

	buf_addf(out, is_v6 ? "[%s]:%u" : "%s:%u", row->server, (unsigned)row->server_port);
}

static void
add_version(uint16_t version, struct buf *out)
{
	if (version != 0)
		tls_version_add_words(out, version);
	else
		buf_add_text(out, "an unknown version");
}

/* What the row says, but for its counts. */
static void
add_way(const struct diff_row *row, struct buf *out)
{
	switch (row->outcome) {
	case OUTCOME_ESTABLISHED:
	case OUTCOME_NEGOTIATED:
		if (row->verdict == VERDICT_SERVER_LIMITED) {
			buf_add_text(out, "offers ");
			add_version(row->offered_version, out);
			buf_add_text(out, ", gets ");
		}
		add_version(row->tls_version != 0 ? row->tls_version : row->offered_version, out);
		buf_add_text(out, " with ");
		break;
	case OUTCOME_REFUSED:
	case OUTCOME_UNANSWERED:
		buf_add_text(out, "offer of ");
		add_version(row->offered_version, out);
		buf_add_text(
		    out, row->outcome == OUTCOME_REFUSED ? " refused with " : " unanswered by ");
		break;
	case OUTCOME_CLEARTEXT:
		buf_addf(out, "%s without TLS with ", protocol_name(row->protocol));
		break;
	}
	add_server(row, out);
}

static void
add_evidence(const struct diff_row *row, struct buf *out)
{
	char minute[PHRASE_MINUTE_LEN], last[PHRASE_MINUTE_LEN], date[TIMESTAMP_TEXT_LEN];

	add_way(row, out);
	buf_add_text(out, ", ");
	phrase_add_count(out, row->count, "time", "times");
	if (row->count == 1) {
		buf_addf(out, " at %s", phrase_minute(row->first_us, minute));
		return;
	}
	buf_addf(out, " since %s, last %s", phrase_minute(row->first_us, minute),
	    row->is_cut ? timestamp_to_date(row->last_us, date)
			: phrase_minute(row->last_us, last));
}

/* One sentence without a full stop: what is the case, with its evidence. */
static void
add_reason(const struct diff_item *item, struct buf *out)
{
	const struct silence silence = {
		.silent_days = item->silent_days,
		.cadence_days = item->cadence_days,
	};
	char minute[PHRASE_MINUTE_LEN];

	switch (item->change) {
	case DIFF_NEW:
		buf_addf(out, "%s: ", verdict_name(item->after));
		add_evidence(item->row, out);
		break;
	case DIFF_WORSE:
		buf_addf(
		    out, "%s, was %s: ", verdict_name(item->after), verdict_name(item->before));
		add_evidence(item->row, out);
		break;
	case DIFF_BACK:
		buf_addf(out, "%s again after ", verdict_name(item->after));
		phrase_add_count(out, item->silent_days, "observed day", "observed days");
		buf_add_text(out, " of silence: ");
		add_evidence(item->row, out);
		break;
	case DIFF_FIXED:
		buf_addf(out, "was %s: ", verdict_name(item->before));
		add_evidence(item->row, out);
		if (item->good == NULL)
			break;
		buf_add_text(out, "; ");
		add_version(item->good->tls_version, out);
		buf_add_text(out, " with ");
		add_server(item->good, out);
		buf_addf(out, " since %s", phrase_minute(item->good->first_us, minute));
		break;
	case DIFF_QUIET:
		buf_addf(out, "was %s: ", verdict_name(item->before));
		add_evidence(item->row, out);
		buf_add_text(out, "; ");
		silence_add_text(&silence, out);
		buf_add_text(out, "; not known to be fixed");
		break;
	}
}

/* Writes `line`, and empties it. */
static void
add_lines(
    const struct diff_view *view, size_t indent, size_t width, struct buf *line, struct buf *out)
{
	struct buf shown = { 0 };

	terminal_add_text(&view->terminal, &shown, buf_text(line));
	terminal_add_wrapped(out, buf_text(&shown), indent, width);
	buf_release(&shown);
	buf_clear(line);
}

static void
add_item(const struct diff_item *item, const struct diff_view *view, bool several_sensors,
    size_t width, struct buf *line, struct buf *out)
{
	char addr[ADDR_TEXT_LEN];

	buf_addf(out, "%-*s", CHANGE_WIDTH, diff_change_name(item->change));
	buf_add_text(line, addr_to_text(&item->client->ip, addr));
	if (item->client->name != NULL)
		buf_addf(line, " (%s)", item->client->name);
	if (several_sensors)
		buf_addf(line, " at %s", item->client->sensor);
	buf_add_char(line, ' ');
	add_reason(item, line);
	add_lines(view, CHANGE_WIDTH, width - CHANGE_WIDTH, line, out);
}

/* "2 new, 1 fixed" */
static void
add_totals(const struct diff *d, struct buf *out)
{
	const char *separator = "";

	for (int i = 0; i < DIFF_CHANGE_COUNT; i++) {
		if (d->totals[i] == 0)
			continue;
		buf_add_text(out, separator);
		phrase_add_number(out, d->totals[i]);
		buf_addf(out, " %s", diff_change_name((enum diff_change)i));
		separator = ", ";
	}
}

static void
add_moments(const struct diff *d, const struct diff_view *view, struct buf *out)
{
	char from[TIMESTAMP_TEXT_LEN], to[TIMESTAMP_TEXT_LEN];

	if (view->old_name != NULL) {
		printable_add(out, span_from_text(view->old_name), NAME_SHOWN_MAX);
		buf_add_text(out, " to ");
		printable_add(out, span_from_text(view->new_name), NAME_SHOWN_MAX);
		buf_add_text(out, ", ");
	}
	buf_addf(out, "%s to %s (0:00 UTC)", timestamp_to_date(d->from_us, from),
	    timestamp_to_date(d->to_us, to));
}

static void
add_unchanged(const struct diff *d, struct buf *out)
{
	phrase_add_count(out, d->unchanged_count, "client", "clients");
	buf_add_text(out, " below the minimum as before, ");
	phrase_add_number(out, d->seen_count);
	buf_add_text(out, " known");
}

static bool
has_several_sensors(const struct diff *d)
{
	for (size_t i = 1; i < d->count; i++) {
		if (strcmp(d->items[i].client->sensor, d->items[0].client->sensor) != 0)
			return true;
	}
	return false;
}

void
diff_write_text(const struct diff *d, const struct diff_view *view, struct buf *out)
{
	size_t width = view->terminal.width > 0 ? view->terminal.width : MAIL_WIDTH;
	bool several = has_several_sensors(d);
	struct buf line = { 0 };

	if (!view->quiet) {
		buf_add_text(&line, d->count == 0 ? "No change from " : "Changes from ");
		add_moments(d, view, &line);
		buf_add_text(&line, ": ");
		if (d->count > 0) {
			add_totals(d, &line);
			buf_add_text(&line, "; ");
		}
		add_unchanged(d, &line);
		buf_addf(&line, ". %s", view->coverage);
		/* A diff without changes is one line, however long. */
		add_lines(view, 0, d->count == 0 ? 0 : width, &line, out);
		if (d->count > 0)
			buf_add_char(out, '\n');
	}
	for (size_t i = 0; i < d->count; i++)
		add_item(&d->items[i], view, several, width, &line, out);
	buf_release(&line);
}

static void
member_time(struct buf *out, const char *name, int64_t time_us)
{
	char text[TIMESTAMP_TEXT_LEN];

	json_member_text(out, name, timestamp_to_text(time_us, text));
}

static void
add_json_row(const struct diff_row *row, const char *name, struct buf *out)
{
	char date[TIMESTAMP_TEXT_LEN];

	json_key(out, name);
	json_begin_object(out);
	json_member_text(out, "protocol", protocol_name(row->protocol));
	json_member_text(out, "server", row->server);
	json_member_u64(out, "server_port", row->server_port);
	json_member_text(out, "tls_version", tls_version_name(row->tls_version));
	json_member_text(out, "offered_version", tls_version_name(row->offered_version));
	json_member_text(out, "outcome", outcome_name(row->outcome));
	json_member_u64(out, "count", row->count);
	member_time(out, "first_seen", row->first_us);
	if (row->is_cut)
		json_member_null(out, "last_seen");
	else
		member_time(out, "last_seen", row->last_us);
	json_member_text(out, "last_day", timestamp_to_date(row->last_us, date));
	json_end_object(out);
}

static void
add_json_item(const struct diff_item *item, struct buf *out)
{
	const struct diff_client *c = item->client;
	bool silent = item->change == DIFF_QUIET || item->change == DIFF_BACK;
	char addr[ADDR_TEXT_LEN], mac[24];
	struct buf reason = { 0 };

	add_reason(item, &reason);
	(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", c->mac[0], c->mac[1],
	    c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
	json_begin_object(out);
	json_member_text(out, "change", diff_change_name(item->change));
	json_member_text(out, "sensor", c->sensor);
	json_member_text(out, "client", addr_to_text(&c->ip, addr));
	json_member_text(out, "client_name", c->name);
	json_member_text(out, "client_mac", c->has_mac ? mac : NULL);
	json_member_text(
	    out, "verdict_before", item->change == DIFF_NEW ? NULL : verdict_name(item->before));
	json_member_text(
	    out, "verdict", item->change == DIFF_QUIET ? NULL : verdict_name(item->after));
	json_member_text(out, "reason", buf_text(&reason));
	add_json_row(item->row, "evidence", out);
	if (item->good != NULL)
		add_json_row(item->good, "success_since", out);
	else
		json_member_null(out, "success_since");
	if (silent)
		json_member_u64(out, "silent_days", item->silent_days);
	else
		json_member_null(out, "silent_days");
	if (item->cadence_days > 0 && silent)
		json_member_u64(out, "cadence_days", item->cadence_days);
	else
		json_member_null(out, "cadence_days");
	json_end_object(out);
	buf_release(&reason);
}

void
diff_write_json(const struct diff *d, const struct diff_view *view, struct buf *out)
{
	json_begin_object(out);
	json_member_text(out, "format", "tlstally-diff");
	json_member_u64(out, "schema_version", DIFF_SCHEMA_VERSION);
	member_time(out, "from", d->from_us);
	member_time(out, "to", d->to_us);
	json_member_text(out, "old", view->old_name);
	json_member_text(out, "new", view->new_name);
	json_member_text(out, "coverage", view->coverage);
	json_key(out, "totals");
	json_begin_object(out);
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++)
		json_member_u64(out, diff_change_name((enum diff_change)i), d->totals[i]);
	json_member_u64(out, "unchanged", d->unchanged_count);
	json_member_u64(out, "clients", d->seen_count);
	json_end_object(out);
	json_key(out, "changes");
	buf_add_char(out, '[');
	for (size_t i = 0; i < d->count; i++) {
		buf_add_text(out, i > 0 ? ",\n " : "\n ");
		add_json_item(&d->items[i], out);
	}
	buf_add_char(out, ']');
	json_end_object(out);
	buf_add_char(out, '\n');
}
