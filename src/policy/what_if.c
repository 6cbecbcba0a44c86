#include "policy/what_if.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/policy_internal.h"
#include "policy/printable.h"
#include "tls/names.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define SERVER_TEXT_MAX 80

static uint16_t
lowest_version(const struct what_if *q)
{
	return q->minimum != 0 ? q->minimum : TLS_VERSION_SSL3;
}

/*
 * The suites of the question that a client with that offer could use; those without a bit as
 * OTHERS.
 */
static uint64_t
usable_suites(const struct what_if *q, uint16_t offered)
{
	uint64_t set = 0;

	for (size_t i = 0; i < q->suite_count; i++) {
		if (tls_cipher_suite_is_usable(q->suites[i], lowest_version(q), offered))
			set |= tls_suite_set_mark(q->suites[i]);
	}
	return set;
}

static enum verdict
judge_suites(const struct what_if *q, const struct finding *f)
{
	uint64_t usable = usable_suites(q, f->key.offered_version);

	/* Each of its handshakes offered one of them. */
	if ((f->suites_all & usable & ~TLS_SUITE_SET_OTHERS) != 0)
		return VERDICT_OK;
	if (usable == 0)
		return VERDICT_WILL_BREAK;
	return (f->suites_any & (usable | TLS_SUITE_SET_UNSEEN)) != 0 ? VERDICT_UNCLEAR
								      : VERDICT_WILL_BREAK;
}

/* All of its handshakes are last tries of fallbacks. */
static bool
is_fallback(const struct finding *f)
{
	return f->fallback_count > 0 && f->fallback_count >= f->count;
}

/*
 * The client's first try offers enough, but fails today; whether it would then succeed is not
 * known.
 */
static bool
falls_back_from_enough(const struct what_if *q, const struct finding *f)
{
	return is_fallback(f) && f->fallback_from >= q->minimum;
}

static enum verdict
judge_offer(const struct what_if *q, const struct finding *f)
{
	if (f->key.outcome == OUTCOME_CLEARTEXT)
		return VERDICT_CLEARTEXT;
	if (f->key.offered_version == 0)
		return !q->has_suites && f->key.tls_version >= q->minimum ? VERDICT_OK
									  : VERDICT_UNCLEAR;
	if (f->key.offered_version < q->minimum)
		return falls_back_from_enough(q, f) ? VERDICT_UNCLEAR : VERDICT_WILL_BREAK;
	return q->has_suites ? judge_suites(q, f) : VERDICT_OK;
}

/* Findings in the order of servers, and of one server those that would do first. */
struct item {
	const struct finding *finding;
	size_t index;
};

static int
compare_servers(const struct finding *a, const struct finding *b)
{
	struct span x = event_text_span(&a->key.server), y = event_text_span(&b->key.server);
	size_t len = x.len < y.len ? x.len : y.len;
	int order = len == 0 ? 0 : memcmp(x.data, y.data, len);

	if (order == 0)
		order = (x.len > y.len) - (x.len < y.len);
	if (order == 0)
		order = (int)a->key.server_port - (int)b->key.server_port;
	return order;
}

static int
compare_items(const void *a, const void *b)
{
	return compare_servers(
	    ((const struct item *)a)->finding, ((const struct item *)b)->finding);
}

/*
 * The findings of one server.  What a client tries between a fallback's first and last try, and
 * fails with today, proves no more than the fallback.
 */
static void
join_fallbacks(const struct item *items, size_t count, enum verdict *verdicts)
{
	uint16_t lowest = UINT16_MAX; /* offer of a fallback that may do */

	for (size_t i = 0; i < count; i++) {
		const struct finding *f = items[i].finding;

		if (is_fallback(f) && verdicts[items[i].index] != VERDICT_WILL_BREAK &&
		    f->key.offered_version < lowest)
			lowest = f->key.offered_version;
	}
	for (size_t i = 0; i < count; i++) {
		if (verdicts[items[i].index] == VERDICT_WILL_BREAK &&
		    !policy_is_success(items[i].finding) &&
		    items[i].finding->key.offered_version >= lowest)
			verdicts[items[i].index] = VERDICT_UNCLEAR;
	}
}

/* The findings of one server.  What would not do was replaced, if what would do began after it. */
static void
forgive_replaced(const struct item *items, size_t count, enum verdict *verdicts)
{
	int64_t good_first = INT64_MAX, bad_last = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		const struct finding *f = items[i].finding;

		if (verdicts[items[i].index] == VERDICT_OK && f->first_us < good_first)
			good_first = f->first_us;
		if (verdicts[items[i].index] == VERDICT_WILL_BREAK && f->last_us > bad_last)
			bad_last = f->last_us;
	}
	for (size_t i = 0; i < count && good_first != INT64_MAX && good_first > bad_last; i++) {
		if (verdicts[items[i].index] == VERDICT_WILL_BREAK)
			verdicts[items[i].index] = VERDICT_OK;
	}
}

void
what_if_judge(const struct what_if *question, const struct policy *policy,
    const struct finding *findings, size_t count, enum verdict *out)
{
	struct item *items = xreallocarray(NULL, count + 1, sizeof(*items));
	enum verdict *today = xreallocarray(NULL, count + 1, sizeof(*today));

	for (size_t i = 0; i < count; i++) {
		items[i] = (struct item){ &findings[i], i };
		out[i] = judge_offer(question, &findings[i]);
	}
	if (count > 0)
		qsort(items, count, sizeof(*items), compare_items);
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && compare_servers(items[i].finding, items[next].finding) == 0)
			next++;
		join_fallbacks(items + i, next - i, out);
		forgive_replaced(items + i, next - i, out);
	}
	policy_judge(policy, findings, count, today);
	for (size_t i = 0; i < count; i++) {
		if (today[i] == VERDICT_BROKEN)
			out[i] = VERDICT_BROKEN;
	}
	free(items);
	free(today);
}

/* What the client's answer rests on. */
struct basis {
	enum verdict verdict;
	const struct finding *lead; /* the latest of that verdict */
	uint64_t count;
	int64_t first_us, last_us;
};

static void
find_basis(
    struct basis *b, const struct finding *findings, const enum verdict *verdicts, size_t count)
{
	*b = (struct basis){ .verdict = VERDICT_OK };
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];

		if (b->lead == NULL || verdicts[i] < b->verdict)
			*b = (struct basis){ verdicts[i], f, 0, f->first_us, f->last_us };
		else if (verdicts[i] > b->verdict)
			continue;
		else if (f->last_us > b->lead->last_us)
			b->lead = f;
		b->first_us = f->first_us < b->first_us ? f->first_us : b->first_us;
		b->last_us = f->last_us > b->last_us ? f->last_us : b->last_us;
		b->count += f->count;
	}
}

/* Too little, of a try that join_fallbacks() excuses. */
static void
add_excused_offer(struct buf *out, const struct what_if *q, const struct finding *f)
{
	if (f->key.offered_version < q->minimum) {
		buf_add_text(out, "falls back to ");
		tls_version_add_words(out, f->key.offered_version);
		buf_add_text(out, " from a better offer, which fails");
	} else {
		buf_add_text(out, "offers ");
		tls_version_add_words(out, f->key.offered_version);
		buf_add_text(out, " and none of the suites at first, which fails, and falls back");
	}
}

static void
add_offer(struct buf *out, const struct what_if *q, const struct basis *b)
{
	const struct finding *f = b->lead;
	bool version = f->key.offered_version < q->minimum;

	if (f->key.offered_version == 0) {
		buf_add_text(out, "what it offers was not seen");
		return;
	}
	if (b->verdict == VERDICT_UNCLEAR && judge_offer(q, f) == VERDICT_WILL_BREAK) {
		add_excused_offer(out, q, f);
		return;
	}
	if (version && falls_back_from_enough(q, f)) {
		buf_add_text(out, "offers ");
		tls_version_add_words(out, f->fallback_from);
		buf_add_text(out, " at first, which fails, and falls back to ");
		tls_version_add_words(out, f->key.offered_version);
		return;
	}
	buf_add_text(out, version ? "offers at most " : "offers ");
	tls_version_add_words(out, f->key.offered_version);
	/* What is refused already may well offer one of the suites. */
	if (!q->has_suites || version || b->verdict == VERDICT_BROKEN)
		return;
	if (b->verdict == VERDICT_OK) {
		buf_add_text(out, " and a suite of the list");
	} else if (b->verdict == VERDICT_UNCLEAR) {
		buf_add_text(out, (f->suites_any & TLS_SUITE_SET_UNSEEN) != 0
				      ? ", but its suites were not all seen"
				      : ", but whether a suite of the list is among all of its "
					"offers is not stored");
	} else {
		buf_add_text(out, ", but none of the suites");
		if (!f->offers_aead)
			buf_add_text(out, ", and none with an AEAD cipher");
		else if (!f->offers_ecdhe)
			buf_add_text(out, ", and none with an ephemeral key");
	}
}

static void
add_count(struct buf *out, const struct basis *b)
{
	if (b->lead->key.outcome == OUTCOME_CLEARTEXT)
		reason_add_number_of(out, b->count, "session", "sessions");
	else if (!policy_is_success(b->lead))
		reason_add_number_of(out, b->count, "try", "tries");
	else
		reason_add_number_of(out, b->count, "handshake", "handshakes");
}

/* `servers`: with how many; the last one is named. */
static void
add_evidence(struct buf *out, const struct basis *b, size_t servers)
{
	const struct finding_key *key = &b->lead->key;
	const struct grounds times = {
		.count = b->count,
		.first_us = b->first_us,
		.last_us = b->last_us,
	};

	buf_add_text(out, "; ");
	add_count(out, b);
	if (servers > 1) {
		buf_add_text(out, " with ");
		reason_add_number_of(out, servers, "server", "servers");
		reason_add_since(out, &times);
		reason_add_last(out, &times);
	}
	buf_add_text(out, " with ");
	printable_add_server(out, event_text_span(&key->server), key->server_port, SERVER_TEXT_MAX);
	if (servers > 1)
		return;
	reason_add_since(out, &times);
	reason_add_last(out, &times);
}

enum verdict
what_if_judge_client(const struct what_if *question, const struct finding *findings,
    const enum verdict *verdicts, size_t count, struct buf *reason)
{
	size_t servers[VERDICT_COUNT];
	struct basis b;

	assert(count > 0);
	find_basis(&b, findings, verdicts, count);
	policy_count_servers(findings, verdicts, count, servers);
	if (b.verdict == VERDICT_CLEARTEXT)
		buf_add_text(reason, "uses no TLS, which this does not change");
	else
		add_offer(reason, question, &b);
	if (b.verdict == VERDICT_BROKEN)
		buf_add_text(reason, ", and is refused already");
	add_evidence(reason, &b, servers[b.verdict]);
	return b.verdict;
}
