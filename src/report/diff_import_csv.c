/*
 * An export as CSV.
 *
 * Source: RFC 4180, section 2; lines may end in LF alone, as editors leave them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/printable.h"
#include "report/diff_import.h"
#include "report/export_internal.h"
#include "report/summary.h"

#include "base/banned.h"

/* No export has so many columns, nor so long a name of one. */
#define COLUMNS_MAX 256
#define COLUMN_NAME_MAX 64

/* The next field, unquoted.  *last: the line ends behind it.  False: the quotes are wrong. */
static bool
read_field(struct span *in, struct buf *out, bool *last)
{
	bool quoted = in->len > 0 && in->data[0] == '"';
	size_t i = quoted ? 1 : 0;

	buf_clear(out);
	for (; i < in->len; i++) {
		char c = (char)in->data[i];

		if (quoted && c == '"') {
			if (i + 1 < in->len && in->data[i + 1] == '"')
				i++;
			else
				break;
		} else if (!quoted && (c == ',' || c == '\r' || c == '\n')) {
			break;
		}
		buf_add_char(out, c);
	}
	if (quoted && i == in->len)
		return false;
	i += quoted;
	*last = i == in->len || in->data[i] != ',';
	if (*last && i < in->len && in->data[i] == '\r')
		i++;
	if (*last && i < in->len && in->data[i] != '\n')
		return false;
	if (i < in->len)
		i++;
	*in = span_from(in->data + i, in->len - i);
	return true;
}

/* The export puts one in front of a formula, also behind a semicolon. */
static struct span
without_apostrophes(struct buf *field)
{
	const char *text = buf_text(field);
	size_t kept = 0;

	for (size_t i = 0; i < field->len; i++) {
		bool is_first = i == 0 && export_is_defused(text + 1);
		bool is_inside =
		    i > 0 && text[i - 1] == ';' && export_is_defused_inside(text + i + 1);

		if (text[i] != '\'' || (!is_first && !is_inside))
			field->data[kept++] = text[i];
	}
	return span_from(field->data, kept);
}

struct table {
	struct import *im;
	char names[COLUMNS_MAX][COLUMN_NAME_MAX];
	size_t count;
	struct buf field, kind, sentence, begin, end;
};

static void
copy_text(struct buf *to, struct span from)
{
	buf_clear(to);
	buf_add(to, from.data, from.len);
}

static bool
read_names(struct table *t, struct span *in)
{
	bool last = false;

	while (!last && t->count < COLUMNS_MAX) {
		if (!read_field(in, &t->field, &last) || t->field.len >= COLUMN_NAME_MAX)
			return false;
		memcpy(t->names[t->count++], buf_text(&t->field), t->field.len + 1);
	}
	return last;
}

static bool
is_of_a_part(const char *sentence)
{
	static const char *const marks[] = { SUMMARY_SINCE, SUMMARY_UNTIL, SUMMARY_CLIENTS_ONLY,
		SUMMARY_VERDICTS_ONLY };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strstr(sentence, marks[i]) != NULL)
			return true;
	}
	return false;
}

static void
take_coverage(struct table *t)
{
	struct diff_side *side = t->im->side;

	import_set_coverage(
	    t->im, span_from(t->begin.data, t->begin.len), span_from(t->end.data, t->end.len));
	buf_clear(&t->field);
	printable_add(&t->field, span_from(t->sentence.data, t->sentence.len), SIZE_MAX);
	free(side->coverage);
	side->coverage = xstrdup(buf_text(&t->field));
	side->is_partial = is_of_a_part(side->coverage);
}

/* -1: a row is wrong; 1: no CSV. */
static int
read_line(struct table *t, struct span *in, struct error *err)
{
	struct import_record record = { 0 };
	bool last = false;
	int rc = 1;

	buf_clear(&t->kind);
	for (size_t i = 0; !last; i++) {
		struct span value;

		if (!read_field(in, &t->field, &last) || i >= t->count)
			goto out;
		value = without_apostrophes(&t->field);
		if (strcmp(t->names[i], "record") == 0)
			copy_text(&t->kind, value);
		else if (strcmp(t->names[i], "client_reason") == 0)
			copy_text(&t->sentence, value);
		else if (strcmp(t->names[i], "first_seen") == 0)
			copy_text(&t->begin, value);
		else if (strcmp(t->names[i], "last_seen") == 0)
			copy_text(&t->end, value);
		import_set(&record, t->names[i], value);
	}
	rc = 0;
	if (strcmp(buf_text(&t->kind), "inventory") == 0)
		rc = import_add(t->im, &record, err);
	else if (strcmp(buf_text(&t->kind), "coverage") == 0)
		take_coverage(t);
out:
	import_record_release(&record);
	return rc;
}

int
import_csv(struct import *im, struct span content, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf"; /* spreadsheets put it in front */
	struct table *t = xcalloc(1, sizeof(*t));
	struct span in = content;
	int rc = 0;

	t->im = im;
	if (in.len >= 3 && memcmp(in.data, mark, 3) == 0)
		in = span_from(in.data + 3, in.len - 3);
	if (read_names(t, &in) && strcmp(t->names[0], "record") == 0)
		im->is_ours = true;
	while (im->is_ours && rc == 0 && in.len > 0)
		rc = read_line(t, &in, err);
	if (rc == 1) {
		error_set(err, "%s is no CSV from its byte %zu on", im->file, content.len - in.len);
		rc = -1;
	}
	buf_release(&t->field);
	buf_release(&t->kind);
	buf_release(&t->sentence);
	buf_release(&t->begin);
	buf_release(&t->end);
	free(t);
	return rc;
}
