#include "report/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/whole_file.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define FIELDS_MAX 4
#define RECORD_LINES_MAX 16

struct item {
	struct network network;
	char *name, *owner, *note; /* owned */
	unsigned line;
	struct owner shown; /* the same, for the caller */
};

struct owners {
	struct item *items; /* by family, prefix length, address, line */
	size_t count, room, bad_count;
	uint8_t separator; /* between fields: of the first line that has any; 0: not known yet */
	bool has_begun;    /* a line was read that is no comment */
	bool has_prefix[2][129]; /* IPv4, IPv6 */
	owners_fault_fn fault;
	void *arg;
};

static void
report_fault(struct owners *o, unsigned line, const char *what)
{
	o->bad_count++;
	o->fault(o->arg, line, what);
}

/*
 * Spreadsheets write a semicolon where the comma is the decimal point, and tabs when asked: what
 * comes first is it, as no address has any of them.  0: there is none.
 */
static uint8_t
find_separator(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == ',' || line.data[i] == ';' || line.data[i] == '\t')
			return line.data[i];
	}
	return 0;
}

static const char unended_quote[] =
    "a quoted field does not end on its line, or has text behind its quote";

static bool
begins_with(struct span s, uint8_t c)
{
	return s.len > 0 && s.data[0] == c;
}

/*
 * Up to the quote that ends it; a doubled one stands for itself, and a line's end for a blank.
 * False: it does not end, or does so in front of something that is no separator.
 */
static bool
read_quoted(struct span *s, uint8_t separator, struct buf *text)
{
	uint8_t c;

	while (span_read_u8(s, &c)) {
		if (c == '"' && !begins_with(*s, '"'))
			return s->len == 0 || s->data[0] == separator;
		if (c == '"' || (c == '\r' && begins_with(*s, '\n')))
			(void)!span_skip(s, 1);
		buf_add_char(text, c == '\r' || c == '\n' ? ' ' : (char)c);
	}
	return false;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Up to the separator, without the blanks in front of it. */
static void
read_plain(struct span *s, uint8_t separator, struct buf *text)
{
	uint8_t c;

	while (span_peek_u8(*s, &c) && c != separator && span_skip(s, 1))
		buf_add_char(text, (char)c);
	while (text->len > 0 && is_blank((uint8_t)text->data[text->len - 1]))
		text->len--;
}

/*
 * The next field, as a text of its own; moves behind the separator, if there is one: then *more.
 * NULL, and *what says what is wrong.
 */
static char *
read_field(struct span *s, uint8_t separator, bool *more, const char **what)
{
	struct buf text = { 0 };
	char *field = NULL;
	uint8_t c;

	/* People align columns with blanks. */
	while (span_peek_u8(*s, &c) && is_blank(c) && c != separator)
		(void)!span_skip(s, 1);
	if (span_peek_u8(*s, &c) && c == '"') {
		if (!span_skip(s, 1) || !read_quoted(s, separator, &text)) {
			*what = unended_quote;
			goto out;
		}
	} else {
		read_plain(s, separator, &text);
	}
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
		*what = "a field has a NUL in it";
		goto out;
	}
	*more = s->len > 0 && span_skip(s, 1);
	field = xstrdup(buf_text(&text));
out:
	buf_release(&text);
	return field;
}

static void
free_fields(char *fields[FIELDS_MAX])
{
	for (size_t i = 0; i < FIELDS_MAX; i++)
		free(fields[i]);
}

/* Returns how many; 0, and *what says what is wrong. */
static size_t
read_fields(struct span line, uint8_t separator, char *fields[FIELDS_MAX], const char **what)
{
	size_t count = 0;
	bool more = true;

	while (more) {
		if (count == FIELDS_MAX) {
			*what = "has more than four fields: address, name, owner, note";
			return 0;
		}
		fields[count] = read_field(&line, separator, &more, what);
		if (fields[count] == NULL)
			return 0;
		count++;
	}
	return count;
}

/* As spreadsheets write empty rows. */
static bool
are_empty(char *const fields[FIELDS_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i][0] != '\0')
			return false;
	}
	return true;
}

/* Takes the text out of `field`; NULL for an empty one. */
static char *
take_field(char **field)
{
	char *text = *field;

	if (text == NULL || text[0] == '\0')
		return NULL;
	*field = NULL;
	return text;
}

static void
add(struct owners *o, unsigned line, const struct network *network, char *fields[FIELDS_MAX])
{
	struct item *item;

	o->items = xgrow(o->items, o->count, &o->room, sizeof(*o->items));
	item = &o->items[o->count++];
	*item = (struct item){
		.network = *network,
		.name = take_field(&fields[1]),
		.owner = take_field(&fields[2]),
		.note = take_field(&fields[3]),
		.line = line,
	};
	item->shown = (struct owner){
		.is_network = network->prefix_len < (network->addr.family == 6 ? 128 : 32),
		.name = item->name,
		.owner = item->owner,
		.note = item->note,
	};
	o->has_prefix[network->addr.family == 6][network->prefix_len] = true;
}

/*
 * "address", in any language: an address has digits or a colon.  "IPv4 address" is one, too: what
 * has neither a dot nor a colon is no address with a slip.
 */
static bool
is_heading(const char *field)
{
	/* With any of these a word is no number of any base. */
	static const char letters[] = "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ";

	if (field[strcspn(field, "0123456789:")] == '\0')
		return field[0] != '\0';
	return field[strcspn(field, ".:")] == '\0' && field[strcspn(field, letters)] != '\0';
}

static void
take_line(struct owners *o, struct span line, unsigned number)
{
	char *fields[FIELDS_MAX] = { NULL };
	const char *what = "";
	bool is_first = !o->has_begun;
	struct network network;
	size_t count;

	if (line.len == 0 || line.data[0] == '#')
		return;
	o->has_begun = true;
	if (o->separator == 0)
		o->separator = find_separator(line);
	count = read_fields(line, o->separator != 0 ? o->separator : ',', fields, &what);
	if (count == 0)
		report_fault(o, number, what);
	else if (are_empty(fields, count) || (is_first && is_heading(fields[0])))
		;
	else if (!network_from_text(fields[0], &network))
		report_fault(o, number, "the first field is no address and no network");
	else if (count < 2)
		report_fault(o, number, "there is no name behind the address");
	else
		add(o, number, &network, fields);
	free_fields(fields);
}

static int
compare_networks(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->network.addr.family != y->network.addr.family)
		return x->network.addr.family - y->network.addr.family;
	if (x->network.prefix_len != y->network.prefix_len)
		return x->network.prefix_len < y->network.prefix_len ? -1 : 1;
	return addr_compare(&x->network.addr, &y->network.addr);
}

static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = compare_networks(a, b);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void
free_item(struct item *item)
{
	free(item->name);
	free(item->owner);
	free(item->note);
}

/* Of two lines for one network the first counts. */
static void
sort_and_drop_repeated(struct owners *o)
{
	size_t kept = 0;

	if (o->count == 0)
		return;
	qsort(o->items, o->count, sizeof(*o->items), compare);
	for (size_t i = 0; i < o->count; i++) {
		if (kept > 0 && compare_networks(&o->items[kept - 1], &o->items[i]) == 0) {
			report_fault(o, o->items[i].line, "this network was given before");
			free_item(&o->items[i]);
		} else {
			o->items[kept++] = o->items[i];
		}
	}
	o->count = kept;
}

/* Lines end in LF, CR LF, or CR, which a spreadsheet on a Macintosh may write. */
static struct span
take_to_end_of_line(struct span *text)
{
	struct span line = { text->data, 0 };

	while (line.len < text->len && text->data[line.len] != '\n' && text->data[line.len] != '\r')
		line.len++;
	(void)!span_skip(text, line.len);
	if (text->len > 1 && text->data[0] == '\r' && text->data[1] == '\n')
		(void)!span_skip(text, 1);
	if (text->len > 0)
		(void)!span_skip(text, 1);
	return line;
}

enum record_end { RECORD_WHOLE, RECORD_GOES_ON, RECORD_BAD };

static enum record_end
find_end(struct span record, uint8_t separator)
{
	const char *what = "";
	bool more = true;

	while (more) {
		char *field = read_field(&record, separator, &more, &what);

		if (field == NULL)
			return what == unended_quote && record.len == 0 ? RECORD_GOES_ON
									: RECORD_BAD;
		free(field);
	}
	return RECORD_WHOLE;
}

/*
 * RFC 4180, section 2: a quoted field may go on in the next line.  Where it never ends, a quote is
 * missing in the first line, which is taken alone, so that no other is lost with it.
 */
static struct span
take_record(struct owners *o, struct span *text, unsigned *line_count)
{
	struct span line = take_to_end_of_line(text), record = line, rest = *text, next;
	uint8_t separator = o->separator != 0 ? o->separator : find_separator(line);

	*line_count = 1;
	if (begins_with(line, '#'))
		return line;
	for (unsigned count = 1; count <= RECORD_LINES_MAX; count++) {
		enum record_end end = find_end(record, separator);

		if (end == RECORD_WHOLE) {
			*line_count = count;
			*text = rest;
			return record;
		}
		if (end == RECORD_BAD || rest.len == 0)
			break;
		next = take_to_end_of_line(&rest);
		record.len = (size_t)(next.data + next.len - line.data);
	}
	return line;
}

struct owners *
owners_from_text(struct span text, owners_fault_fn fault, void *arg)
{
	struct owners *o = xcalloc(1, sizeof(*o));
	unsigned number = 1, line_count;

	o->fault = fault;
	o->arg = arg;
	/* Spreadsheets put a byte order mark in front. */
	if (span_equals(span_first(text, 3), span_from_text("\xef\xbb\xbf")))
		(void)!span_skip(&text, 3);
	for (; text.len > 0; number += line_count)
		take_line(o, take_record(o, &text, &line_count), number);
	sort_and_drop_repeated(o);
	return o;
}

struct owners *
owners_read_file(const char *path, owners_fault_fn fault, void *arg, struct error *err)
{
	struct owners *o = NULL;
	struct buf text = { 0 };

	if (whole_file_read(path, OWNERS_FILE_MAX, &text) == 0)
		o = owners_from_text(span_from(text.data, text.len), fault, arg);
	else if (errno == EFBIG)
		error_set(err, "%s has more than %zu MiB", path, OWNERS_FILE_MAX >> 20);
	else
		error_set(err, "cannot read %s: %s", path, strerror(errno));
	buf_release(&text);
	return o;
}

void
owners_free(struct owners *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->count; i++)
		free_item(&o->items[i]);
	free(o->items);
	free(o);
}

size_t
owners_bad_count(const struct owners *o)
{
	return o->bad_count;
}

static void
clear_host_bits(struct addr *a, unsigned prefix_len)
{
	for (unsigned i = 0; i < sizeof(a->bytes); i++) {
		unsigned keep = prefix_len > 8 * i ? prefix_len - 8 * i : 0;

		if (keep < 8)
			a->bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

const struct owner *
owners_find(const struct owners *o, const struct addr *a)
{
	struct addr plain = *a;
	bool is_v6 = !addr_unmap_v4(&plain) && a->family == 6;

	for (unsigned len = is_v6 ? 129 : 33; len-- > 0;) {
		struct item wanted = { .network = { plain, len } };
		const struct item *found;

		if (!o->has_prefix[is_v6][len])
			continue;
		clear_host_bits(&wanted.network.addr, len);
		found = bsearch(&wanted, o->items, o->count, sizeof(wanted), compare_networks);
		if (found != NULL)
			return &found->shown;
	}
	return NULL;
}
