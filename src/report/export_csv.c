/*
 * CSV: a record `coverage`, then one `inventory` per row, all with the same columns, so that any
 * reader of tables takes it.  UTF-8 without a mark, lines ending in CR LF.
 *
 * Source: RFC 4180, section 2.
 */
#include <string.h>

#include "base/timestamp.h"
#include "policy/printable.h"
#include "report/export_internal.h"
#include "report/summary.h"

#include "base/banned.h"

struct csv {
	struct buf *out;
	struct buf printable; /* room that is used again */
	/* Of the record `coverage`; NULL: an ordinary one. */
	const struct report *coverage;
	const char *sentence;
};

static bool
is_formula(const char *text)
{
	static const char *const wide[] = { "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\x9d",
		"\xef\xbc\xa0" };

	text += strspn(text, " ");
	if (*text != '\0' && strchr("=+-@\t\r\n", *text) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		if (strncmp(text, wide[i], 3) == 0)
			return true;
	}
	return false;
}

bool
export_is_defused(const char *text)
{
	return is_formula(text + strspn(text, "'"));
}

bool
export_is_defused_inside(const char *text)
{
	return is_formula(text + strspn(text, "'\" "));
}

static void
add_separator(struct csv *csv)
{
	if (csv->out->len > 0 && csv->out->data[csv->out->len - 1] != '\n')
		buf_add_char(csv->out, ',');
}

static void
add_field(struct csv *csv, const char *value)
{
	const char *text;
	bool defused, quote;

	buf_clear(&csv->printable);
	printable_add(&csv->printable, span_from_text(value), SIZE_MAX);
	text = buf_text(&csv->printable);
	defused = export_is_defused(text);
	quote = defused || text[strcspn(text, ",;\"\r\n\t'")] != '\0' || text[0] == ' ';
	if (quote)
		buf_add_char(csv->out, '"');
	if (defused)
		buf_add_char(csv->out, '\'');
	for (; *text != '\0'; text++) {
		/* RFC 4180, section 2, item 7: a quote inside is doubled. */
		if (*text == '"')
			buf_add_char(csv->out, '"');
		buf_add_char(csv->out, *text);
		if (*text == ';' && export_is_defused_inside(text + 1))
			buf_add_char(csv->out, '\'');
	}
	if (quote)
		buf_add_char(csv->out, '"');
}

static void
write_name(void *arg, const char *name, const char *value)
{
	struct csv *csv = arg;

	(void)value;
	add_separator(csv);
	buf_add_text(csv->out, name);
}

static void
write_name_of_number(void *arg, const char *name, uint64_t value)
{
	(void)value;
	write_name(arg, name, NULL);
}

static void
write_text(void *arg, const char *name, const char *value)
{
	struct csv *csv = arg;

	(void)name;
	add_separator(csv);
	if (value != NULL)
		add_field(csv, value);
}

static void
write_number(void *arg, const char *name, uint64_t value)
{
	struct csv *csv = arg;

	(void)name;
	add_separator(csv);
	buf_add_u64(csv->out, value);
}

/* The coverage, in the columns that fit it; the others are empty. */
static void
write_coverage_text(void *arg, const char *name, const char *value)
{
	struct csv *csv = arg;
	const struct report_observed *o = &csv->coverage->observed;
	char text[TIMESTAMP_TEXT_LEN];

	(void)value;
	add_separator(csv);
	if (strcmp(name, "client_reason") == 0)
		add_field(csv, csv->sentence);
	else if (o->has_packets && strcmp(name, "first_seen") == 0)
		buf_add_text(csv->out, timestamp_to_text(o->begin_us, text));
	else if (o->has_packets && strcmp(name, "last_seen") == 0)
		buf_add_text(csv->out, timestamp_to_text(o->end_us, text));
}

static void
write_coverage_number(void *arg, const char *name, uint64_t value)
{
	struct csv *csv = arg;
	const struct report_observed *o = &csv->coverage->observed;

	(void)value;
	add_separator(csv);
	if (strcmp(name, "count") == 0)
		buf_add_u64(csv->out, o->handshake_count + o->cleartext_count);
}

static void
write_record(const char *record, const struct report_client *c, size_t index,
    const struct export_visitor *v, struct buf *out)
{
	buf_add_text(out, record);
	export_visit_identity(c, v);
	export_visit_row(c, index, v);
	export_visit_summary(c, v);
	buf_add_text(out, "\r\n");
}

/* The other forms have a member for it; here a client that is missing would look as if it were
 * gone. */
static void
add_verdicts(const struct export_view *view, struct buf *sentence)
{
	const char *separator = SUMMARY_VERDICTS_ONLY;

	for (int i = 0; i < VERDICT_COUNT; i++) {
		if ((view->verdicts & 1U << i) == 0)
			continue;
		buf_addf(sentence, "%s%s", separator, verdict_name((enum verdict)i));
		separator = ", ";
	}
	if (view->verdicts != 0)
		buf_add_char(sentence, '.');
}

static void
write_head(struct csv *csv, const struct report *r, const struct report_options *options,
    const struct export_view *view)
{
	struct report_row no_row = { 0 };
	struct report_detail no_detail = { 0 };
	const struct report_client nobody = { .rows = &no_row, .details = &no_detail };
	const struct export_visitor names = { write_name, write_name_of_number, csv };
	const struct export_visitor coverage = { write_coverage_text, write_coverage_number, csv };
	struct buf sentence = { 0 };

	write_record("record", &nobody, 0, &names, csv->out);
	summary_add_coverage(r, options, &sentence);
	add_verdicts(view, &sentence);
	csv->coverage = r;
	csv->sentence = buf_text(&sentence);
	write_record("coverage", &nobody, 0, &coverage, csv->out);
	csv->sentence = NULL;
	buf_release(&sentence);
}

void
export_write_csv(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out)
{
	struct csv csv = { .out = out };
	const struct export_visitor values = { write_text, write_number, &csv };

	write_head(&csv, r, options, view);
	for (size_t i = 0; i < r->client_count; i++) {
		const struct report_client *c = &r->clients[i];

		for (size_t k = 0; export_is_shown(view, c) && k < c->row_count; k++)
			write_record("inventory", c, k, &values, out);
	}
	buf_release(&csv.printable);
}
