/*
 * What became of each client between two moments.
 *
 * Each client has a state at a moment; a change is a pair of states, so a series of diffs, each
 * from where the last one ended, tells each change once.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/diff_internal.h"

#include "base/banned.h"

static const char *const change_names[DIFF_CHANGE_COUNT] = {
	[DIFF_NEW] = "new",
	[DIFF_WORSE] = "worse",
	[DIFF_BACK] = "back",
	[DIFF_FIXED] = "fixed",
	[DIFF_QUIET] = "quiet",
};

const char *
diff_change_name(enum diff_change change)
{
	return change_names[change];
}

bool
diff_change_from_text(const char *text, enum diff_change *out)
{
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++) {
		if (strcmp(text, change_names[i]) != 0)
			continue;
		*out = (enum diff_change)i;
		return true;
	}
	return false;
}

enum condition {
	ABSENT, /* not seen yet */
	FINE,   /* nothing below the minimum, or all of it is known to be gone */
	QUIET,  /* below the minimum, but all that is left of it is overdue */
	OPEN,
};

struct state {
	enum condition condition;
	const struct diff_row *worst; /* of what is open, or quiet; NULL: neither */
	struct silence silence;       /* of `worst` */
	enum verdict known;           /* the worst of both: what is overdue is not gone yet */
	enum verdict rest;            /* of what is not below the minimum: ok, or unclear */
};

/* The latest success at one server, or with one protocol. */
struct success {
	bool any;
	int64_t first_us; /* the latest beginning of a row */
	int64_t last_us;
};

static void
add_success(struct success *s, const struct diff_row *row)
{
	if (!diff_is_good(row))
		return;
	if (!s->any || row->first_us > s->first_us)
		s->first_us = row->first_us;
	if (!s->any || row->last_us > s->last_us)
		s->last_us = row->last_us;
	s->any = true;
}

static bool
is_same_server(const struct diff_row *a, const struct diff_row *b)
{
	return a->server_port == b->server_port && strcmp(a->server, b->server) == 0;
}

/* Rows stand by server: where those of row `i` end. */
static size_t
end_of_server(const struct diff_client *c, size_t i)
{
	size_t end = i;

	while (end < c->row_count && is_same_server(&c->rows[i], &c->rows[end]))
		end++;
	return end;
}

/*
 * Successes have to go on to a later day: those of the same day say nothing of a row that comes
 * once a day.
 */
static bool
went_on_after(const struct success *s, const struct diff_row *row)
{
	return s->any && diff_day_floor(s->last_us) > row->last_us;
}

/*
 * Whether that way of connecting is known to be gone.  A success with the same server that began
 * after it had ended is enough.  Where good and bad went side by side, or the good one is with
 * another server, the bad one has to be overdue as well: it may be a second program that comes once
 * a week.
 */
static bool
is_gone(const struct diff_row *row, const struct silence *silence, const struct success *server,
    const struct success *protocol)
{
	if (server->any && server->first_us > row->last_us)
		return true;
	return silence->overdue && (went_on_after(server, row) || went_on_after(protocol, row));
}

/* What is open counts more than what is quiet, then the verdict, then the latest. */
static bool
is_worse(const struct state *state, bool open, const struct diff_row *row)
{
	if (state->worst == NULL || open != (state->condition == OPEN))
		return state->worst == NULL || open;
	if (row->verdict != state->worst->verdict)
		return row->verdict < state->worst->verdict;
	return row->last_us > state->worst->last_us;
}

static void
find_state(const struct diff_client *c, const struct observed_days *observed, int64_t at_day,
    struct state *out)
{
	struct success protocols[PROTOCOL_COUNT] = { 0 };

	*out = (struct state){
		.condition = c->row_count > 0 ? FINE : ABSENT,
		.known = VERDICT_OK,
		.rest = VERDICT_OK,
	};
	for (size_t i = 0; i < c->row_count; i++)
		add_success(&protocols[c->rows[i].protocol], &c->rows[i]);
	for (size_t i = 0, end; i < c->row_count; i = end) {
		struct success server = { 0 };

		end = end_of_server(c, i);
		for (size_t k = i; k < end; k++)
			add_success(&server, &c->rows[k]);
		for (size_t k = i; k < end; k++) {
			const struct diff_row *row = &c->rows[k];
			struct silence silence;

			if (!diff_is_bad(row->verdict)) {
				if (row->verdict < out->rest)
					out->rest = row->verdict;
				continue;
			}
			diff_silence_of(c, row, observed, at_day, &silence);
			if (is_gone(row, &silence, &server, &protocols[row->protocol]))
				continue;
			if (row->verdict < out->known)
				out->known = row->verdict;
			if (!is_worse(out, !silence.overdue, row))
				continue;
			out->condition = silence.overdue ? QUIET : OPEN;
			out->worst = row;
			out->silence = silence;
		}
	}
}

/* The latest success after `bad`, with its server if there is one, else with its protocol. */
static const struct diff_row *
find_good(const struct diff_client *c, const struct diff_row *bad)
{
	const struct diff_row *good = NULL;
	bool good_is_same = false;

	for (size_t i = 0; i < c->row_count; i++) {
		const struct diff_row *row = &c->rows[i];
		bool same = is_same_server(row, bad);

		if (!diff_is_good(row) || (!same && row->protocol != bad->protocol))
			continue;
		if (good != NULL && (same != good_is_same ? !same : row->last_us <= good->last_us))
			continue;
		good = row;
		good_is_same = same;
	}
	return good;
}

/* The same row as known at the later moment, where its last time need not be cut. */
static const struct diff_row *
find_same(const struct diff_client *c, const struct diff_row *row)
{
	for (size_t i = 0; i < c->row_count; i++) {
		if (diff_row_compare(&c->rows[i], row) == 0)
			return &c->rows[i];
	}
	return row;
}

/*
 * Whether what was below the minimum is known to be so no more.  An unclear row is not, while the
 * old tries go on beside others: which came first on a day in the past, the days do not tell, so
 * they would be told as fixed every night.
 */
static bool
is_mended(const struct diff_client *c, const struct diff_row *was,
    const struct observed_days *observed, int64_t at_day)
{
	const struct diff_row *row = find_same(c, was);
	struct success server = { 0 }, protocol = { 0 };
	struct silence silence;

	if (row->verdict != VERDICT_UNCLEAR)
		return true;
	for (size_t i = 0; i < c->row_count; i++) {
		if (is_same_server(&c->rows[i], row))
			add_success(&server, &c->rows[i]);
		if (c->rows[i].protocol == row->protocol)
			add_success(&protocol, &c->rows[i]);
	}
	diff_silence_of(c, row, observed, at_day, &silence);
	return is_gone(row, &silence, &server, &protocol);
}

static enum verdict
verdict_of(const struct state *s)
{
	return s->worst != NULL ? s->worst->verdict : VERDICT_OK;
}

/* False: nothing to tell. */
static bool
find_change(const struct state *old, const struct state *new, enum diff_change *out)
{
	switch (new->condition) {
	case OPEN:
		if (old->condition == ABSENT)
			*out = DIFF_NEW;
		else if (old->condition == QUIET)
			*out = DIFF_BACK;
		else
			*out = DIFF_WORSE;
		/*
		 * Days do not tell servers apart: what a client does with one of them once a week
		 * is overdue on most days, and is no news when it comes.
		 */
		return old->condition != OPEN || verdict_of(new) < old->known;
	case QUIET:
		/* It came and went between the two moments. */
		*out = old->condition == ABSENT ? DIFF_NEW : DIFF_QUIET;
		return old->condition == ABSENT || old->condition == OPEN;
	case FINE:
		*out = DIFF_FIXED;
		return old->condition == OPEN || old->condition == QUIET;
	case ABSENT:
		break;
	}
	return false;
}

static void
add_item(struct diff *out, enum diff_change change, const struct diff_client *c,
    const struct state *old, const struct state *new)
{
	const struct state *shown = change == DIFF_FIXED || change == DIFF_QUIET ? old : new;
	struct diff_item *item;

	/* A change is always about a row that was, or is, below the minimum. */
	assert(shown->worst != NULL);
	out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
	item = &out->items[out->count++];
	*item = (struct diff_item){
		.change = change,
		.client = c,
		.verdict = verdict_of(shown),
		.before = old->worst != NULL ? old->worst->verdict : old->rest,
		.after = verdict_of(new),
		.row = find_same(c, shown->worst),
		.good = change == DIFF_FIXED ? find_good(c, old->worst) : NULL,
		.silent_days =
		    change == DIFF_BACK ? old->silence.silent_days : new->silence.silent_days,
		.cadence_days =
		    change == DIFF_BACK ? old->silence.cadence_days : new->silence.cadence_days,
	};
	out->totals[change]++;
}

/* What both sides know of one client; rows and texts are borrowed. */
struct joined {
	struct joined *next;
	struct diff_client client;
};

/* Of a day that both sides know, the larger count is taken: both may be of the same sensor. */
static void
join_days(const struct diff_client *old, const struct diff_client *new, struct diff_client *out)
{
	size_t i = 0, k = 0;

	while (i < old->day_count || k < new->day_count) {
		int order = i == old->day_count   ? 1
			    : k == new->day_count ? -1
						  : diff_day_compare(&old->days[i], &new->days[k]);
		bool from_old =
		    order < 0 || (order == 0 && old->days[i].count > new->days[k].count);

		*diff_client_add_day(out) = from_old ? old->days[i] : new->days[k];
		i += order <= 0;
		k += order >= 0;
	}
}

static void
join_rows(const struct diff_client *old, const struct diff_client *new, struct diff_client *out)
{
	size_t i = 0, k = 0;

	while (i < old->row_count || k < new->row_count) {
		int order = i == old->row_count   ? 1
			    : k == new->row_count ? -1
						  : diff_row_compare(&old->rows[i], &new->rows[k]);
		struct diff_row *row = diff_client_add_row(out);

		if (order < 0) {
			*row = old->rows[i++];
			continue;
		}
		*row = new->rows[k++];
		if (order > 0)
			continue;
		/* One that begins where the other has ended has not counted the same. */
		if (row->first_us > old->rows[i].last_us)
			row->count += old->rows[i].count;
		else if (old->rows[i].count > row->count)
			row->count = old->rows[i].count;
		if (old->rows[i].first_us < row->first_us)
			row->first_us = old->rows[i].first_us;
		if (old->rows[i].last_us > row->last_us) {
			row->last_us = old->rows[i].last_us;
			row->is_cut = old->rows[i].is_cut;
		}
		i++;
	}
}

/* The later side may begin after the earlier one, and then knows only what came since. */
static const struct diff_client *
join(struct diff *d, const struct diff_client *old, const struct diff_client *new)
{
	struct joined *j = xcalloc(1, sizeof(*j));

	j->next = d->joined;
	d->joined = j;
	j->client = *new;
	if (new->name == NULL)
		j->client.name = old->name;
	if (!new->has_mac && old->has_mac) {
		j->client.has_mac = true;
		memcpy(j->client.mac, old->mac, sizeof(old->mac));
	}
	j->client.rows = NULL;
	j->client.days = NULL;
	j->client.row_count = j->client.row_room = 0;
	j->client.day_count = j->client.day_room = 0;
	join_rows(old, new, &j->client);
	join_days(old, new, &j->client);
	return &j->client;
}

/* The last one that was made. */
static void
forget_joined(struct diff *d)
{
	struct joined *j = d->joined;

	d->joined = j->next;
	free(j->client.rows);
	free(j->client.days);
	free(j);
}

struct comparing {
	struct diff *out;
	struct sensor_days before, whole;
	int64_t old_end_us;
};

/*
 * Of what the later side knows better nothing is news: a database tells that a client comes once a
 * week where an export, which has no days, took it for quiet.
 */
static bool
is_news(const struct comparing *c, enum diff_change change, const struct state *after)
{
	if (change != DIFF_BACK)
		return true;
	assert(after->worst != NULL); /* it is open */
	return after->worst->last_us > c->old_end_us;
}

/* One of the two may be NULL. */
static void
compare_client(struct comparing *c, const struct diff_client *old, const struct diff_client *new)
{
	struct state before = { .condition = ABSENT, .rest = VERDICT_OK }, after;
	bool both = old != NULL && new != NULL;
	const struct diff_client *all = old != NULL ? old : new;
	const struct observed_days *observed;
	struct diff *out = c->out;
	int64_t to_day = out->to_us / USEC_PER_DAY;
	enum diff_change change;

	assert(old != NULL || new != NULL);
	if (both)
		all = join(out, old, new);
	if (old != NULL)
		find_state(old, sensor_days_of(&c->before, old->sensor),
		    out->from_us / USEC_PER_DAY, &before);
	observed = sensor_days_of(&c->whole, all->sensor);
	find_state(all, observed, to_day, &after);
	out->seen_count++;
	if (find_change(&before, &after, &change) && is_news(c, change, &after) &&
	    (change != DIFF_FIXED || is_mended(all, before.worst, observed, to_day))) {
		add_item(out, change, all, &before, &after);
		return;
	}
	out->unchanged_count += after.condition == OPEN;
	if (both)
		forget_joined(out);
}

static int
compare_items(const void *a, const void *b)
{
	const struct diff_item *x = a, *y = b;
	int order = (int)x->change - (int)y->change;

	if (order == 0)
		order = (int)x->verdict - (int)y->verdict;
	return order != 0 ? order : diff_client_compare(x->client, y->client);
}

void
diff_compare(struct diff *out, const struct diff_side *old, const struct diff_side *new,
    int64_t from_us, int64_t to_us)
{
	struct comparing c = {
		.out = out,
		.old_end_us = old->has_time ? old->end_us : INT64_MIN,
	};
	size_t i = 0, k = 0;

	*out = (struct diff){ .from_us = diff_day_floor(from_us), .to_us = diff_day_ceil(to_us) };
	diff_observed_init(&c.before, old, NULL);
	diff_observed_init(&c.whole, new, old);
	while (i < old->client_count || k < new->client_count) {
		int order = i == old->client_count ? 1
			    : k == new->client_count
				? -1
				: diff_client_compare(&old->clients[i], &new->clients[k]);

		compare_client(
		    &c, order <= 0 ? &old->clients[i] : NULL, order >= 0 ? &new->clients[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	if (out->count > 0)
		qsort(out->items, out->count, sizeof(*out->items), compare_items);
	sensor_days_release(&c.before);
	sensor_days_release(&c.whole);
}

void
diff_release(struct diff *d)
{
	while (d->joined != NULL)
		forget_joined(d);
	free(d->items);
	*d = (struct diff){ 0 };
}
