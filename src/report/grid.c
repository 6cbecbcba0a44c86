#include "report/grid.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "base/log.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define TABLE_LIBRARY "libsmartcols.so.1"
#define TABLE_FUNCTIONS(f)                                                                         \
	f(scols_cell_set_color) f(scols_column_get_header) f(scols_line_get_cell)                  \
	    f(scols_line_set_data) f(scols_new_table) f(scols_print_table_to_string)               \
		f(scols_table_enable_colors) f(scols_table_enable_minout)                          \
		    f(scols_table_enable_noencoding) f(scols_table_new_column)                     \
			f(scols_table_new_line) f(scols_table_set_column_separator)                \
			    f(scols_table_set_termforce) f(scols_unref_table)

struct table_library {
	TABLE_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(table_library, TABLE_FUNCTIONS);

static struct table_library lib;

#define SEPARATOR_WIDTH (sizeof(GRID_SEPARATOR) - 1)

void
grid_init(struct grid *g, const struct grid_column *columns, size_t column_count,
    const struct terminal *terminal)
{
	*g =
	    (struct grid){ .columns = columns, .column_count = column_count, .terminal = terminal };
	g->widths = xcalloc(column_count, sizeof(*g->widths));
	g->whole = xcalloc(column_count, sizeof(*g->whole));
	for (size_t i = 0; i < column_count; i++)
		g->widths[i] = terminal_text_width(columns[i].heading);
}

void
grid_release(struct grid *g)
{
	for (size_t i = 0; i < g->row_count * g->column_count; i++)
		free(g->cells[i]);
	free(g->cells);
	free(g->colours);
	free(g->widths);
	free(g->whole);
	*g = (struct grid){ 0 };
}

void
grid_add_row(struct grid *g)
{
	size_t at = g->row_count * g->column_count;

	if (g->row_count == g->room) {
		g->room = g->room == 0 ? 64 : 2 * g->room;
		g->cells = xreallocarray(g->cells, g->room, g->column_count * sizeof(*g->cells));
		g->colours =
		    xreallocarray(g->colours, g->room, g->column_count * sizeof(*g->colours));
	}
	memset(g->cells + at, 0, g->column_count * sizeof(*g->cells));
	memset(g->colours + at, 0, g->column_count * sizeof(*g->colours));
	g->row_count++;
}

void
grid_set(struct grid *g, size_t column, const char *text, const char *colour)
{
	size_t at = (g->row_count - 1) * g->column_count + column;
	struct buf shown = { 0 };
	size_t width;

	terminal_add_text(g->terminal, &shown, text);
	free(g->cells[at]);
	g->cells[at] = xstrdup(buf_text(&shown));
	g->colours[at] = colour;
	width = terminal_text_width(g->cells[at]);
	if (width > g->widths[column])
		g->widths[column] = width;
	buf_release(&shown);
}

void
grid_keep_whole(struct grid *g, size_t column)
{
	const char *text = g->cells[(g->row_count - 1) * g->column_count + column];
	size_t width = terminal_text_width(text);

	if (width > g->whole[column])
		g->whole[column] = width;
}

size_t
grid_width(const struct grid *g)
{
	size_t total = 0;

	for (size_t i = 0; i < g->column_count; i++) {
		if (g->widths[i] > 0)
			total += g->widths[i] + (total > 0 ? SEPARATOR_WIDTH : 0);
	}
	return total;
}

void
grid_drop(struct grid *g, size_t column)
{
	g->widths[column] = 0;
}

void
grid_limit(struct grid *g, size_t column, size_t most)
{
	if (most < g->whole[column])
		most = g->whole[column];
	if (g->widths[column] > most)
		g->widths[column] = most;
}

/* Takes a step back as far as there is room: a later one may have made more than was needed. */
static void
undo_step(struct grid *g, size_t width, const struct grid_step *step, size_t before)
{
	size_t *w = &g->widths[step->column];
	size_t now = *w, left = width - grid_width(g), more = before - now;

	if (before <= now || (now == 0 && step->action == GRID_SHORTEN))
		return;
	/* Half a time of day is none. */
	if (step->action == GRID_SHORTEN && !g->columns[step->column].plain_cut && more > left)
		more = left;
	*w = now + more;
	if (grid_width(g) > width)
		*w = now;
}

void
grid_fit(struct grid *g, size_t width, const struct grid_step *steps)
{
	size_t step_count = 0, *before;

	if (width == 0 || grid_width(g) <= width)
		return;
	while (steps[step_count].action != GRID_END)
		step_count++;
	before = xcalloc(step_count + 1, sizeof(*before));
	for (size_t i = 0; i < step_count; i++) {
		size_t *w = &g->widths[steps[i].column];

		before[i] = *w;
		if (grid_width(g) <= width)
			continue;
		if (steps[i].action == GRID_DROP)
			*w = 0;
		else
			grid_limit(g, steps[i].column, steps[i].least);
	}
	for (size_t i = step_count; i > 0 && grid_width(g) <= width; i--)
		undo_step(g, width, &steps[i - 1], before[i - 1]);
	free(before);
}

/* What is to be seen behind the sign; "": nothing, or it has no room. */
static const char *
end_that_stays(const struct grid_column *column, const char *text, size_t width)
{
	const char *colon = column->port_stays ? strrchr(text, ':') : NULL;

	return colon != NULL && terminal_text_width(colon) < width ? colon : "";
}

/* The cell's text in its column's width. */
static void
add_cell(const struct grid *g, size_t column, const char *text, struct buf *out)
{
	const char *sign = g->terminal->utf8 ? "\xe2\x80\xa6" : "..";
	size_t width = g->widths[column], sign_width = g->terminal->utf8 ? 1 : 2;
	const char *end;

	if (terminal_text_width(text) <= width) {
		buf_add_text(out, text);
		return;
	}
	if (g->columns[column].plain_cut || width <= sign_width) {
		buf_add(out, text, terminal_text_fit(text, width));
		return;
	}
	end = end_that_stays(&g->columns[column], text, width - sign_width);
	buf_add(out, text, terminal_text_fit(text, width - sign_width - terminal_text_width(end)));
	buf_add_text(out, sign);
	buf_add_text(out, end);
}

static void
load(void)
{
	struct error err;

	if (LIBRARY_LOAD(TABLE_LIBRARY, table_library, &lib, &err) == 0)
		return;
	log_error("cannot make a table: %s", err.text);
	_exit(EXIT_FAILURE); /* as without memory */
}

static struct libscols_table *
make_table(const struct grid *g)
{
	struct libscols_table *table = lib.scols_new_table();

	if (table == NULL)
		xalloc_end();
	/* The cells are printable and have their final width: print them as they are. */
	(void)lib.scols_table_enable_noencoding(table, 1);
	(void)lib.scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	(void)lib.scols_table_set_column_separator(table, GRID_SEPARATOR);
	(void)lib.scols_table_enable_minout(table, 1);
	(void)lib.scols_table_enable_colors(table, g->terminal->colour);
	for (size_t i = 0; i < g->column_count; i++) {
		const struct grid_column *column = &g->columns[i];
		struct libscols_column *c;

		if (g->widths[i] == 0)
			continue;
		c = lib.scols_table_new_column(
		    table, column->heading, 0, column->right ? SCOLS_FL_RIGHT : 0);
		if (c == NULL)
			xalloc_end();
		if (g->terminal->colour)
			(void)lib.scols_cell_set_color(lib.scols_column_get_header(c), "bold");
	}
	return table;
}

static void
fill_table(const struct grid *g, struct libscols_table *table)
{
	struct buf text = { 0 };

	for (size_t row = 0; row < g->row_count; row++) {
		struct libscols_line *line = lib.scols_table_new_line(table, NULL);
		size_t cell = 0;

		if (line == NULL)
			xalloc_end();
		for (size_t i = 0; i < g->column_count; i++) {
			size_t at = row * g->column_count + i;

			if (g->widths[i] == 0)
				continue;
			buf_clear(&text);
			add_cell(g, i, g->cells[at] != NULL ? g->cells[at] : "-", &text);
			if (lib.scols_line_set_data(line, cell, buf_text(&text)) != 0)
				xalloc_end();
			if (g->colours[at] != NULL && g->terminal->colour)
				(void)lib.scols_cell_set_color(
				    lib.scols_line_get_cell(line, cell), g->colours[at]);
			cell++;
		}
	}
	buf_release(&text);
}

char *
grid_to_text(const struct grid *g)
{
	struct libscols_table *table;
	char *text = NULL, *copy;

	load();
	table = make_table(g);
	if (g->row_count > 0) {
		fill_table(g, table);
		if (lib.scols_print_table_to_string(table, &text) != 0)
			xalloc_end();
	}
	lib.scols_unref_table(table);
	copy = xstrdup(text != NULL ? text : "");
	free(text);
	return copy;
}
