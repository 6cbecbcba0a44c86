/*
 * grid - cells in columns, fitted to a width, as lines of text.
 *
 * libsmartcols aligns and colours; what has to give way when the room is short, and in which order,
 * is decided here, because an address that is cut off is worse than a column that is missing.
 */
#ifndef TLSTALLY_REPORT_GRID_H
#define TLSTALLY_REPORT_GRID_H

#include "report/terminal.h"

struct grid_column {
	const char *heading;
	bool plain_cut;  /* cut without a sign that something is missing: dates */
	bool right;      /* numbers */
	bool port_stays; /* a name is cut in front of its port, which tells rows apart */
};

/* What gives way, the first step first; GRID_END ends the list. */
struct grid_step {
	enum { GRID_END, GRID_SHORTEN, GRID_DROP } action;
	size_t column;
	size_t least; /* GRID_SHORTEN leaves that many columns, and more where room is left */
};

struct grid {
	const struct grid_column *columns; /* borrowed */
	size_t column_count;
	const struct terminal *terminal; /* borrowed */
	char **cells;                    /* row by row; owned */
	const char **colours;            /* of each cell: a name for libsmartcols, or NULL */
	size_t row_count, room;
	size_t *widths; /* natural, then fitted; 0: dropped */
	size_t *whole;  /* of the widest cell that is not cut */
};

/* Spaces between two columns. */
#define GRID_SEPARATOR "  "

void grid_init(struct grid *g, const struct grid_column *columns, size_t column_count,
    const struct terminal *terminal);
void grid_release(struct grid *g);

/* Adds an empty row. */
void grid_add_row(struct grid *g);
/* Sets a cell of the last row to printable text. */
void grid_set(struct grid *g, size_t column, const char *text, const char *colour);
/* The last row's cell is not cut: its column stays that wide, or is dropped. */
void grid_keep_whole(struct grid *g, size_t column);

/* Takes the steps that are needed until a line has at most `width` columns; 0: none. */
void grid_fit(struct grid *g, size_t width, const struct grid_step *steps);
void grid_drop(struct grid *g, size_t column);
/* Cuts what is longer, so that one long name does not spread all lines. */
void grid_limit(struct grid *g, size_t column, size_t most);
/* Columns that a line takes. */
size_t grid_width(const struct grid *g);

/*
 * The text: a line of headings, then one line per row, separated by newlines and none padded at
 * its end.  Empty where there are no rows.  The caller frees it.
 */
char *grid_to_text(const struct grid *g);

#endif
