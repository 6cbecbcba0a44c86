/* Exports read back: what a field means. */
#include "report/diff_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_reader.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "policy/printable.h"
#include "tls/names.h"

#include "base/banned.h"

/* A value that is a number or a name of ours is short. */
#define SHORT_LEN 64

void
import_record_release(struct import_record *r)
{
	buf_release(&r->sensor);
	buf_release(&r->name);
	buf_release(&r->server);
}

void
import_begin_row(struct import_record *r)
{
	buf_clear(&r->server);
	r->row = (struct diff_row){ 0 };
	r->has_verdict = r->has_outcome = r->has_times = false;
}

static bool
parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text < '0' || *text > '9' || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

static bool
parse_time(const char *text, int64_t *out)
{
	/* An age is no time here. */
	return strchr(text, 'T') != NULL && timestamp_from_text(text, 0, out);
}

static bool
parse_mac(const char *text, uint8_t mac[6])
{
	for (size_t i = 0; i < 6; i++, text += 3) {
		unsigned value = 0;

		for (size_t k = 0; k < 2; k++) {
			const char *digits = "0123456789abcdef";
			const char *digit = text[k] != '\0' ? strchr(digits, text[k]) : NULL;

			if (digit == NULL)
				return false;
			value = value << 4 | (unsigned)(digit - digits);
		}
		mac[i] = (uint8_t)value;
		if (text[2] != (i < 5 ? ':' : '\0'))
			return false;
	}
	return true;
}

static bool
parse_outcome(const char *text, enum outcome *out)
{
	for (int i = 0; i <= OUTCOME_CLEARTEXT; i++) {
		if (strcmp(text, outcome_name((enum outcome)i)) != 0)
			continue;
		*out = (enum outcome)i;
		return true;
	}
	return false;
}

static bool
parse_protocol(const char *text, enum protocol *out)
{
	for (int i = PROTOCOL_TLS; i < PROTOCOL_COUNT; i++) {
		if (strcmp(text, protocol_name((enum protocol)i)) != 0)
			continue;
		*out = (enum protocol)i;
		return true;
	}
	return false;
}

static bool
parse_version(const char *text, uint16_t *out)
{
	*out = tls_version_from_text(text);
	return *out != 0;
}

static bool
set_ip(struct import_record *r, const char *text)
{
	return addr_from_text(text, &r->ip);
}

static bool
set_mac(struct import_record *r, const char *text)
{
	r->has_mac = parse_mac(text, r->mac);
	return r->has_mac;
}

static bool
set_port(struct import_record *r, const char *text)
{
	uint64_t value;

	if (!parse_number(text, UINT16_MAX, &value))
		return false;
	r->row.server_port = (uint16_t)value;
	return true;
}

static bool
set_protocol(struct import_record *r, const char *text)
{
	return parse_protocol(text, &r->row.protocol);
}

static bool
set_version(struct import_record *r, const char *text)
{
	return parse_version(text, &r->row.tls_version);
}

static bool
set_offered(struct import_record *r, const char *text)
{
	return parse_version(text, &r->row.offered_version);
}

static bool
set_outcome(struct import_record *r, const char *text)
{
	r->has_outcome = parse_outcome(text, &r->row.outcome);
	return r->has_outcome;
}

static bool
set_verdict(struct import_record *r, const char *text)
{
	r->has_verdict = verdict_from_text(text, &r->row.verdict);
	return r->has_verdict;
}

static bool
set_count(struct import_record *r, const char *text)
{
	return parse_number(text, INT64_MAX, &r->row.count);
}

static bool
set_first(struct import_record *r, const char *text)
{
	return parse_time(text, &r->row.first_us);
}

static bool
set_last(struct import_record *r, const char *text)
{
	r->has_times = parse_time(text, &r->row.last_us);
	return r->has_times;
}

static const struct field {
	const char *name;
	bool (*set)(struct import_record *r, const char *text);
} fields[] = {
	{ "client", set_ip },
	{ "client_mac", set_mac },
	{ "server_port", set_port },
	{ "protocol", set_protocol },
	{ "tls_version", set_version },
	{ "offered_version", set_offered },
	{ "outcome", set_outcome },
	{ "verdict", set_verdict },
	{ "count", set_count },
	{ "first_seen", set_first },
	{ "last_seen", set_last },
};

static void
set_printable(struct buf *to, struct span value)
{
	buf_clear(to);
	printable_add(to, value, SIZE_MAX);
}

void
import_set(struct import_record *r, const char *name, struct span value)
{
	char text[SHORT_LEN];

	if (strcmp(name, "sensor") == 0)
		set_printable(&r->sensor, value);
	else if (strcmp(name, "client_name") == 0)
		set_printable(&r->name, value);
	else if (strcmp(name, "server") == 0)
		set_printable(&r->server, value);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && value.len > 0; i++) {
		if (strcmp(name, fields[i].name) != 0)
			continue;
		text[0] = '\0';
		if (value.len < sizeof(text)) {
			memcpy(text, value.data, value.len);
			text[value.len] = '\0';
		}
		if (fields[i].set(r, text))
			return;
		r->bad = true;
		memcpy(r->what, name, strlen(name) + 1);
		return;
	}
}

/* Rows of one client come together; where they do not, diff_side_finish joins them. */
static struct diff_client *
client_of(struct import *im, struct import_record *r)
{
	struct diff_client *c = im->client > 0 ? &im->side->clients[im->client - 1] : NULL;

	if (c == NULL || !addr_equals(&c->ip, &r->ip) ||
	    strcmp(c->sensor, buf_text(&r->sensor)) != 0) {
		c = diff_side_add_client(im->side);
		c->ip = r->ip;
		c->sensor = xstrdup(buf_text(&r->sensor));
		im->client = im->side->client_count;
	}
	if (c->name == NULL && r->name.len > 0)
		c->name = xstrdup(buf_text(&r->name));
	if (!c->has_mac && r->has_mac) {
		c->has_mac = true;
		memcpy(c->mac, r->mac, sizeof(c->mac));
	}
	return c;
}

int
import_add(struct import *im, struct import_record *r, struct error *err)
{
	const struct network_set *clients = im->options->clients;
	unsigned long long number = ++im->row_count;
	struct diff_row *row;

	if (r->bad) {
		error_set(err, "%s: row %llu: \"%s\" holds what no export of tlstally has",
		    im->file, number, r->what);
		return -1;
	}
	if (r->ip.family == 0 || !r->has_verdict || !r->has_outcome || !r->has_times ||
	    r->row.protocol == PROTOCOL_NONE) {
		error_set(err,
		    "%s: row %llu lacks a client, protocol, outcome, verdict or time; it is no "
		    "export of tlstally",
		    im->file, number);
		return -1;
	}
	if (clients != NULL && clients->count > 0 && !network_set_contains(clients, &r->ip))
		return 0;
	row = diff_client_add_row(client_of(im, r));
	*row = r->row;
	row->server = xstrdup(buf_text(&r->server));
	return 0;
}

void
import_set_coverage(struct import *im, struct span begin, struct span end)
{
	char first[SHORT_LEN] = "", last[SHORT_LEN] = "";
	int64_t begin_us, end_us;

	if (begin.len == 0 || begin.len >= sizeof(first) || end.len == 0 || end.len >= sizeof(last))
		return;
	memcpy(first, begin.data, begin.len);
	memcpy(last, end.data, end.len);
	if (!parse_time(first, &begin_us) || !parse_time(last, &end_us) || begin_us > end_us)
		return;
	/* Where the days are known, there is only to say when it ended. */
	diff_side_add_interval(im->side, NULL, im->has_days ? end_us : begin_us, end_us);
}

bool
import_add_day(struct import *im, const char *sensor, const char *day, const char *seconds)
{
	int64_t begin_us;
	char *end;
	unsigned long count;

	errno = 0;
	count = strtoul(seconds, &end, 10);
	if (errno != 0 || end == seconds || *end != '\0' || count > USEC_PER_DAY / USEC_PER_SEC ||
	    strchr(day, '-') == NULL || !timestamp_from_text(day, 0, &begin_us))
		return false;
	/* Not after the end, because the export counts whole seconds. */
	diff_side_add_interval(im->side, sensor, begin_us,
	    begin_us + (count > 0 ? (int64_t)count * USEC_PER_SEC - 1 : 0));
	im->has_days = true;
	im->has_sensor_days = im->has_sensor_days || sensor != NULL;
	return true;
}

/* The first character tells the form. */
int
diff_side_import(struct diff_side *out, const char *name, struct span content,
    const struct diff_options *options, struct error *err)
{
	struct import im = { .side = out, .options = options, .file = name };
	struct span rest = content;
	int rc;

	*out = (struct diff_side){ 0 };
	rc = json_peek(&rest) == JSON_OBJECT ? import_json(&im, content, err)
					     : import_csv(&im, content, err);
	if (rc == 0 && !im.is_ours) {
		error_set(err,
		    "%s is neither a database of tlstally nor its export as JSON, NDJSON or CSV",
		    name);
		rc = -1;
	}
	if (im.has_sensor_days)
		diff_side_drop_unnamed(out);
	diff_side_finish(out);
	return rc;
}
