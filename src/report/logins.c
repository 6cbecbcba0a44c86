#include "report/logins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "policy/printable.h"

#include "base/banned.h"

/* With fewer other hours than this, a client's own hours do not tell what is usual for it. */
#define OWN_HOURS_MIN 6
#define NAME_TEXT_MAX 64

struct hour {
	struct addr client;
	char *sensor, *name;
	struct tally_hour hour;
	bool asked_for;
	bool by_sessions, by_names; /* it stands out */
	bool is_busiest;            /* of its client's that were asked for, the first one */
	bool by_own;                /* compared with the client's own hours, else with the others */
	uint64_t usual;
};

struct hours {
	const struct logins_options *options;
	struct hour *items; /* by client, then time */
	size_t count, room;
	size_t client_count;
	size_t asked_count, asked_client_count; /* of these, those that were asked for */
	const struct report_client **devices;   /* of the options, by address, then sensor */
	size_t device_count;
};

void
logins_options_init(struct logins_options *options)
{
	*options = (struct logins_options){ .min_sessions = 20, .factor = 5, .min_names = 5 };
}

static int
compare_owners(
    const struct addr *a, const char *a_sensor, const struct addr *b, const char *b_sensor)
{
	int order = addr_compare(a, b);

	return order != 0 ? order : strcmp(a_sensor, b_sensor);
}

static int
compare_devices(const void *a, const void *b)
{
	const struct report_client *x = *(const struct report_client *const *)a;
	const struct report_client *y = *(const struct report_client *const *)b;

	return compare_owners(&x->ip, x->sensor, &y->ip, y->sensor);
}

static int
compare_hour_with_device(const void *hour, const void *device)
{
	const struct hour *x = hour;
	const struct report_client *y = *(const struct report_client *const *)device;

	return compare_owners(&x->client, x->sensor, &y->ip, y->sensor);
}

static void
sort_devices(struct hours *h, const struct report *r)
{
	h->device_count = r != NULL ? r->client_count : 0;
	h->devices = xreallocarray(NULL, h->device_count + 1, sizeof(struct report_client *));
	for (size_t i = 0; i < h->device_count; i++)
		h->devices[i] = &r->clients[i];
	qsort(h->devices, h->device_count, sizeof(struct report_client *), compare_devices);
}

static const char *
name_of(const struct hours *h, const struct hour *x)
{
	const struct report_client *const *found = bsearch(x, h->devices, h->device_count,
	    sizeof(struct report_client *), compare_hour_with_device);

	return found != NULL && (*found)->name != NULL ? (*found)->name : x->name;
}

static bool
is_asked_for(const struct store_filter *f, const struct store_hour *hour)
{
	int64_t begin_us = hour->hour.hour * USEC_PER_HOUR;

	return (!f->has_since || begin_us + USEC_PER_HOUR > f->since_us) &&
	       (!f->has_until || begin_us < f->until_us) &&
	       (f->clients == NULL || network_set_contains(f->clients, &hour->client));
}

static bool
keep_hour(void *arg, const struct store_hour *hour)
{
	struct hours *h = arg;
	bool asked_for = is_asked_for(&h->options->filter, hour);

	h->asked_count += asked_for;
	h->items = xgrow(h->items, h->count, &h->room, sizeof(*h->items));
	h->items[h->count++] = (struct hour){
		.client = hour->client,
		.sensor = xstrdup(hour->sensor),
		.name = xstrdup(hour->client_name),
		.hour = hour->hour,
		.asked_for = asked_for,
	};
	return true;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The lower median of sorted numbers, without one of them, which is `without`. */
static uint64_t
median_without(const uint64_t *sorted, size_t count, uint64_t without)
{
	size_t middle;

	if (count < 2)
		return 0;
	middle = (count - 2) / 2;
	return sorted[middle] < without ? sorted[middle] : sorted[middle + 1];
}

/* Where the hours of the client end that begin at `first`. */
static size_t
end_of_client(const struct hours *h, size_t first)
{
	size_t i = first + 1;

	while (i < h->count && addr_equals(&h->items[i].client, &h->items[first].client) &&
	       strcmp(h->items[i].sensor, h->items[first].sensor) == 0)
		i++;
	return i;
}

/* Short sessions of the client's busiest hour. */
static uint64_t
busiest_of(const struct hours *h, size_t first, size_t end)
{
	uint64_t most = 0;

	for (size_t i = first; i < end; i++) {
		if (h->items[i].hour.short_sessions > most)
			most = h->items[i].hour.short_sessions;
	}
	return most;
}

/* False: none of the client's was asked for. */
static bool
mark_busiest(struct hours *h, size_t first, size_t end)
{
	struct hour *busiest = NULL;

	for (size_t i = first; i < end; i++) {
		struct hour *x = &h->items[i];

		if (x->asked_for &&
		    (busiest == NULL || x->hour.short_sessions > busiest->hour.short_sessions))
			busiest = x;
	}
	if (busiest != NULL)
		busiest->is_busiest = true;
	return busiest != NULL;
}

static void
judge_hour(struct hour *x, const struct logins_options *o)
{
	uint64_t value = x->hour.short_sessions;

	/* Rounded up: one session more than `factor` times as many is more. */
	x->by_sessions = value >= o->min_sessions && (value + o->factor - 1) / o->factor > x->usual;
	x->by_names = x->hour.failed_names >= o->min_names;
}

static void
judge_client(struct hours *h, size_t first, size_t end, const uint64_t *others)
{
	uint64_t *own = xreallocarray(NULL, end - first, sizeof(*own));
	uint64_t most = busiest_of(h, first, end);

	for (size_t i = first; i < end; i++)
		own[i - first] = h->items[i].hour.short_sessions;
	qsort(own, end - first, sizeof(*own), compare_numbers);
	for (size_t i = first; i < end; i++) {
		struct hour *x = &h->items[i];

		x->by_own = end - first > OWN_HOURS_MIN;
		x->usual = x->by_own ? median_without(own, end - first, x->hour.short_sessions)
				     : median_without(others, h->client_count, most);
		judge_hour(x, h->options);
	}
	free(own);
}

static void
judge(struct hours *h)
{
	uint64_t *others = xreallocarray(NULL, h->count + 1, sizeof(*others));

	for (size_t i = 0, end; i < h->count; i = end) {
		end = end_of_client(h, i);
		others[h->client_count++] = busiest_of(h, i, end);
		h->asked_client_count += mark_busiest(h, i, end);
	}
	qsort(others, h->client_count, sizeof(*others), compare_numbers);
	for (size_t i = 0, end; i < h->count; i = end) {
		end = end_of_client(h, i);
		judge_client(h, i, end, others);
	}
	free(others);
}

/* Hours with more names come first, then the busier ones; equal ones by client and time. */
static int
compare_hours(const void *a, const void *b)
{
	const struct hour *x = *(const struct hour *const *)a, *y = *(const struct hour *const *)b;

	if (x->hour.failed_names != y->hour.failed_names)
		return x->hour.failed_names > y->hour.failed_names ? -1 : 1;
	if (x->hour.short_sessions != y->hour.short_sessions)
		return x->hour.short_sessions > y->hour.short_sessions ? -1 : 1;
	return x < y ? -1 : 1;
}

static void
add_sessions(struct buf *out, const struct hour *x, size_t clients)
{
	buf_addf(out, "%" PRIu64 " of %" PRIu64 " sessions ended within seconds with little data",
	    x->hour.short_sessions, x->hour.sessions);
	if (x->by_own)
		buf_addf(out, "; in its other hours it has %" PRIu64, x->usual);
	else if (clients > 1)
		buf_addf(out, "; others have %" PRIu64 " in their busiest hour", x->usual);
	else
		buf_add_text(out, "; nothing to compare with");
}

static void
add_logins(struct buf *out, const struct hour *x)
{
	if (x->hour.failed_logins == 0 && x->hour.accepted_logins == 0)
		return;
	buf_addf(out, "; logins in the clear: %" PRIu64 " failed", x->hour.failed_logins);
	if (x->hour.failed_names > 0)
		buf_addf(out, " with %s%" PRIu32 " %s",
		    x->hour.failed_names == 1 ? "" : "at least ", x->hour.failed_names,
		    x->hour.failed_names == 1 ? "name" : "different names");
	buf_addf(out, ", %" PRIu64 " accepted", x->hour.accepted_logins);
}

static void
add_hour(struct buf *out, const struct hours *h, const struct hour *x)
{
	char ip[ADDR_TEXT_LEN], time[TIMESTAMP_TEXT_LEN];
	const char *name = name_of(h, x);

	timestamp_to_text(x->hour.hour * USEC_PER_HOUR, time);
	buf_addf(out, "%.10s %.5s  %s", time, time + 11, addr_to_text(&x->client, ip));
	if (name[0] != '\0') {
		buf_add_text(out, " (");
		printable_add(out, span_from_text(name), NAME_TEXT_MAX);
		buf_add_text(out, ")");
	}
	buf_add_text(out, ": ");
	add_sessions(out, x, h->client_count);
	add_logins(out, x);
	buf_add_text(out, "\n");
}

static const char explanation[] =
    "\nWhat this shows: numbers that stand out, as guessed passwords make them (MITRE ATT&CK\n"
    "T1110.003, password spraying); and with failed names in the clear, that one device tried\n"
    "several names. What it cannot show: inside TLS, whether a login was tried at all, whose, and\n"
    "whether it failed: a program that looks for mail every minute looks the same, and so does a\n"
    "proxy with many users behind it. Names are counted by a hash with a key that is never "
    "stored;\n"
    "the number is a lower bound. Slow guessing, below what is usual, does not stand out.\n";

static void
write_report(const struct hours *h, struct buf *out, size_t *count)
{
	const struct logins_options *o = h->options;
	const struct hour **shown = xreallocarray(NULL, h->count + 1, sizeof(*shown));
	size_t clients = h->asked_client_count, shown_count = 0;

	*count = 0;
	for (size_t i = 0; i < h->count; i++) {
		const struct hour *x = &h->items[i];
		bool stands_out = x->by_sessions || x->by_names;

		if (!x->asked_for)
			continue;
		*count += stands_out;
		if (stands_out || (o->all && x->is_busiest))
			shown[shown_count++] = x;
	}
	qsort(shown, shown_count, sizeof(*shown), compare_hours);
	if (!o->quiet)
		buf_addf(out, "%zu of %zu hour%s of %zu client%s stand%s out\n%s", *count,
		    h->asked_count, h->asked_count == 1 ? "" : "s", clients,
		    clients == 1 ? "" : "s", *count == 1 ? "s" : "", shown_count > 0 ? "\n" : "");
	for (size_t i = 0; i < shown_count; i++)
		add_hour(out, h, shown[i]);
	if (!o->quiet)
		buf_add_text(out, explanation);
	free(shown);
}

int
logins_report(struct store *s, const struct logins_options *options, struct buf *out, size_t *count,
    struct error *err)
{
	struct hours h = { .options = options };
	/* All are needed: an hour is compared with others, of its client or of other clients. */
	const struct store_filter filter = { .sensor = options->filter.sensor };
	int rc = store_each_hour(s, &filter, keep_hour, &h, err);

	if (rc == 0) {
		judge(&h);
		sort_devices(&h, options->devices);
		write_report(&h, out, count);
	}
	for (size_t i = 0; i < h.count; i++) {
		free(h.items[i].sensor);
		free(h.items[i].name);
	}
	free(h.items);
	free(h.devices);
	return rc;
}
