#include "report/summary.h"

#include <inttypes.h>

#include "base/timestamp.h"
#include "policy/printable.h"
#include "report/phrase.h"
#include "tls/names.h"

#include "base/banned.h"

#define LABEL_WIDTH 10
#define TEXT_WIDTH_MAX 110 /* longer lines are hard to read, however wide the terminal */

/* "Label     text", the text wrapped behind the label. */
static void
add_paragraph(const struct report_view *view, const char *label, struct buf *text, struct buf *out)
{
	size_t width = view->terminal.width;
	struct buf shown = { 0 };

	if (width > 0) {
		width = width > LABEL_WIDTH + TEXT_WIDTH_MAX ? TEXT_WIDTH_MAX : width - LABEL_WIDTH;
	}
	if (view->terminal.colour && label[0] != '\0')
		buf_addf(out, "\033[1m%-*s\033[m", LABEL_WIDTH, label);
	else
		buf_addf(out, "%-*s", LABEL_WIDTH, label);
	terminal_add_text(&view->terminal, &shown, buf_text(text));
	terminal_add_wrapped(out, buf_text(&shown), LABEL_WIDTH, width);
	buf_release(&shown);
	buf_clear(text);
}

/* Times in which nothing was captured. */
static void
add_gaps(const struct report_observed *o, struct buf *text)
{
	char minute[PHRASE_MINUTE_LEN];

	if (o->gap_count == 0)
		return;
	buf_add_text(text, "; ");
	phrase_add_duration(text, o->gap_us);
	buf_add_text(text, " without a capture in ");
	phrase_add_count(text, o->gap_count, "gap", "gaps");
	buf_addf(text, o->gap_count > 1 ? ", the longest %s" : ", %s",
	    phrase_minute(o->longest_gap.begin_us, minute));
	buf_addf(text, " to %s", phrase_minute(o->longest_gap.end_us, minute));
}

static int64_t
captured_by(const struct report_sensor *sensor)
{
	int64_t sum_us = 0;

	for (size_t i = 0; i < sensor->day_count; i++)
		sum_us += sensor->days[i].captured_us;
	return sum_us;
}

/* One that was away is not to be seen in the sum, and its clients were not seen either. */
static void
add_least_sensor(const struct report_observed *o, struct buf *text)
{
	const struct report_sensor *least = o->sensors;
	int64_t least_us;

	/* Of one alone the sum tells; it has no days where a capture has wrong times. */
	if (o->sensor_count < 2)
		return;
	least_us = captured_by(least);
	for (size_t i = 1; i < o->sensor_count; i++) {
		int64_t us = captured_by(&o->sensors[i]);

		if (us >= least_us)
			continue;
		least = &o->sensors[i];
		least_us = us;
	}
	if (o->covered_us - least_us <= REPORT_GAP_US)
		return;
	buf_addf(text, "; the least of %zu sensors, %s, captured ", o->sensor_count, least->name);
	if (least_us > 0)
		phrase_add_duration(text, least_us);
	else
		buf_add_text(text, "nothing");
}

void
summary_add_period(const struct report *r, const struct report_options *options, struct buf *text)
{
	const struct report_observed *o = &r->observed;
	char minute[PHRASE_MINUTE_LEN];

	if (o->has_packets) {
		buf_addf(text, "%s to ", phrase_minute(o->begin_us, minute));
		buf_addf(text, "%s UTC (", phrase_minute(o->end_us, minute));
		phrase_add_duration(text, o->end_us - o->begin_us);
		buf_add_char(text, ')');
		/* A report over months may rest on an hour of each; then it says so. */
		if (o->covered_us < o->end_us - o->begin_us) {
			buf_add_text(text, ", of which ");
			phrase_add_duration(text, o->covered_us);
			buf_add_text(text, " (");
			phrase_add_share(
			    text, (uint64_t)o->covered_us, (uint64_t)(o->end_us - o->begin_us));
			buf_add_text(text, ") lie within a capture");
		}
		add_gaps(o, text);
		add_least_sensor(o, text);
		/* A mirror that was turned off is no loss that anybody could count. */
		if (o->heard_us > 0 && o->end_us - o->heard_us >= USEC_PER_DAY)
			buf_addf(text, "; no packet since %s", phrase_minute(o->heard_us, minute));
	} else if (options->has_since || options->has_until) {
		buf_add_text(text, "no capture of that time is known");
	} else if (o->packet_count > 0) {
		/* store.h: 0 stands for no packet, and is what some programs write for all times.
		 */
		buf_add_text(text, "not known, the packets have no time");
	} else {
		buf_add_text(text, "no packet was captured");
	}
	if (options->has_since)
		buf_addf(text, SUMMARY_SINCE "%s", phrase_minute(options->since_us, minute));
	if (options->has_until)
		buf_addf(text, SUMMARY_UNTIL "%s", phrase_minute(options->until_us, minute));
	if (options->clients != NULL && (options->clients->count > 0 || options->clients->any))
		buf_add_text(text, SUMMARY_CLIENTS_ONLY);
}

static void
add_why_unclear(const struct report_observed *o, struct buf *text)
{
	static const char *const phrases[REPORT_UNCLEAR_COUNT] = {
		[REPORT_UNCLEAR_GAP] = "with bytes missing from the capture",
		[REPORT_UNCLEAR_ONE_WAY] = "seen in one direction only",
		[REPORT_UNCLEAR_UNANSWERED] = "unanswered",
		[REPORT_UNCLEAR_REFUSED] = "refused, but not for the version alone",
		[REPORT_UNCLEAR_OTHER] = "for other reasons",
	};
	const char *separator = ": ";

	for (int i = 0; i < REPORT_UNCLEAR_COUNT; i++) {
		if (o->unclear_by[i] == 0)
			continue;
		buf_add_text(text, separator);
		phrase_add_number(text, o->unclear_by[i]);
		buf_addf(text, " %s", phrases[i]);
		separator = ", ";
	}
}

/* With the wrong networks that is nearly all: a list of few clients must not look like all there
 * is. */
static void
add_left_out(const struct report_observed *o, struct buf *text)
{
	const struct report_counter *c = report_counter_find(o, "external_client");

	if (c == NULL || c->value == 0)
		return;
	buf_add_text(text, "; ");
	phrase_add_number(text, c->value);
	buf_add_text(text, " more of clients that are not internal were left out");
}

void
summary_add_observed(const struct report *r, struct buf *text)
{
	const struct report_observed *o = &r->observed;
	uint64_t all = o->handshake_count + o->cleartext_count;

	phrase_add_count(text, o->packet_count, "packet", "packets");
	buf_add_text(text, " in ");
	phrase_add_count(text, o->source_count, "capture", "captures");
	buf_add_text(text, " (");
	phrase_add_count(text, o->run_count, "run", "runs");
	buf_add_text(text, "): ");
	phrase_add_count(text, o->handshake_count, "TLS handshake", "TLS handshakes");
	buf_add_text(text, " and ");
	phrase_add_count(text, o->cleartext_count, "mail session", "mail sessions");
	buf_add_text(text, " in cleartext of ");
	phrase_add_count(text, r->client_count, "client", "clients");
	if (o->unclear_count > 0) {
		buf_add_text(text, "; ");
		phrase_add_number(text, o->unclear_count);
		buf_add_text(text, " of these (");
		phrase_add_share(text, o->unclear_count, all);
		buf_add_text(text, ") are unclear");
		add_why_unclear(o, text);
	}
	if (o->open_end_count > 0) {
		buf_add_text(text, "; of ");
		phrase_add_number(text, o->open_end_count);
		buf_add_text(text, " the end was not seen");
	}
	add_left_out(o, text);
	if (o->beyond)
		buf_add_text(text,
		    "; runs and rows are counted as a whole, with what lies outside that time");
}

static void
add_item(struct buf *text, uint64_t value, bool lower_bound, const char *one, const char *many)
{
	if (value == 0)
		return;
	if (text->len > 0)
		buf_add_text(text, ", ");
	if (lower_bound)
		buf_add_text(text, "at least ");
	phrase_add_count(text, value, one, many);
}

/* The view `coverage` has a column for each of these. */
static const struct loss {
	const char *counter, *one, *many;
} losses[] = {
	{ "kernel_dropped", "packet dropped by the kernel", "packets dropped by the kernel" },
	{ "interface_dropped", "packet dropped by the interface",
	    "packets dropped by the interface" },
	{ "undecodable", "undecodable packet", "undecodable packets" },
	{ "gaps", "gap in a connection", "gaps in connections" },
	{ "one_way_flows", "connection seen in one direction only",
	    "connections seen in one direction only" },
	{ "flows_evicted", "connection given up for lack of room",
	    "connections given up for lack of room" },
};

/* What came, and told nothing.  A live capture does not let it through, and cannot count it. */
static const struct loss unread[] = {
	{ "encrypted", "packet encrypted on its way (IPsec, WireGuard and the like)",
	    "packets encrypted on their way (IPsec, WireGuard and the like)" },
	{ "unread_in_frames", "packet behind another one in a wireless frame",
	    "packets behind others in wireless frames" },
};

/* What only a live capture counts: where there is no such counter, there is nothing to know. */
static void
add_losses_of_sensors(const struct report_observed *o, struct buf *text)
{
	const struct report_counter *down = report_counter_find(o, "interface_down_ms");
	const struct report_counter *lost = report_counter_find(o, "events_lost");

	if (down != NULL && down->value >= 1000) {
		buf_add_text(text, "an interface down, or not there, for ");
		phrase_add_duration(text, (int64_t)down->value * 1000);
	}
	if (lost != NULL)
		add_item(text, lost->value, false,
		    "handshake or session that did not get into the database",
		    "handshakes and sessions that did not get into the database");
}

void
summary_add_losses(const struct report *r, struct buf *text)
{
	const struct report_observed *o = &r->observed;
	const char *separator = "; not known: ";

	add_losses_of_sensors(o, text);
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		const struct report_counter *c = report_counter_find(o, losses[i].counter);

		if (c != NULL)
			add_item(text, c->value, c->run_count < o->run_count, losses[i].one,
			    losses[i].many);
	}
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		const struct report_counter *c = report_counter_find(o, unread[i].counter);

		if (c != NULL)
			add_item(text, c->value, false, unread[i].one, unread[i].many);
	}
	add_item(text, o->snapped_count, false, "packet cut by the snapshot length",
	    "packets cut by the snapshot length");
	add_item(text, o->failed_source_count, false, "capture not readable to its end",
	    "captures not readable to their end");
	if (text->len == 0)
		buf_add_text(
		    text, o->run_count > 0 ? "no loss was noticed" : "nothing is known of losses");
	/* What no run could count is of interest where there was one. */
	if (o->run_count == 0)
		return;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		const struct report_counter *c = report_counter_find(o, losses[i].counter);

		if (c != NULL && (c->run_count == o->run_count || c->value > 0))
			continue;
		buf_addf(text, "%s%s", separator, losses[i].many);
		separator = ", ";
	}
}

/* Every counter that is not zero, for those who want to know what became of each packet. */
static void
add_counters(const struct report *r, struct buf *text)
{
	for (size_t i = 0; i < r->observed.counter_count; i++) {
		const struct report_counter *c = &r->observed.counters[i];

		if (c->value == 0)
			continue;
		if (text->len > 0)
			buf_add_char(text, ' ');
		printable_add(text, span_from_text(c->name), SIZE_MAX);
		buf_addf(text, "=%" PRIu64, c->value);
	}
}

void
summary_add_what_if(const struct what_if *question, struct buf *text)
{
	buf_add_text(text, "no server took ");
	if (question->minimum != 0)
		buf_addf(text, "less than %s", tls_version_name(question->minimum));
	if (question->minimum != 0 && question->has_suites)
		buf_add_text(text, ", and ");
	if (question->has_suites) {
		buf_add_text(text, "other cipher suites than the ");
		phrase_add_number(text, question->suite_count);
		buf_add_text(text, " of the list");
	}
	buf_add_text(text,
	    "? Answered from what clients offered: will-break means that it would be too little, "
	    "unclear that it is not known well enough, broken that the client is refused already");
}

void
summary_add_services(const struct report_options *options, struct buf *text)
{
	const struct switch_off *list = options->policy.services;
	char date[TIMESTAMP_TEXT_LEN];
	int64_t oldest_us;

	if (options->services_path == NULL) {
		buf_add_text(text,
		    "no list of services that are switching old versions off was found: no client "
		    "is said to break, except with the servers of the configuration");
		return;
	}
	phrase_add_count(text, switch_off_service_count(list), "service", "services");
	buf_add_text(text, " that may switch old versions off, of ");
	printable_add(text, span_from_text(options->services_path), SIZE_MAX);
	if (switch_off_oldest(list, &oldest_us)) {
		buf_addf(text, "; the oldest data is of %s", timestamp_to_date(oldest_us, date));
		if (report_services_are_old(options))
			buf_add_text(
			    text, ", which is more than a year ago: compare it with its sources");
	}
	if (options->services_fault_count > 0) {
		buf_add_text(text, "; ");
		phrase_add_count(text, options->services_fault_count,
		    "line of it is wrong and was left out",
		    "lines of it are wrong and were left out");
	}
}

/* Why the table is empty; nothing in it is no clean bill of health. */
void
report_add_nothing(const struct report *r, const struct report_options *options, struct buf *text)
{
	bool has_time = options->has_since || options->has_until;

	if (r->observed.run_count == 0 && !has_time)
		buf_add_text(text,
		    "Nothing was captured yet, so nothing is known: this is no clean "
		    "result. Fill the database with `tlstally replay` or `tlstally "
		    "capture`.");
	else if (!r->observed.has_packets && has_time)
		buf_add_text(text,
		    "Nothing was captured in the time asked for, so nothing is known of it: this "
		    "is no clean result.");
	else if (has_time || options->clients != NULL)
		buf_add_text(text,
		    "Nothing that was seen fits the times and clients asked for. This is "
		    "no clean result: it says only that no such traffic passed the sensor.");
	else
		buf_add_text(text,
		    "No TLS handshake and no mail session of an internal client was "
		    "seen. This is no clean result: either there was none, or the sensor "
		    "does not get the mail traffic, or the clients' networks (--internal) "
		    "or the services' ports (--service) are others.");
}

bool
summary_has_coverage(const struct report *r)
{
	return r->observed.run_count > 0 || r->client_count > 0;
}

void
report_add_coverage(const struct report *r, const struct report_options *options, struct buf *text)
{
	struct buf not_seen = { 0 };
	bool has_coverage = summary_has_coverage(r);

	if (has_coverage) {
		buf_add_text(text, "Period: ");
		summary_add_period(r, options, text);
		buf_add_text(text, ". Observed: ");
		summary_add_observed(r, text);
		buf_add_text(text, ". Not seen: ");
		summary_add_losses(r, &not_seen);
		buf_add_text(text, buf_text(&not_seen));
		buf_add_text(text, ".");
	}
	if (r->client_count == 0) {
		buf_add_text(text, has_coverage ? " " : "");
		report_add_nothing(r, options, text);
	}
	buf_release(&not_seen);
}

void
summary_add_coverage(const struct report *r, const struct report_options *options, struct buf *text)
{
	report_add_coverage(r, options, text);
	buf_add_text(text, " Services: ");
	summary_add_services(options, text);
	buf_add_char(text, '.');
	if (r->client_count > 0)
		buf_add_text(text,
		    " A client that is not listed was not seen, which does not make it clean.");
}

/* Nothing where nothing was captured. */
static void
add_coverage(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out)
{
	struct buf text = { 0 };

	if (summary_has_coverage(r)) {
		summary_add_period(r, options, &text);
		add_paragraph(view, "Period", &text, out);
		summary_add_observed(r, &text);
		add_paragraph(view, "Observed", &text, out);
		summary_add_losses(r, &text);
		add_paragraph(view, "Not seen", &text, out);
	}
	buf_release(&text);
}

static void
add_nothing(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out)
{
	struct buf text = { 0 };

	if (r->observed.run_count > 0)
		buf_add_char(out, '\n');
	report_add_nothing(r, options, &text);
	terminal_add_wrapped(out, buf_text(&text), 0,
	    view->terminal.width > TEXT_WIDTH_MAX ? TEXT_WIDTH_MAX : view->terminal.width);
	buf_release(&text);
}

void
report_write_coverage(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out)
{
	add_coverage(r, options, view, out);
	if (r->client_count == 0)
		add_nothing(r, options, view, out);
}

void
summary_add_header(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out)
{
	struct buf text = { 0 };

	add_coverage(r, options, view, out);
	if (summary_has_coverage(r)) {
		summary_add_services(options, &text);
		add_paragraph(view, "Services", &text, out);
		if (view->verbose) {
			add_counters(r, &text);
			add_paragraph(view, "Counters", &text, out);
		}
	}
	if (options->what_if != NULL) {
		summary_add_what_if(options->what_if, &text);
		add_paragraph(view, "What if", &text, out);
	}
	if (r->client_count > 0) {
		buf_addf(&text,
		    "%s; a client that is not listed was not seen, which does not "
		    "make it clean",
		    tls_version_name(options->policy.minimum));
		add_paragraph(view, "Minimum", &text, out);
	} else {
		add_nothing(r, options, view, out);
	}
	buf_release(&text);
}

void
summary_add_totals(
    const struct report *r, const struct report_view *view, size_t shown_count, struct buf *out)
{
	struct buf text = { 0 };
	const char *separator = ": ";

	phrase_add_count(&text, r->client_count, "client", "clients");
	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (r->totals[v] == 0)
			continue;
		buf_add_text(&text, separator);
		phrase_add_number(&text, r->totals[v]);
		buf_addf(&text, " %s", verdict_name((enum verdict)v));
		separator = ", ";
	}
	if (shown_count < r->client_count) {
		buf_add_text(&text, "; ");
		phrase_add_number(&text, shown_count);
		buf_add_text(&text, " shown");
	}
	add_paragraph(view, "Totals", &text, out);
	buf_release(&text);
}
