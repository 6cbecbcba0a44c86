#include "report/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/grid.h"
#include "report/phrase.h"
#include "report/report_internal.h"
#include "report/summary.h"
#include "tls/names.h"

#include "base/banned.h"

/* Reasons stand beside the table where so much room is left, else below each client's line. */
#define REASON_WIDTH_MIN 80
#define REASON_WIDTH_MAX 110
#define REASON_INDENT 4
/* The most of a server's name that the table shows; the inventory has all of it. */
#define SERVER_WIDTH_TERMINAL 38
#define SERVER_WIDTH_PIPE 88
#define NAME_WIDTH 32

enum client_column {
	VERDICT,
	CLIENT,
	NAME,
	SENSOR,
	WORST,
	OFFERS,
	SERVER,
	COUNT,
	LAST,
	CLIENT_COLUMNS
};

static const struct grid_column client_columns[CLIENT_COLUMNS] = {
	[VERDICT] = { .heading = "VERDICT" },
	[CLIENT] = { .heading = "CLIENT" },
	[NAME] = { .heading = "NAME" },
	[SENSOR] = { .heading = "SENSOR" },
	[WORST] = { .heading = "WORST" },
	[OFFERS] = { .heading = "OFFERS" },
	[SERVER] = { .heading = "SERVER", .port_stays = true },
	[COUNT] = { .heading = "COUNT", .right = true },
	[LAST] = { .heading = "LAST (UTC)", .plain_cut = true },
};

/*
 * What gives way when a line is too long.  The reason repeats server, counts and times, so these
 * can go; the client cannot.
 */
static const struct grid_step client_steps[] = {
	{ GRID_SHORTEN, SERVER, 28 },
	{ GRID_SHORTEN, NAME, 18 },
	{ GRID_SHORTEN, LAST, 10 },
	{ GRID_SHORTEN, SERVER, 16 },
	{ GRID_SHORTEN, NAME, 10 },
	{ GRID_SHORTEN, SENSOR, 8 },
	{ GRID_DROP, COUNT, 0 },
	{ GRID_DROP, SERVER, 0 },
	{ GRID_DROP, OFFERS, 0 },
	{ GRID_DROP, LAST, 0 },
	{ GRID_DROP, WORST, 0 },
	{ GRID_DROP, NAME, 0 },
	{ GRID_DROP, SENSOR, 0 },
	{ GRID_END, 0, 0 },
};

enum row_column {
	ROW_SERVICE,
	ROW_SERVER,
	ROW_VERSION,
	ROW_OFFERS,
	ROW_OUTCOME,
	ROW_COUNT,
	ROW_FIRST,
	ROW_LAST,
	ROW_VERDICT,
	ROW_COLUMNS
};

static const struct grid_column row_columns[ROW_COLUMNS] = {
	[ROW_SERVICE] = { .heading = "SERVICE" },
	[ROW_SERVER] = { .heading = "SERVER", .port_stays = true },
	[ROW_VERSION] = { .heading = "VERSION" },
	[ROW_OFFERS] = { .heading = "OFFERS" },
	[ROW_OUTCOME] = { .heading = "OUTCOME" },
	[ROW_COUNT] = { .heading = "COUNT", .right = true },
	[ROW_FIRST] = { .heading = "FIRST (UTC)", .plain_cut = true },
	[ROW_LAST] = { .heading = "LAST (UTC)", .plain_cut = true },
	[ROW_VERDICT] = { .heading = "VERDICT" },
};

static const struct grid_step row_steps[] = {
	{ GRID_SHORTEN, ROW_SERVER, 28 },
	{ GRID_SHORTEN, ROW_FIRST, 11 },
	{ GRID_SHORTEN, ROW_LAST, 10 },
	{ GRID_DROP, ROW_FIRST, 0 },
	{ GRID_SHORTEN, ROW_SERVER, 20 },
	{ GRID_SHORTEN, ROW_OUTCOME, 24 },
	{ GRID_DROP, ROW_SERVICE, 0 },
	{ GRID_SHORTEN, ROW_SERVER, 16 },
	{ GRID_SHORTEN, ROW_OUTCOME, 8 },
	{ GRID_DROP, ROW_VERDICT, 0 },
	{ GRID_DROP, ROW_LAST, 0 },
	{ GRID_DROP, ROW_COUNT, 0 },
	{ GRID_DROP, ROW_OFFERS, 0 },
	{ GRID_SHORTEN, ROW_OUTCOME, 7 },
	{ GRID_END, 0, 0 },
};

/* The verdict's colour, by name, for libsmartcols. */
static const char *const verdict_colours[VERDICT_COUNT] = {
	[VERDICT_BROKEN] = "lightred",
	[VERDICT_WILL_BREAK] = "red",
	[VERDICT_LEGACY] = "yellow",
	[VERDICT_SERVER_LIMITED] = "magenta",
	[VERDICT_CLEARTEXT] = "magenta",
	[VERDICT_UNCLEAR] = "cyan",
	[VERDICT_OK] = "green",
};

static const char *
version_text(uint16_t version)
{
	const char *name = tls_version_name(version);

	return name != NULL ? name : "-";
}

static void
set_count(struct grid *g, size_t column, uint64_t value)
{
	struct buf text = { 0 };

	buf_add_u64(&text, value);
	grid_set(g, column, buf_text(&text), NULL);
	buf_release(&text);
}

/* In front of the port stands no name, of which a part would still tell something. */
static bool
is_address(const char *server)
{
	const char *port = strrchr(server, ':');
	size_t len = port != NULL ? (size_t)(port - server) : 0;
	char text[ADDR_TEXT_LEN];
	struct addr addr;

	if (len > 2 && server[0] == '[' && server[len - 1] == ']') {
		server++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, server, len);
	text[len] = '\0';
	return addr_from_text(text, &addr);
}

static void
add_client(struct grid *g, const struct report_client *c)
{
	char addr[ADDR_TEXT_LEN], minute[PHRASE_MINUTE_LEN];
	struct buf text = { 0 };

	grid_add_row(g);
	grid_set(g, VERDICT, verdict_name(c->verdict), verdict_colours[c->verdict]);
	grid_set(g, CLIENT, addr_to_text(&c->ip, addr), NULL);
	grid_set(g, NAME, c->name != NULL ? c->name : "-", NULL);
	grid_set(g, SENSOR, c->sensor, NULL);
	grid_set(g, WORST, version_text(c->worst_version), NULL);
	grid_set(g, OFFERS, version_text(c->offered_version), NULL);
	buf_add_text(&text, c->server);
	if (c->server_count > 1)
		buf_addf(&text, " +%zu", c->server_count - 1);
	grid_set(g, SERVER, buf_text(&text), NULL);
	if (is_address(c->server))
		grid_keep_whole(g, SERVER);
	set_count(g, COUNT, c->count);
	grid_set(g, LAST, phrase_minute(c->last_us, minute), NULL);
	buf_release(&text);
}

/* "refused by server: protocol_version" */
static void
add_outcome(const struct report_row *row, struct buf *text)
{
	char room[EVENT_REFUSAL_TEXT_LEN];
	struct event event = { .refusal = row->refusal, .refusal_alert = row->refusal_alert };
	const char *side = event_side_name(row->refused_by);
	const char *refusal = event_refusal_text(&event, room);

	buf_add_text(text, outcome_name(row->outcome));
	if (side != NULL)
		buf_addf(text, " by %s", side);
	if (refusal != NULL)
		buf_addf(text, ": %s", refusal);
	report_add_fallbacks(row, text);
}

static void
add_row(struct grid *g, const struct report_row *row)
{
	char minute[PHRASE_MINUTE_LEN];
	struct buf text = { 0 };

	grid_add_row(g);
	buf_addf(&text, "%s %s", protocol_name(row->protocol), tls_mode_name(row->tls_mode));
	grid_set(g, ROW_SERVICE, buf_text(&text), NULL);
	grid_set(g, ROW_SERVER, row->server, NULL);
	if (is_address(row->server))
		grid_keep_whole(g, ROW_SERVER);
	grid_set(g, ROW_VERSION, version_text(row->tls_version), NULL);
	grid_set(g, ROW_OFFERS, version_text(row->offered_version), NULL);
	buf_clear(&text);
	add_outcome(row, &text);
	grid_set(g, ROW_OUTCOME, buf_text(&text), NULL);
	set_count(g, ROW_COUNT, row->count);
	grid_set(g, ROW_FIRST, phrase_minute(row->first_us, minute), NULL);
	grid_set(g, ROW_LAST, phrase_minute(row->last_us, minute), NULL);
	grid_set(g, ROW_VERDICT, verdict_name(row->verdict), verdict_colours[row->verdict]);
	buf_release(&text);
}

static bool
is_shown(const struct report_view *view, const struct report_client *c)
{
	return view->verdicts == 0 || (view->verdicts & 1U << c->verdict) != 0;
}

/* Takes one line off the front of `text`. */
static struct span
take_line(const char **text)
{
	const char *begin = *text, *end = begin + strcspn(begin, "\n");

	*text = *end == '\n' ? end + 1 : end;
	return span_from(begin, (size_t)(end - begin));
}

/* How the reasons stand beside or below the lines of the table. */
struct layout {
	bool with_reason, beside;
	size_t indent; /* of every line of a reason but one that begins beside the table */
	size_t width;  /* 0: no limit */
};

static struct layout
lay_out(const struct grid *g, const struct report_view *view)
{
	struct layout l = { .with_reason = !view->quiet, .indent = REASON_INDENT };
	size_t width = view->terminal.width, used = grid_width(g) + strlen(GRID_SEPARATOR);

	if (width == 0) {
		l.beside = true;
		return l;
	}
	l.beside = width >= used + REASON_WIDTH_MIN;
	if (l.beside)
		l.indent = used;
	l.width = width - l.indent;
	if (l.width > REASON_WIDTH_MAX)
		l.width = REASON_WIDTH_MAX;
	return l;
}

static void
add_reason(
    const struct report_view *view, const struct layout *l, const char *reason, struct buf *out)
{
	struct buf text = { 0 };

	terminal_add_text(&view->terminal, &text, reason);
	if (l->beside)
		buf_add_text(out, GRID_SEPARATOR);
	else
		buf_addf(out, "\n%*s", (int)l->indent, "");
	terminal_add_wrapped(out, buf_text(&text), l->indent, l->width);
	buf_release(&text);
}

/* What is known of the device itself; nothing where nothing is known. */
static void
add_device(const struct report_view *view, const struct report_client *c, struct buf *out)
{
	struct buf text = { 0 };

	report_add_device(c, &text);
	if (text.len > 0) {
		size_t width = view->terminal.width;
		struct buf shown = { 0 };

		terminal_add_text(&view->terminal, &shown, buf_text(&text));
		buf_addf(out, "%*s", REASON_INDENT, "");
		terminal_add_wrapped(
		    out, buf_text(&shown), REASON_INDENT, width == 0 ? 0 : width - REASON_INDENT);
		buf_release(&shown);
	}
	buf_release(&text);
}

static void
add_lines(const char **text, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		struct span line = take_line(text);

		buf_addf(out, "%*s", REASON_INDENT, "");
		buf_add(out, line.data, line.len);
		buf_add_char(out, '\n');
	}
}

static void
add_headings(const struct layout *l, const struct grid *g, const char **lines, const char **rows,
    const struct report_view *view, struct buf *out)
{
	struct span line = take_line(lines);

	buf_add(out, line.data, line.len);
	if (l->with_reason && l->beside) {
		size_t pad = g->widths[LAST] - strlen(client_columns[LAST].heading);

		buf_addf(out, "%*s%s", (int)pad, "", GRID_SEPARATOR);
		buf_add_text(out, view->terminal.colour ? "\033[1mREASON\033[m" : "REASON");
	}
	buf_add_char(out, '\n');
	if (view->verbose)
		add_lines(rows, 1, out);
}

static void
write_clients(const struct report *r, const struct report_view *view, const struct grid *clients,
    const struct grid *rows, struct buf *out)
{
	struct layout layout = lay_out(clients, view);
	char *client_text = grid_to_text(clients), *row_text = grid_to_text(rows);
	const char *client_lines = client_text, *row_lines = row_text;

	add_headings(&layout, clients, &client_lines, &row_lines, view, out);
	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];
		struct span line;

		if (!is_shown(view, c))
			continue;
		line = take_line(&client_lines);
		buf_add(out, line.data, line.len);
		if (layout.with_reason)
			add_reason(view, &layout, c->reason, out);
		else
			buf_add_char(out, '\n');
		if (view->verbose) {
			add_device(view, c, out);
			add_lines(&row_lines, c->row_count, out);
			buf_add_char(out, '\n');
		}
	}
	free(row_text);
	free(client_text);
}

static size_t
fill_grids(
    const struct report *r, const struct report_view *view, struct grid *clients, struct grid *rows)
{
	size_t shown_count = 0;

	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];

		if (!is_shown(view, c))
			continue;
		shown_count++;
		add_client(clients, c);
		for (size_t j = 0; view->verbose && j < c->row_count; j++)
			add_row(rows, &c->rows[j]);
	}
	return shown_count;
}

static bool
shows_a_name(const struct report *r, const struct report_view *view)
{
	for (size_t i = 0; i < r->client_count; i++) {
		if (r->clients[i].name != NULL && is_shown(view, &r->clients[i]))
			return true;
	}
	return false;
}

void
report_write(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out)
{
	size_t width = view->terminal.width;
	struct grid clients, rows;
	size_t shown_count;

	if (!view->quiet)
		summary_add_header(r, options, view, out);
	grid_init(&clients, client_columns, CLIENT_COLUMNS, &view->terminal);
	grid_init(&rows, row_columns, ROW_COLUMNS, &view->terminal);
	shown_count = fill_grids(r, view, &clients, &rows);
	if (!r->several_sensors)
		grid_drop(&clients, SENSOR);
	if (!shows_a_name(r, view))
		grid_drop(&clients, NAME);
	grid_limit(&clients, NAME, NAME_WIDTH);
	grid_limit(&clients, SERVER, width > 0 ? SERVER_WIDTH_TERMINAL : SERVER_WIDTH_PIPE);
	grid_limit(&rows, ROW_SERVER, width > 0 ? SERVER_WIDTH_TERMINAL : SERVER_WIDTH_PIPE);
	grid_fit(&clients, width, client_steps);
	grid_fit(&rows, width == 0 ? 0 : width - REASON_INDENT, row_steps);
	if (shown_count > 0) {
		if (!view->quiet)
			buf_add_char(out, '\n');
		write_clients(r, view, &clients, &rows, out);
	}
	if (!view->quiet && r->client_count > 0) {
		if (!view->verbose || shown_count == 0)
			buf_add_char(out, '\n');
		summary_add_totals(r, view, shown_count, out);
	}
	grid_release(&clients);
	grid_release(&rows);
}
