#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/policy_internal.h"

#include "base/banned.h"

#define FEW_FINDINGS 24

/*
 * A server is known by its name and by its address, so a success stands in the index under each:
 * under its name, under its address, and under its address among those that have no name of the
 * client's own choice.  The last is what a failure with such a name is compared with, because one
 * address may serve several names (the opt-in legacy endpoints beside the regular ones).
 *
 * A service has many addresses, and a client that is updated begins to name it: so a success at or
 * above the minimum also stands under its service, for failures of which the address alone is
 * known.
 */
enum success_kind { BY_NAME, BY_ADDR, BY_ADDR_UNNAMED, BY_SERVICE };

struct success {
	enum success_kind kind;
	const struct finding *finding; /* server, address and port; borrowed */
	const char *service;           /* BY_SERVICE */
	struct success_times times;
};

static uint8_t
lower(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* RFC 1034, section 3.1: the dot at the end is the root's. */
static int
bare_len(const struct event_text *name)
{
	return name->len > 0 && name->data[name->len - 1] == '.' ? name->len - 1 : name->len;
}

/* RFC 4343: host names are compared without regard to case. */
static int
compare_names(const struct event_text *a, const struct event_text *b)
{
	int a_len = bare_len(a), b_len = bare_len(b);

	if (a_len == b_len && memcmp(a->data, b->data, (size_t)a_len) == 0)
		return 0;
	for (int i = 0; i < a_len && i < b_len; i++) {
		int order = lower(a->data[i]) - lower(b->data[i]);

		if (order != 0)
			return order;
	}
	return a_len - b_len;
}

/* Equal, where most are not: the lengths come first. */
static bool
same_names(const struct event_text *a, const struct event_text *b)
{
	return bare_len(a) == bare_len(b) && compare_names(a, b) == 0;
}

/* From SNI or DNS: the name by which the client meant to reach this server and no other. */
static bool
has_clients_name(const struct finding *f)
{
	return f->server_name_source == NAME_SOURCE_SNI || f->server_name_source == NAME_SOURCE_DNS;
}

bool
policy_same_server(const struct finding *a, const struct finding *b)
{
	return a->key.server_port == b->key.server_port && policy_same_host(a, b);
}

bool
policy_same_host(const struct finding *a, const struct finding *b)
{
	if (same_names(&a->key.server, &b->key.server))
		return true;
	if (has_clients_name(a) && has_clients_name(b))
		return false;
	return a->server_ip.family != 0 && addr_equals(&a->server_ip, &b->server_ip);
}

static int
compare_success(const struct success *a, const struct success *b)
{
	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	if (a->finding->key.server_port != b->finding->key.server_port)
		return (int)a->finding->key.server_port - (int)b->finding->key.server_port;
	if (a->kind == BY_SERVICE)
		return strcmp(a->service, b->service);
	if (a->kind == BY_NAME)
		return compare_names(&a->finding->key.server, &b->finding->key.server);
	return addr_compare(&a->finding->server_ip, &b->finding->server_ip);
}

static int
compare_success_items(const void *a, const void *b)
{
	const struct success *x = a, *y = b;

	return compare_success(x, y);
}

static int64_t
later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * The latest time and its verdict: of an earlier one there would be no success behind a failure
 * that gets it.
 */
static void
add_latest(int64_t *last, enum verdict *verdict, int64_t from_last, enum verdict from_verdict)
{
	if (from_last > *last || (from_last == *last && from_verdict < *verdict))
		*verdict = from_verdict;
	*last = later_of(*last, from_last);
}

static void
add_enough(struct success_times *into, const struct success_times *from)
{
	if (from->enough_last == SUCCESS_NEVER)
		return;
	if (into->enough_last == SUCCESS_NEVER || from->enough_first < into->enough_first)
		into->enough_first = from->enough_first;
	into->enough_last = later_of(into->enough_last, from->enough_last);
}

static void
add_times(struct success_times *into, const struct success_times *from)
{
	add_enough(into, from);
	into->any_last = later_of(into->any_last, from->any_last);
	add_latest(
	    &into->legacy_last, &into->legacy_verdict, from->legacy_last, from->legacy_verdict);
	add_latest(&into->fallback_last, &into->fallback_verdict, from->fallback_last,
	    from->fallback_verdict);
	if (from->fallback_from > into->fallback_from)
		into->fallback_from = from->fallback_from;
	if (from->good_last == SUCCESS_NEVER)
		return;
	if (into->good_last == SUCCESS_NEVER || from->good_first < into->good_first)
		into->good_first = from->good_first;
	into->good_last = later_of(into->good_last, from->good_last);
}

static const struct success_times no_times = {
	.any_last = SUCCESS_NEVER,
	.good_first = SUCCESS_NEVER,
	.good_last = SUCCESS_NEVER,
	.legacy_last = SUCCESS_NEVER,
	.legacy_verdict = VERDICT_OK,
	.fallback_last = SUCCESS_NEVER,
	.fallback_verdict = VERDICT_OK,
	.enough_first = SUCCESS_NEVER,
	.enough_last = SUCCESS_NEVER,
};

static bool
counts(const struct policy *policy, const struct finding *f)
{
	return policy_is_success(f) || policy_failed_with_enough(policy, f);
}

static struct success_times
times_of(const struct policy *policy, const struct finding *f)
{
	struct success_times t = no_times;
	enum verdict verdict = policy_judge_success(policy, f);

	if (!policy_is_success(f)) {
		t.enough_first = f->first_us;
		t.enough_last = f->last_us;
		return t;
	}
	if (verdict == VERDICT_OK) {
		t.good_first = f->first_us;
		t.good_last = f->last_us;
	} else if (verdict == VERDICT_LEGACY || verdict == VERDICT_WILL_BREAK) {
		t.legacy_last = f->last_us;
		t.legacy_verdict = verdict;
	}
	t.any_last = f->last_us;
	if (f->fallback_count > 0) {
		t.fallback_last = f->last_us;
		t.fallback_from = f->fallback_from;
		t.fallback_verdict = verdict;
	}
	return t;
}

/* Sorts, and joins those of the same server; returns how many are left. */
static size_t
sort_and_join(struct success *items, size_t count)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), compare_success_items);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_success(&items[kept - 1], &items[i]) == 0)
			add_times(&items[kept - 1].times, &items[i].times);
		else
			items[kept++] = items[i];
	}
	return kept;
}

static void
index_servers(struct success_index *index)
{
	struct success *items = xreallocarray(NULL, 3 * index->finding_count + 1, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < index->finding_count; i++) {
		const struct finding *f = &index->findings[i];
		struct success s = { .kind = BY_NAME, .finding = f };

		if (!counts(index->policy, f))
			continue;
		s.times = times_of(index->policy, f);
		items[n++] = s;
		if (f->server_ip.family == 0)
			continue;
		s.kind = BY_ADDR;
		items[n++] = s;
		if (has_clients_name(f))
			continue;
		s.kind = BY_ADDR_UNNAMED;
		items[n++] = s;
	}
	index->items = items;
	index->count = sort_and_join(items, n);
}

static void
index_services(struct success_index *index)
{
	struct success *items = xreallocarray(NULL, index->finding_count + 1, sizeof(*items));
	struct switch_off_match match;
	size_t n = 0;

	for (size_t i = 0; i < index->finding_count; i++) {
		const struct finding *f = &index->findings[i];
		struct success s = { .kind = BY_SERVICE, .finding = f };

		if (!policy_is_success(f))
			continue;
		s.times = times_of(index->policy, f);
		if (s.times.good_last == SUCCESS_NEVER ||
		    !switch_off_find_server(index->policy->services, f, &match) ||
		    match.legacy_endpoint || !match.has_version)
			continue;
		s.service = match.service;
		items[n++] = s;
	}
	index->services = items;
	index->service_count = sort_and_join(items, n);
}

void
success_index_init(struct success_index *index, const struct policy *policy,
    const struct finding *findings, size_t count)
{
	*index = (struct success_index){
		.policy = policy,
		.findings = findings,
		.finding_count = count,
	};
	if (count > FEW_FINDINGS)
		index_servers(index);
}

/* Without an index: quicker where there are few findings, as nearly every client has. */
static void
look_through(const struct success_index *index, const struct finding *f, struct success_times *out)
{
	for (size_t i = 0; i < index->finding_count; i++) {
		const struct finding *other = &index->findings[i];
		struct success_times times;

		if (!counts(index->policy, other) || !policy_same_server(f, other))
			continue;
		times = times_of(index->policy, other);
		add_times(out, &times);
	}
}

void
success_index_find(
    const struct success_index *index, const struct finding *f, struct success_times *out)
{
	const enum success_kind kinds[] = { BY_NAME,
		has_clients_name(f) ? BY_ADDR_UNNAMED : BY_ADDR };

	*out = no_times;
	if (index->items == NULL) {
		look_through(index, f, out);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct success wanted = { .kind = kinds[i], .finding = f };
		const struct success *found;

		if (kinds[i] != BY_NAME && f->server_ip.family == 0)
			continue;
		found = bsearch(&wanted, index->items, index->count, sizeof(*index->items),
		    compare_success_items);
		if (found != NULL)
			add_times(out, &found->times);
	}
}

int64_t
success_index_service_since(struct success_index *index, const struct finding *f)
{
	struct success wanted = { .kind = BY_SERVICE, .finding = f };
	const struct success *found;
	struct switch_off_match match;

	if (!switch_off_find_server(index->policy->services, f, &match) || !match.by_address ||
	    !match.has_version)
		return SUCCESS_NEVER;
	if (index->services == NULL)
		index_services(index);
	wanted.service = match.service;
	found = bsearch(&wanted, index->services, index->service_count, sizeof(*index->services),
	    compare_success_items);
	return found != NULL ? found->times.good_first : SUCCESS_NEVER;
}

void
success_index_release(struct success_index *index)
{
	free(index->items);
	free(index->services);
	*index = (struct success_index){ 0 };
}

static bool
is_within(int64_t time_us, int64_t from_us, int64_t window_us)
{
	return time_us >= from_us && time_us - from_us <= window_us;
}

bool
policy_falls_back_in_vain(
    const struct policy *policy, const struct finding *f, const struct success_times *there)
{
	/* Of two programs the one may fail seconds after the other, but not first and last. */
	return there->enough_last != SUCCESS_NEVER &&
	       is_within(f->last_us, there->enough_last, policy->fallback_window_us) &&
	       (f->count == 1 ||
		   is_within(f->first_us, there->enough_first, policy->fallback_window_us));
}
