/*
 * HTML: one page that needs nothing else: no script, no font, no picture, nothing fetched.  It
 * reads on paper too.
 *
 * Colour is never the only carrier: each verdict is written out.
 */
#include <string.h>

#include "policy/printable.h"
#include "report/export_html_style.h"
#include "report/export_internal.h"
#include "report/phrase.h"
#include "report/report_internal.h"
#include "report/summary.h"
#include "tls/names.h"

#include "base/banned.h"

/* HTML standard, section 13.3 "escapingString", and the apostrophe; in text and in attributes. */
static void
add_escaped(struct buf *out, const char *text)
{
	struct buf printable = { 0 };

	printable_add(&printable, span_from_text(text), SIZE_MAX);
	for (size_t i = 0; i < printable.len; i++) {
		switch (printable.data[i]) {
		case '&':
			buf_add_text(out, "&amp;");
			break;
		case '<':
			buf_add_text(out, "&lt;");
			break;
		case '>':
			buf_add_text(out, "&gt;");
			break;
		case '"':
			buf_add_text(out, "&quot;");
			break;
		case '\'':
			buf_add_text(out, "&#39;");
			break;
		default:
			buf_add_char(out, printable.data[i]);
			break;
		}
	}
	buf_release(&printable);
}

/* A cell; NULL: not known. */
static void
add_cell(struct buf *out, const char *text)
{
	buf_add_text(out, "<td>");
	add_escaped(out, text != NULL ? text : "-");
}

/* Not broken into lines: "TLSv1." and "0" would be hard to read. */
static void
add_version_cell(struct buf *out, uint16_t version)
{
	const char *name = tls_version_name(version);

	buf_addf(out, "<td class=t>%s", name != NULL ? name : "-");
}

/* A server's name may be long: from some length on it is broken into lines. */
static void
add_server_cell(struct buf *out, const char *server)
{
	buf_add_text(out, "<td class=s>");
	add_escaped(out, server != NULL ? server : "-");
}

static void
add_number_cell(struct buf *out, uint64_t value)
{
	buf_add_text(out, "<td class=n>");
	phrase_add_number(out, value);
}

static void
add_time_cell(struct buf *out, int64_t time_us)
{
	char minute[PHRASE_MINUTE_LEN];

	buf_addf(out, "<td class=t>%s", phrase_minute(time_us, minute));
}

static void
add_verdict_cell(struct buf *out, enum verdict verdict)
{
	buf_addf(out, "<td><span class=\"v v%d\">%s</span>", (int)verdict, verdict_name(verdict));
}

/* Writes what is in `text`, and empties it. */
static void
add_term(struct buf *out, const char *term, struct buf *text)
{
	buf_addf(out, "<dt>%s<dd>", term);
	add_escaped(out, buf_text(text));
	buf_add_char(out, '\n');
	buf_clear(text);
}

static void
add_coverage(const struct report *r, const struct report_options *options, struct buf *out)
{
	struct buf text = { 0 };

	buf_add_text(out, "<h2>What was observed</h2>\n<dl>\n");
	if (summary_has_coverage(r)) {
		summary_add_period(r, options, &text);
		add_term(out, "Period", &text);
		summary_add_observed(r, &text);
		add_term(out, "Observed", &text);
		summary_add_losses(r, &text);
		add_term(out, "Not seen", &text);
	}
	summary_add_services(options, &text);
	add_term(out, "Services", &text);
	if (options->what_if != NULL) {
		summary_add_what_if(options->what_if, &text);
		add_term(out, "What if", &text);
	}
	buf_add_text(&text, tls_version_name(options->policy.minimum));
	add_term(out, "Minimum", &text);
	buf_add_text(out, "</dl>\n<p class=note>");
	if (r->client_count > 0)
		buf_add_text(&text,
		    "A client that is not listed was not seen, which does not make it clean.");
	else
		report_add_nothing(r, options, &text);
	add_escaped(out, buf_text(&text));
	buf_add_text(out, "</p>\n");
	buf_release(&text);
}

static void
add_totals(const struct report *r, size_t shown_count, struct buf *out)
{
	static const char *const meanings[VERDICT_COUNT] = {
		[VERDICT_BROKEN] = "offers too little and is refused, with no success there since",
		[VERDICT_WILL_BREAK] = "works with too little, where that is being switched off",
		[VERDICT_LEGACY] = "works with too little anywhere else",
		[VERDICT_SERVER_LIMITED] = "offers enough, but the server chooses less",
		[VERDICT_CLEARTEXT] = "mail without TLS",
		[VERDICT_UNCLEAR] = "not enough evidence; the reason says what is missing",
		[VERDICT_OK] = "at or above the minimum",
	};

	buf_add_text(out, "<h2>Clients by verdict</h2>\n<table class=totals><thead><tr><th "
			  "scope=col>Verdict<th scope=col class=n>Clients<th scope=col>Meaning"
			  "<tbody>\n");
	for (int i = 0; i < VERDICT_COUNT; i++) {
		buf_add_text(out, "<tr>");
		add_verdict_cell(out, (enum verdict)i);
		add_number_cell(out, r->totals[i]);
		add_cell(out, meanings[i]);
		buf_add_char(out, '\n');
	}
	buf_add_text(out, "</table>\n");
	if (shown_count < r->client_count) {
		buf_add_text(out, "<p class=note>");
		phrase_add_number(out, shown_count);
		buf_add_text(out, " of ");
		phrase_add_count(out, r->client_count, "client", "clients");
		buf_add_text(out, " are listed below: those of the verdicts asked for.</p>\n");
	}
}

static void
add_device(const struct report_client *c, struct buf *out)
{
	char addr[ADDR_TEXT_LEN];

	buf_addf(out, "<td class=a>%s", addr_to_text(&c->ip, addr));
	if (c->name != NULL) {
		buf_add_text(out, "<br><small>");
		add_escaped(out, c->name);
		if (name_source_name(c->name_source) != NULL)
			buf_addf(out, " (%s)", name_source_name(c->name_source));
		buf_add_text(out, "</small>");
	}
	if (c->has_mac)
		buf_addf(out, "<br><small>%02x:%02x:%02x:%02x:%02x:%02x</small>", c->mac[0],
		    c->mac[1], c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
}

static void
add_client(const struct report *r, const struct report_client *c, size_t number, struct buf *out)
{
	buf_add_text(out, "<tr class=c>");
	add_verdict_cell(out, c->verdict);
	add_device(c, out);
	if (r->several_sensors)
		add_cell(out, c->sensor);
	add_version_cell(out, c->worst_version);
	add_version_cell(out, c->offered_version);
	add_server_cell(out, c->server);
	if (c->server_count > 1)
		buf_addf(out, " +%zu", c->server_count - 1);
	add_number_cell(out, c->count);
	add_time_cell(out, c->last_us);
	buf_addf(out, "<tr class=r><td><td colspan=%d>", r->several_sensors ? 7 : 6);
	add_escaped(out, c->reason);
	if (c->row_count > 0)
		buf_addf(out, " <a href=\"#c%zu\">rows</a>", number);
	buf_add_char(out, '\n');
}

static void
add_clients(const struct report *r, const struct export_view *view, struct buf *out)
{
	buf_add_text(out, "<h2>Clients, the worst first</h2>\n<table><thead><tr><th "
			  "scope=col>Verdict<th scope=col>Client");
	if (r->several_sensors)
		buf_add_text(out, "<th scope=col>Sensor");
	buf_add_text(out, "<th scope=col>Worst<th scope=col>Offers<th scope=col>Server<th "
			  "scope=col class=n>Count<th scope=col>Last (UTC)<tbody>\n");
	for (size_t i = 0; i < r->client_count; i++) {
		if (export_is_shown(view, &r->clients[i]))
			add_client(r, &r->clients[i], i, out);
	}
	buf_add_text(out, "</table>\n<p class=note>Worst: the lowest version negotiated with any "
			  "server. Offers, Server (and how many others), Count and Last are "
			  "those behind the verdict.</p>\n");
}

static void
add_row(const struct report_client *c, size_t index, struct buf *out)
{
	const struct report_row *row = &c->rows[index];
	const struct report_detail *d = &c->details[index];
	const struct event event = {
		.tls_version = row->tls_version,
		.has_cipher_suite = d->has_cipher_suite,
		.cipher_suite = d->cipher_suite,
		.refusal = row->refusal,
		.refusal_alert = row->refusal_alert,
	};
	char room[EVENT_REFUSAL_TEXT_LEN], cipher[EVENT_CIPHER_TEXT_LEN];
	const char *side = event_side_name(row->refused_by);
	const char *refusal = event_refusal_text(&event, room);
	const char *suite = event_cipher_text(&event, cipher);

	buf_add_text(out, "<tr>");
	add_verdict_cell(out, row->verdict);
	buf_addf(out, "<td>%s %s", protocol_name(row->protocol), tls_mode_name(row->tls_mode));
	add_server_cell(out, row->server);
	add_version_cell(out, row->tls_version);
	add_version_cell(out, row->offered_version);
	add_cell(out, outcome_name(row->outcome));
	if (side != NULL)
		buf_addf(out, " by %s", side);
	if (refusal != NULL)
		buf_addf(out, ": %s", refusal);
	report_add_fallbacks(row, out);
	buf_add_text(out, "<td class=k>");
	add_escaped(out, suite != NULL ? suite : "-");
	add_number_cell(out, row->count);
	add_time_cell(out, row->first_us);
	add_time_cell(out, row->last_us);
	buf_add_char(out, '\n');
}

/* Who it is, in front of its rows. */
static void
add_rows_heading(const struct report *r, const struct report_client *c, struct buf *out)
{
	char addr[ADDR_TEXT_LEN];
	struct buf device = { 0 };

	buf_addf(out, "<tr><th scope=rowgroup colspan=10>%s", addr_to_text(&c->ip, addr));
	if (c->name != NULL) {
		buf_add_char(out, ' ');
		add_escaped(out, c->name);
	}
	if (r->several_sensors) {
		buf_add_text(out, ", sensor ");
		add_escaped(out, c->sensor);
	}
	report_add_device(c, &device);
	if (device.len > 0) {
		buf_add_text(out, "<br><small>");
		add_escaped(out, buf_text(&device));
		buf_add_text(out, "</small>");
	}
	buf_add_char(out, '\n');
	buf_release(&device);
}

static void
add_rows(const struct report *r, const struct export_view *view, struct buf *out)
{
	buf_add_text(out, "<h2>Inventory</h2>\n<table class=rows><thead><tr><th "
			  "scope=col>Verdict<th scope=col>Service<th scope=col>Server<th "
			  "scope=col>Version<th scope=col>Offers<th scope=col>Outcome<th "
			  "scope=col>Cipher suite<th scope=col class=n>Count<th "
			  "scope=col>First (UTC)<th scope=col>Last (UTC)\n");
	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];

		if (!export_is_shown(view, c) || c->row_count == 0)
			continue;
		buf_addf(out, "<tbody id=c%zu>", i);
		add_rows_heading(r, c, out);
		for (size_t k = 0; k < c->row_count; k++)
			add_row(c, k, out);
	}
	buf_add_text(out, "</table>\n");
}

void
export_write_html(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	char minute[PHRASE_MINUTE_LEN];
	size_t shown_count = 0;

	for (size_t i = 0; i < r->client_count; i++)
		shown_count += export_is_shown(view, &r->clients[i]);
	buf_add_text(out, EXPORT_HTML_HEAD);
	buf_addf(out, "<p class=made>made %s UTC</p>\n", phrase_minute(view->made_us, minute));
	add_coverage(r, options, out);
	if (r->client_count > 0)
		add_totals(r, shown_count, out);
	if (shown_count > 0) {
		add_clients(r, view, out);
		add_rows(r, view, out);
	}
	buf_add_text(out, "</main>\n</html>\n");
}
