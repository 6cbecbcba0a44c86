#include "report/vendors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/whole_file.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define NAME_MAX_LEN 128 /* what is longer is cut */

struct vendor {
	uint64_t prefix; /* of 48 bits, the rest zero */
	unsigned bits;
	size_t name; /* in `names` */
};

struct vendors {
	struct vendor *items; /* by prefix, the shorter first */
	size_t count, room;
	struct buf names; /* each with its NUL */
};

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "00-1B-21", "00:1B:C5:00:00:00/36", "001B21": 6 to 12 digits. */
static bool
read_prefix(struct span *s, uint64_t *prefix, unsigned *bits)
{
	unsigned digits = 0, given = 0;

	*prefix = 0;
	while (s->len > 0 && digits < 12) {
		int value = hex_value(s->data[0]);

		if (value < 0 && (s->data[0] == '-' || s->data[0] == ':') && digits > 0) {
			(void)!span_skip(s, 1);
			continue;
		}
		if (value < 0)
			break;
		*prefix = *prefix << 4 | (uint64_t)value;
		digits++;
		(void)!span_skip(s, 1);
	}
	if (s->len > 0 && s->data[0] == '/') {
		(void)!span_skip(s, 1);
		while (s->len > 0 && s->data[0] >= '0' && s->data[0] <= '9' && given < 100) {
			given = given * 10 + (unsigned)(s->data[0] - '0');
			(void)!span_skip(s, 1);
		}
	}
	if (digits < 6)
		return false;
	*prefix <<= 4 * (12 - digits);
	*bits = given != 0 ? given : 4 * digits;
	return *bits >= 24 && *bits <= 48;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		(void)!span_skip(&s, 1);
	while (s.len > 0 && s.data[s.len - 1] <= ' ')
		s.len--;
	return s;
}

static bool
skip_text(struct span *s, const char *text)
{
	size_t len = strlen(text);

	return span_equals(span_first(*s, len), span_from_text(text)) && span_skip(s, len);
}

static void
add(struct vendors *v, uint64_t prefix, unsigned bits, struct span name)
{
	name = span_first(trim(name), NAME_MAX_LEN);
	if (name.len == 0)
		return;
	v->items = xgrow(v->items, v->count, &v->room, sizeof(*v->items));
	v->items[v->count++] = (struct vendor){ prefix, bits, v->names.len };
	buf_add(&v->names, name.data, name.len);
	buf_add_char(&v->names, '\0');
}

/* RFC 4180, for one field.  A doubled quote stays doubled: no vendor's name has quotes. */
static struct span
csv_field(struct span s)
{
	bool quoted = s.len > 0 && s.data[0] == '"';
	size_t len = 0;

	if (quoted)
		(void)!span_skip(&s, 1);
	while (len < s.len && s.data[len] != (quoted ? '"' : ','))
		len++;
	return span_first(s, len);
}

/* "Intel" or, where there is one, what stands behind the next tab: "Intel Corporate". */
static struct span
manuf_name(struct span s)
{
	const uint8_t *tab;

	s = trim(s);
	tab = s.len > 0 ? memchr(s.data, '\t', s.len) : NULL;
	if (tab == NULL)
		return s;
	(void)!span_skip(&s, (size_t)(tab - s.data));
	s = trim(s);
	tab = s.len > 0 ? memchr(s.data, '\t', s.len) : NULL;
	return tab != NULL ? span_first(s, (size_t)(tab - s.data)) : s;
}

/* The block that the last line of hwdb named; `bits` 0: none. */
struct pending {
	uint64_t prefix;
	unsigned bits;
};

static void
take_line(struct vendors *v, struct span line, struct pending *pending)
{
	uint64_t prefix;
	unsigned bits;

	if (line.len > 0 && line.data[0] == ' ') {
		line = trim(line);
		if (pending->bits != 0 && skip_text(&line, "ID_OUI_FROM_DATABASE="))
			add(v, pending->prefix, pending->bits, line);
		return;
	}
	pending->bits = 0;
	if (skip_text(&line, "OUI:")) {
		if (read_prefix(&line, &pending->prefix, &pending->bits) && !skip_text(&line, "*"))
			pending->bits = 0;
	} else if (skip_text(&line, "MA-L,") || skip_text(&line, "MA-M,") ||
		   skip_text(&line, "MA-S,")) {
		if (read_prefix(&line, &prefix, &bits) && skip_text(&line, ","))
			add(v, prefix, bits, csv_field(line));
	} else if (read_prefix(&line, &prefix, &bits) && line.len > 0 && line.data[0] <= ' ') {
		line = trim(line);
		if (!skip_text(&line, "(base 16)")) /* once, by its other form */
			add(v, prefix, bits, skip_text(&line, "(hex)") ? line : manuf_name(line));
	}
}

static int
compare(const void *a, const void *b)
{
	const struct vendor *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return (x->bits > y->bits) - (x->bits < y->bits);
}

static void
take_text(struct vendors *v, struct span text)
{
	struct pending pending = { 0 };

	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.data) : text.len;

		take_line(v, span_first(text, len), &pending);
		(void)!span_skip(&text, end != NULL ? len + 1 : len);
	}
}

static void
sort(struct vendors *v)
{
	if (v->count > 0)
		qsort(v->items, v->count, sizeof(*v->items), compare);
}

struct vendors *
vendors_from_text(struct span text)
{
	struct vendors *v = xcalloc(1, sizeof(*v));

	take_text(v, text);
	sort(v);
	return v;
}

/* One that is not there is no fault: another one may be.  Of too large a one the rest is left. */
static int
take_file(struct vendors *v, const char *path, struct error *err)
{
	struct buf text = { 0 };
	int result = 0;

	if (whole_file_read(path, VENDORS_FILE_MAX, &text) != 0 && errno != ENOENT &&
	    errno != ENOTDIR && errno != EFBIG) {
		error_set(err, "cannot read %s: %s", path, strerror(errno));
		result = -1;
	}
	take_text(v, span_from(text.data, text.len));
	buf_release(&text);
	return result;
}

int
vendors_open(struct vendors **out, struct error *err)
{
	/*
	 * The first row of which a file is there is enough; its files have blocks of different
	 * sizes.
	 */
	static const char *const paths[][3] = {
		{ "/usr/share/ieee-data/oui.csv", "/usr/share/ieee-data/mam.csv",
		    "/usr/share/ieee-data/oui36.csv" },
		{ "/usr/share/ieee-data/oui.txt" },
		{ "/usr/share/nmap/nmap-mac-prefixes" },
		{ "/usr/share/wireshark/manuf" },
		{ "/usr/lib/udev/hwdb.d/20-OUI.hwdb" },
	};
	struct vendors *v = xcalloc(1, sizeof(*v));
	int result = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && v->count == 0; i++) {
		for (size_t k = 0; k < 3 && paths[i][k] != NULL; k++)
			if (take_file(v, paths[i][k], err) != 0)
				result = -1;
	}
	if (v->count == 0) {
		vendors_free(v);
		v = NULL;
	} else {
		sort(v);
	}
	*out = v;
	return result;
}

void
vendors_free(struct vendors *v)
{
	if (v == NULL)
		return;
	free(v->items);
	buf_release(&v->names);
	free(v);
}

static const struct vendor *
find_prefix(const struct vendors *v, uint64_t mac, unsigned bits)
{
	const struct vendor wanted = {
		.prefix = mac & (UINT64_MAX << (48 - bits)),
		.bits = bits,
	};

	return v->count > 0 ? bsearch(&wanted, v->items, v->count, sizeof(*v->items), compare)
			    : NULL;
}

const char *
vendors_find(const struct vendors *v, const uint8_t mac[6])
{
	uint64_t number = 0;

	for (int i = 0; i < 6; i++)
		number = number << 8 | mac[i];
	for (unsigned bits = 48; bits >= 24; bits--) {
		const struct vendor *found = find_prefix(v, number, bits);

		if (found != NULL)
			return v->names.data + found->name;
	}
	return NULL;
}
