#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "policy/policy_internal.h"

#include "base/banned.h"

#define FEW_FINDINGS 24

static uint64_t
service_of(const struct finding_key *k)
{
	return (uint64_t)k->server_port << 32 | (uint64_t)k->protocol << 16 | k->tls_mode;
}

static uint64_t
way_of(const struct finding_key *k)
{
	return (uint64_t)k->tls_version << 48 | (uint64_t)k->offered_version << 32 |
	       (uint64_t)k->outcome << 24 | (uint64_t)k->refused_by << 16 |
	       (uint64_t)k->refusal << 8 | k->refusal_alert;
}

/* Decides where nothing else does, so that the order in which findings come means nothing. */
static bool
key_before(const struct finding_key *a, const struct finding_key *b)
{
	uint16_t len = a->server.len < b->server.len ? a->server.len : b->server.len;
	int order = memcmp(a->server.data, b->server.data, len);

	if (order != 0)
		return order < 0;
	if (a->server.len != b->server.len)
		return a->server.len < b->server.len;
	if (service_of(a) != service_of(b))
		return service_of(a) < service_of(b);
	return way_of(a) < way_of(b);
}

/*
 * The latest of the worst findings stands for the client; of several as late, the one with more
 * handshakes.  So a failure leads only where it still matters: one that a success made harmless has
 * that success after it.
 */
static bool
leads_before(const struct finding *a, const struct finding *b)
{
	if (a->last_us != b->last_us)
		return a->last_us > b->last_us;
	if (a->count != b->count)
		return a->count > b->count;
	return key_before(&a->key, &b->key);
}

static void
choose_lead(
    struct grounds *ev, const struct finding *findings, const enum verdict *verdicts, size_t count)
{
	ev->verdict = VERDICT_OK;
	for (size_t i = 0; i < count; i++) {
		if (ev->lead != NULL &&
		    (verdicts[i] > ev->verdict ||
			(verdicts[i] == ev->verdict && !leads_before(&findings[i], ev->lead))))
			continue;
		ev->lead = &findings[i];
		ev->verdict = verdicts[i];
	}
	assert(ev->lead != NULL);
}

static bool
went_the_same_way(const struct finding *a, const struct finding *b)
{
	if (policy_is_success(a))
		return policy_is_success(b) && a->key.tls_version == b->key.tls_version;
	return a->key.outcome == b->key.outcome && a->key.refused_by == b->key.refused_by;
}

static void
add_like_lead(struct grounds *ev, const struct finding *f)
{
	if (ev->count == 0 || f->first_us < ev->first_us)
		ev->first_us = f->first_us;
	if (ev->count == 0 || f->last_us > ev->last_us)
		ev->last_us = f->last_us;
	ev->count += f->count;
	ev->gap_count += f->gap_count;
	ev->login_count += f->login_count;
	ev->scsv_count += f->scsv_count;
	ev->fallback_count += f->fallback_count;
	if (f->fallback_from > ev->fallback_from)
		ev->fallback_from = f->fallback_from;
	ev->ended_count += f->ended_count;
	ev->dropped_count += f->dropped_early_count;
	ev->dropped_len =
	    f->dropped_early_len > ev->dropped_len ? f->dropped_early_len : ev->dropped_len;
	ev->dropped_us =
	    f->dropped_early_us > ev->dropped_us ? f->dropped_early_us : ev->dropped_us;
	if (f->key.outcome == OUTCOME_NEGOTIATED)
		ev->unseen_count += f->count;
	if (f->key.refusal != ev->lead->key.refusal ||
	    f->key.refusal_alert != ev->lead->key.refusal_alert)
		ev->several_refusals = true;
}

static void
add_same_offer(struct grounds *ev, const struct finding *f, bool like_lead)
{
	ev->try_count += f->count;
	if (like_lead)
		add_like_lead(ev, f);
	else if (f->key.outcome == OUTCOME_REFUSED) {
		if (ev->refused_count == 0 || f->last_us > ev->refused_last_us)
			ev->refused_last_us = f->last_us;
		ev->refused_count += f->count;
	}
}

/* Successes at or above the minimum with one server. */
struct successes {
	const struct finding *latest; /* NULL: none */
	int64_t first_us;
};

static void
add_success(struct successes *s, const struct finding *f)
{
	if (s->latest == NULL || f->first_us < s->first_us)
		s->first_us = f->first_us;
	if (s->latest == NULL || f->last_us > s->latest->last_us ||
	    (f->last_us == s->latest->last_us && key_before(&f->key, &s->latest->key)))
		s->latest = f;
}

/* Who turns TLS on often moves from 143 to 993, say. */
static bool
same_service_elsewhere(const struct finding *a, const struct finding *b)
{
	return a->key.server_port != b->key.server_port && a->key.protocol == b->key.protocol &&
	       policy_same_host(a, b);
}

static void
collect_better(struct grounds *ev, const struct finding *findings, size_t count)
{
	struct successes there = { 0 }, elsewhere = { 0 }, *better;

	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];
		bool is_there = policy_same_server(ev->lead, f);

		if ((is_there || same_service_elsewhere(ev->lead, f)) && policy_is_success(f) &&
		    policy_judge_success(ev->policy, f) == VERDICT_OK)
			add_success(is_there ? &there : &elsewhere, f);
	}
	better = there.latest != NULL ? &there : &elsewhere;
	ev->better = better->latest;
	ev->better_since = better->latest != NULL && better->first_us > ev->last_us;
}

/* The lead was refused with too little, as was a better offer before. */
static bool
lead_is_in_vain(const struct grounds *ev, const struct finding *findings, size_t count)
{
	struct success_index index;
	struct success_times there;

	if (ev->lead->key.outcome != OUTCOME_REFUSED ||
	    !policy_offers_too_little(ev->policy, ev->lead))
		return false;
	success_index_init(&index, ev->policy, findings, count);
	success_index_find(&index, ev->lead, &there);
	success_index_release(&index);
	return there.any_last <= ev->lead->last_us &&
	       policy_falls_back_in_vain(ev->policy, ev->lead, &there);
}

void
grounds_collect(struct grounds *ev, const struct policy *policy, const struct finding *findings,
    const enum verdict *verdicts, size_t count)
{
	*ev = (struct grounds){ .policy = policy };
	choose_lead(ev, findings, verdicts, count);
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];
		bool cleartext = f->key.outcome == OUTCOME_CLEARTEXT;

		if (policy_same_server(ev->lead, f) &&
		    f->key.offered_version == ev->lead->key.offered_version &&
		    cleartext == (ev->lead->key.outcome == OUTCOME_CLEARTEXT))
			add_same_offer(
			    ev, f, verdicts[i] == ev->verdict && went_the_same_way(ev->lead, f));
	}
	if (ev->verdict != VERDICT_OK)
		collect_better(ev, findings, count);
	if (ev->verdict == VERDICT_UNCLEAR)
		ev->in_vain = lead_is_in_vain(ev, findings, count);
}

struct judged {
	const struct finding *finding;
	enum verdict verdict;
};

static int
compare_judged(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;
	const struct event_text *sx = &x->finding->key.server, *sy = &y->finding->key.server;

	if (x->verdict != y->verdict)
		return (int)x->verdict - (int)y->verdict;
	if (x->finding->key.server_port != y->finding->key.server_port)
		return (int)x->finding->key.server_port - (int)y->finding->key.server_port;
	if (sx->len != sy->len)
		return (int)sx->len - (int)sy->len;
	return memcmp(sx->data, sy->data, sx->len);
}

static bool
is_among(const struct judged *row, const struct finding *findings, const enum verdict *verdicts,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (compare_judged(row, &(struct judged){ &findings[i], verdicts[i] }) == 0)
			return true;
	}
	return false;
}

/*
 * Compares each finding with those before it, by a hash first: where there are few, as nearly
 * always, that is quicker than sorting, and has no branch that could be mispredicted.
 */
static void
count_few_servers(const struct finding *findings, const enum verdict *verdicts, size_t count,
    size_t servers[VERDICT_COUNT])
{
	const struct hash_key key = hash_key_fixed();
	uint64_t marks[FEW_FINDINGS];

	for (size_t i = 0; i < count; i++) {
		const struct finding_key *k = &findings[i].key;
		uint64_t mark = hash_quick(&key, k->server.data, k->server.len) ^
				((uint64_t)k->server_port << 8 | verdicts[i]);
		unsigned like = 0;

		for (size_t n = 0; n < i; n++)
			like += marks[n] == mark;
		marks[i] = mark;
		if (like == 0 ||
		    !is_among(&(struct judged){ &findings[i], verdicts[i] }, findings, verdicts, i))
			servers[verdicts[i]]++;
	}
}

void
policy_count_servers(const struct finding *findings, const enum verdict *verdicts, size_t count,
    size_t servers[VERDICT_COUNT])
{
	struct judged *rows;

	memset(servers, 0, VERDICT_COUNT * sizeof(*servers));
	if (count <= FEW_FINDINGS) {
		count_few_servers(findings, verdicts, count, servers);
		return;
	}
	rows = xreallocarray(NULL, count, sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct judged){ &findings[i], verdicts[i] };
	qsort(rows, count, sizeof(*rows), compare_judged);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_judged(&rows[i - 1], &rows[i]) != 0)
			servers[rows[i].verdict]++;
	}
	free(rows);
}
