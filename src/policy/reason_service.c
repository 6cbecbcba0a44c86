/* What a reason says of the service that a server belongs to. */
#include "base/timestamp.h"
#include "policy/policy_internal.h"
#include "policy/printable.h"

#include "base/banned.h"

#define SERVICE_TEXT_MAX 80

static void
add_name(struct buf *out, const struct switch_off_match *match)
{
	printable_add(out, span_from_text(match->service), SERVICE_TEXT_MAX);
}

void
reason_add_service_of_address(struct buf *out, const struct policy *policy, const struct finding *f)
{
	struct switch_off_match match;

	if (!switch_off_find_server(policy->services, f, &match) || !match.by_address)
		return;
	buf_add_text(out, " (an address of ");
	add_name(out, &match);
	buf_add_char(out, ')');
}

static void
add_service_date(struct buf *out, const struct switch_off_match *match, int64_t last_us)
{
	char date[TIMESTAMP_TEXT_LEN];

	add_name(out, match);
	if (!match->has_date)
		buf_add_text(out, " is switching that off");
	else if (last_us < match->date_us)
		buf_addf(out, " switches that off on %s", timestamp_to_date(match->date_us, date));
	else
		buf_addf(out, " switches that off since %s, and took it all the same",
		    timestamp_to_date(match->date_us, date));
}

void
reason_add_switch_off(
    struct buf *out, const struct policy *policy, const struct finding *f, int64_t last_us)
{
	struct switch_off_match match;

	if (!switch_off_find_server(policy->services, f, &match) ||
	    (match.below == 0 && !match.own))
		return;
	buf_add_text(out, "; ");
	/* The service may keep this version, for all that is known of it. */
	if (policy_version_bound(f) >= match.below)
		buf_add_text(out, SWITCH_OFF_OWN " is switching that off");
	else
		add_service_date(out, &match, last_us);
	if (match.legacy_endpoint)
		buf_add_text(out, "; this host is its opt-in endpoint, which takes old versions on "
				  "purpose as long as it is there");
}
