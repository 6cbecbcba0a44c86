/* The data file: etc/switching-off.conf explains its form to people. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostname.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "policy/switch_off_internal.h"
#include "tls/names.h"

#include "base/banned.h"

#define LINE_LEN_MAX 4096
#define NAME_LEN_MAX 80
#define SHOWN_MAX 60

/* What a line means to the service that it belongs to. */
enum kind {
	KIND_TEXT, /* for people only */
	KIND_VERSION,
	KIND_PROTOCOL,
	KIND_PORT,
	KIND_BELOW,
	KIND_DATE,
	KIND_HOST,
	KIND_LEGACY_HOST,
	KIND_NETWORK,
};

static const struct {
	const char *name;
	enum kind kind;
} keys[] = {
	{ "source", KIND_TEXT },
	{ "note", KIND_TEXT },
	{ "version", KIND_VERSION },
	{ "protocol", KIND_PROTOCOL },
	{ "port", KIND_PORT },
	{ "below", KIND_BELOW },
	{ "switch_off", KIND_DATE },
	{ "host", KIND_HOST },
	{ "legacy_host", KIND_LEGACY_HOST },
	{ "network", KIND_NETWORK },
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))
#define KEY_NAMES                                                                                  \
	"source, note, version, protocol, port, below, switch_off, host, legacy_host and network"

struct reader {
	struct switch_off *list;
	switch_off_fault_fn fault;
	void *arg;
	size_t fault_count;
	unsigned line;

	/* The service that is being read. */
	bool open, spoilt;
	unsigned first_line;
	unsigned given; /* bit 1 << enum kind each: what may be said once */
	struct switch_off_entry entry;
	size_t first_host, first_network; /* of the list: what is to go with a spoilt one */
};

static void __attribute__((format(printf, 3, 4)))
fault_at(struct reader *r, unsigned line, const char *format, ...)
{
	char text[ERROR_TEXT_LEN];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->fault(r->arg, line, text);
	r->fault_count++;
}

/* The line spoils its service. */
static void __attribute__((format(printf, 2, 3))) spoil(struct reader *r, const char *format, ...)
{
	char text[ERROR_TEXT_LEN];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->spoilt = true;
	fault_at(r, r->line,
	    "%s; the service is left out, so that it is not taken for more than "
	    "was meant",
	    text);
}

static void
drop_since(struct reader *r)
{
	struct switch_off *s = r->list;

	while (s->host_count > r->first_host)
		free(s->hosts[--s->host_count].name);
	s->network_count = r->first_network;
	free(r->entry.name);
}

static void
end_service(struct reader *r)
{
	const struct switch_off *s = r->list;
	unsigned line = r->line;

	if (!r->open)
		return;
	r->open = false;
	r->line = r->first_line; /* what is missing is told where the service begins */
	if (!r->spoilt && !r->entry.has_version)
		spoil(r, "the service has no version: say how old its data is, such as version = "
			 "2026-07-01");
	if (!r->spoilt && r->entry.below == 0 && r->entry.has_date)
		spoil(r, "the service has a switch_off but nothing to switch off: say below = "
			 "TLSv1.2");
	if (!r->spoilt && s->host_count == r->first_host && s->network_count == r->first_network)
		spoil(r, "the service has no host and no network");
	if (r->spoilt)
		drop_since(r);
	else
		(void)switch_off_take_entry(r->list, r->entry);
	r->line = line;
}

static void
begin_service(struct reader *r, const char *line, size_t len)
{
	size_t name_len = len - 2;

	end_service(r);
	r->open = true;
	r->spoilt = false;
	r->first_line = r->line;
	r->given = 0;
	r->first_host = r->list->host_count;
	r->first_network = r->list->network_count;
	r->entry = (struct switch_off_entry){ .name = xstrdup(""), .from_file = true };
	if (len < 3 || line[len - 1] != ']' || name_len > NAME_LEN_MAX ||
	    memchr(line + 1, ']', name_len) != NULL) {
		spoil(r,
		    "'%.*s' begins no service: write its name in [ and ], of at most %d "
		    "bytes, and nothing behind it",
		    SHOWN_MAX, line, NAME_LEN_MAX);
		return;
	}
	free(r->entry.name);
	r->entry.name = xcalloc(1, name_len + 1);
	memcpy(r->entry.name, line + 1, name_len);
}

static bool
parse_date(const char *text, int64_t *out)
{
	/* Of what timestamp.h understands, dates alone: an age would move with the clock. */
	return strlen(text) == 10 && text[4] == '-' && timestamp_from_text(text, 0, out);
}

static void
set_date(struct reader *r, const char *text, bool *has, int64_t *out)
{
	if (parse_date(text, out))
		*has = true;
	else
		spoil(r, "'%.*s' is no date: write it as 2026-07-01", SHOWN_MAX, text);
}

static void
set_below(struct reader *r, const char *text)
{
	r->entry.below = tls_version_from_text(text);
	if (r->entry.below == 0)
		spoil(r, "'%.*s' is no version: the first that stays is meant, such as TLSv1.2",
		    SHOWN_MAX, text);
}

static void
add_protocol(struct reader *r, const char *item)
{
	enum protocol protocol;

	if (protocol_from_text(item, strlen(item), &protocol))
		r->entry.protocols |= 1U << protocol;
	else
		spoil(r, "'%.*s' is no protocol: there are imap, pop3, smtp and tls", SHOWN_MAX,
		    item);
}

static void
add_port(struct reader *r, const char *item)
{
	char *end;
	unsigned long port = strtoul(item, &end, 10);

	if (item[0] < '0' || item[0] > '9' || *end != '\0' || port == 0 || port > UINT16_MAX)
		spoil(r, "'%.*s' is no port: give numbers from 1 to 65535", SHOWN_MAX, item);
	else if (r->entry.port_count == SWITCH_OFF_PORTS_MAX)
		spoil(r, "there may be %d ports", SWITCH_OFF_PORTS_MAX);
	else
		r->entry.ports[r->entry.port_count++] = (uint16_t)port;
}

static void
add_host(struct reader *r, char *item, bool legacy)
{
	size_t len = strlen(item);

	if (len > 1 && item[len - 1] == '.')
		item[len - 1] = '\0';
	hostname_to_lower(item);
	if (hostname_pattern_is_valid(item))
		switch_off_put_host(r->list, r->list->entry_count, item, legacy);
	else
		fault_at(r, r->line,
		    "'%.*s' is no host name: give one such as imap.example.com, or *.example.com "
		    "for all below it; the others of this service are used, this one counts as "
		    "any other server",
		    SHOWN_MAX, item);
}

static void
add_network(struct reader *r, const char *item)
{
	struct network network;

	if (network_from_text(item, &network))
		switch_off_put_network(r->list, r->list->entry_count, &network);
	else
		fault_at(r, r->line,
		    "'%.*s' is no network: give one such as 192.0.2.0/24 or 2001:db8::/32; the "
		    "others of this service are used, this one counts as any other server",
		    SHOWN_MAX, item);
}

static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

static void
take_item(struct reader *r, enum kind kind, char *item)
{
	switch (kind) {
	case KIND_TEXT:
		break;
	case KIND_VERSION:
		set_date(r, item, &r->entry.has_version, &r->entry.version_us);
		break;
	case KIND_PROTOCOL:
		add_protocol(r, item);
		break;
	case KIND_PORT:
		add_port(r, item);
		break;
	case KIND_BELOW:
		set_below(r, item);
		break;
	case KIND_DATE:
		if (strcmp(item, "unknown") != 0)
			set_date(r, item, &r->entry.has_date, &r->entry.date_us);
		break;
	case KIND_HOST:
		add_host(r, item, false);
		break;
	case KIND_LEGACY_HOST:
		add_host(r, item, true);
		break;
	case KIND_NETWORK:
		add_network(r, item);
		break;
	}
}

static bool
is_list(enum kind kind)
{
	return kind == KIND_PROTOCOL || kind == KIND_PORT || kind >= KIND_HOST;
}

static void
take_value(struct reader *r, const char *key, enum kind kind, char *value)
{
	if (kind != KIND_TEXT && !is_list(kind)) {
		if ((r->given & 1U << kind) != 0) {
			spoil(r, "%s is given twice for one service: once is enough", key);
			return;
		}
		r->given |= 1U << kind;
		take_item(r, kind, value);
		return;
	}
	while (is_list(kind) && value != NULL) {
		char *comma = strchr(value, ',');

		if (comma != NULL)
			*comma++ = '\0';
		take_item(r, kind, trim(value));
		value = comma;
	}
}

static void
take_setting(struct reader *r, char *line)
{
	char *equals = strchr(line, '='), *key;

	if (equals == NULL) {
		spoil(r, "'%.*s' is no setting: write key = value", SHOWN_MAX, line);
		return;
	}
	*equals = '\0';
	key = trim(line);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].name, key) == 0) {
			take_value(r, key, keys[i].kind, trim(equals + 1));
			return;
		}
	}
	spoil(r, "there is no key '%.*s'; there are " KEY_NAMES, SHOWN_MAX, key);
}

static void
take_line(struct reader *r, struct span bytes)
{
	char text[LINE_LEN_MAX + 1], *line;
	bool bad = bytes.len > LINE_LEN_MAX;

	for (size_t i = 0; !bad && i < bytes.len; i++)
		bad = (bytes.data[i] < 0x20 && bytes.data[i] != '\t') || bytes.data[i] == 0x7f;
	if (bad) {
		spoil(r, "the line holds a control character, or more than %d bytes", LINE_LEN_MAX);
		return;
	}
	if (bytes.len > 0)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	line = trim(text);
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (line[0] == '[')
		begin_service(r, line, strlen(line));
	else if (r->open)
		take_setting(r, line);
	else
		spoil(r, "'%.*s' stands before the first service: put it below a line [NAME]",
		    SHOWN_MAX, line);
}

size_t
switch_off_read(struct switch_off *s, struct span text, switch_off_fault_fn fault, void *arg)
{
	struct reader r = { .list = s, .fault = fault, .arg = arg };

	/* The mark that some editors put in front of UTF-8. */
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = span_from(text.data + 3, text.len - 3);
	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
		struct span line = span_first(text, len);

		r.line++;
		text = span_from(text.data + len + (end != NULL), text.len - len - (end != NULL));
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		take_line(&r, line);
	}
	end_service(&r);
	switch_off_sort(s);
	return r.fault_count;
}
