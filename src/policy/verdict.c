#include "policy/verdict.h"

#include <string.h>

#include "policy/policy_internal.h"

#include "base/banned.h"

/*
 * The rules of SPEC section 6, as far as one client's findings carry them.
 *
 * 1. What went through is judged by itself, and stays: a version below the minimum that was used
 *    in the time looked at was used, whatever came later.  A handshake whose end was not seen
 *    counts as gone through: the old version was agreed on.  Where the ServerHello is missing, an
 *    offer below the minimum proves the same, because a server never chooses above the offer.
 *    It is `will-break` where the server is known to switch that very version off, else `legacy`.
 *
 * 2. What failed is compared with the client's successes at the same server.  `broken` needs three
 *    things: the offer ends below the minimum, the handshake was refused, and nothing went through
 *    since.  Who refused, and why, does not matter: a client that rejects the certificate after
 *    the server accepted TLS 1.0 does not work now, and will not when only that is mended.  The
 *    reason names the side and the alert, so that nobody looks in the wrong place.
 *
 * 3. A success since at or above the minimum makes a failure `ok`, unless tries with the old offer
 *    were still refused after such successes had begun: then two programs share the address, or
 *    the client falls back, and the one that fails must not hide behind the other: `unclear`.
 *    Where each old try carries TLS_FALLBACK_SCSV the client says itself that it can do more.
 *
 *    A service that is known by its addresses is one server in this, if the client was updated:
 *    old programs do not name it, new ones do.
 *
 * 4. A try that failed, and the lower one that went through within seconds after it, are one
 *    finding, a fallback (tally/fallback.h): both rows have the verdict of the success.
 *
 * 5. A failure that is not about the version (refused though it offered enough, unanswered) is
 *    `unclear`, never `ok`: nothing was negotiated that could be at or above the minimum.  So are
 *    the lower tries that follow it within seconds and are refused, too.
 */

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_BROKEN] = "broken",
	[VERDICT_WILL_BREAK] = "will-break",
	[VERDICT_LEGACY] = "legacy",
	[VERDICT_SERVER_LIMITED] = "server-limited",
	[VERDICT_CLEARTEXT] = "cleartext",
	[VERDICT_UNCLEAR] = "unclear",
	[VERDICT_OK] = "ok",
};

const char *
verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

bool
verdict_from_text(const char *text, enum verdict *out)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (strcmp(text, verdict_names[i]) == 0) {
			*out = (enum verdict)i;
			return true;
		}
	}
	return false;
}

bool
policy_is_success(const struct finding *f)
{
	return f->key.outcome == OUTCOME_ESTABLISHED || f->key.outcome == OUTCOME_NEGOTIATED;
}

bool
policy_offers_too_little(const struct policy *policy, const struct finding *f)
{
	return f->key.offered_version != 0 && f->key.offered_version < policy->minimum;
}

uint16_t
policy_version_bound(const struct finding *f)
{
	return f->key.tls_version != 0 ? f->key.tls_version : f->key.offered_version;
}

bool
policy_failed_with_enough(const struct policy *policy, const struct finding *f)
{
	return (f->key.outcome == OUTCOME_REFUSED || f->key.outcome == OUTCOME_UNANSWERED) &&
	       f->key.offered_version >= policy->minimum;
}

/* The version is one that the server's service switches off. */
static bool
will_be_switched_off(const struct policy *policy, const struct finding *f)
{
	struct switch_off_match match;

	return switch_off_find_server(policy->services, f, &match) &&
	       (match.own || policy_version_bound(f) < match.below);
}

/* The server chose below the minimum although more was on offer. */
static bool
server_chose_less(const struct policy *policy, const struct finding *f)
{
	return f->key.tls_version != 0 && f->key.tls_version < policy->minimum &&
	       f->key.offered_version >= policy->minimum;
}

enum verdict
policy_judge_success(const struct policy *policy, const struct finding *f)
{
	if (server_chose_less(policy, f))
		return VERDICT_SERVER_LIMITED;
	if (policy_version_bound(f) != 0 && policy_version_bound(f) < policy->minimum)
		return will_be_switched_off(policy, f) ? VERDICT_WILL_BREAK : VERDICT_LEGACY;
	return f->key.tls_version != 0 ? VERDICT_OK : VERDICT_UNCLEAR;
}

static enum verdict
judge_failure(
    const struct policy *policy, const struct finding *f, const struct success_times *since)
{
	bool refused = f->key.outcome == OUTCOME_REFUSED;
	bool too_little = policy_offers_too_little(policy, f);
	uint16_t bound = policy_version_bound(f);
	bool old = bound != 0 && bound < policy->minimum;

	if (server_chose_less(policy, f))
		return VERDICT_SERVER_LIMITED;
	if (since->good_last > f->last_us) {
		bool side_by_side = since->good_first <= f->last_us;

		return old && side_by_side && f->scsv_count < f->count ? VERDICT_UNCLEAR
								       : VERDICT_OK;
	}
	/* The first tries of a fallback mean what its last one does. */
	if (since->fallback_last > f->last_us && f->key.offered_version != 0 &&
	    f->key.offered_version <= since->fallback_from)
		return since->fallback_verdict;
	if (!refused || !too_little)
		return VERDICT_UNCLEAR;
	/* Refused now and then, as servers do while they switch off, and let in again since. */
	if (since->legacy_last > f->last_us)
		return since->legacy_verdict;
	if (since->any_last > f->last_us || policy_falls_back_in_vain(policy, f, since))
		return VERDICT_UNCLEAR;
	return VERDICT_BROKEN;
}

void
policy_judge(
    const struct policy *policy, const struct finding *findings, size_t count, enum verdict *out)
{
	struct success_index index = { 0 };
	struct success_times since;
	bool indexed = false;

	for (size_t i = 0; i < count; i++) {
		switch (findings[i].key.outcome) {
		case OUTCOME_ESTABLISHED:
		case OUTCOME_NEGOTIATED:
			out[i] = policy_judge_success(policy, &findings[i]);
			break;
		case OUTCOME_REFUSED:
		case OUTCOME_UNANSWERED:
			if (!indexed)
				success_index_init(&index, policy, findings, count);
			indexed = true;
			success_index_find(&index, &findings[i], &since);
			out[i] = judge_failure(policy, &findings[i], &since);
			/* Updated: all of its successes there began after the last failure. */
			if (out[i] == VERDICT_BROKEN &&
			    success_index_service_since(&index, &findings[i]) > findings[i].last_us)
				out[i] = VERDICT_OK;
			break;
		case OUTCOME_CLEARTEXT:
			out[i] = VERDICT_CLEARTEXT;
			break;
		}
	}
	success_index_release(&index);
}
