#include "policy/verdict.h"

#include <stdio.h>
#include <string.h>

#include "no_fault.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

#define ROWS_MAX 4
#define FALLBACK_WINDOW 2
#define V10 TLS_VERSION_1_0
#define V11 TLS_VERSION_1_1
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3

/* Short names for the rows of the table below. */
#define EST OUTCOME_ESTABLISHED
#define NEG OUTCOME_NEGOTIATED
#define REF OUTCOME_REFUSED
#define UNA OUTCOME_UNANSWERED
#define CLR OUTCOME_CLEARTEXT

struct row {
	enum outcome outcome;
	uint16_t offered, version;
	int64_t first, last;
	const char *server; /* NULL: mail.example.com */
	uint16_t port;      /* 0: 993 */
	uint8_t addr;       /* last byte; 0: 1 */
	enum name_source source;
	uint64_t scsv; /* of 10 */
	enum verdict verdict;
	uint64_t fallbacks; /* of 10 */
	uint16_t from;
};

static const struct rule {
	const char *name;
	uint16_t minimum; /* 0: TLS 1.2 */
	struct row rows[ROWS_MAX];
	size_t count;
} rules[] = {
	/* Successes stand by themselves. */
	{ "established_at_the_minimum_is_ok", 0, { { EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    1 },
	{ "established_above_is_ok", 0, { { EST, V13, V13, 1, 9, .verdict = VERDICT_OK } }, 1 },
	{ "established_below_is_legacy", 0, { { EST, V10, V10, 1, 9, .verdict = VERDICT_LEGACY } },
	    1 },
	{ "one_version_below_is_legacy", 0, { { EST, V11, V11, 1, 9, .verdict = VERDICT_LEGACY } },
	    1 },
	{ "both_too_little_is_legacy_whoever_limits", 0,
	    { { EST, V11, V10, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "sslv3_is_legacy", 0,
	    { { EST, TLS_VERSION_SSL3, TLS_VERSION_SSL3, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "sslv2_is_legacy", 0,
	    { { EST, TLS_VERSION_SSL2, TLS_VERSION_SSL2, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "negotiated_below_with_the_end_unseen_is_legacy", 0,
	    { { NEG, V10, V10, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "server_side_alone_below_is_legacy", 0,
	    { { NEG, 0, V10, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "server_side_alone_above_is_ok", 0, { { NEG, 0, V12, 1, 9, .verdict = VERDICT_OK } }, 1 },
	{ "client_side_alone_with_a_low_offer_is_legacy", 0,
	    { { NEG, V10, 0, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "client_side_alone_with_enough_is_unclear", 0,
	    { { NEG, V12, 0, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "success_of_which_nothing_is_known_is_unclear", 0,
	    { { EST, 0, 0, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "server_that_chose_less_is_server_limited", 0,
	    { { EST, V12, V10, 1, 9, .verdict = VERDICT_SERVER_LIMITED } }, 1 },
	{ "server_that_chose_less_with_the_end_unseen_is_server_limited", 0,
	    { { NEG, V13, V11, 1, 9, .verdict = VERDICT_SERVER_LIMITED } }, 1 },
	{ "refused_after_the_server_chose_less_is_server_limited", 0,
	    { { REF, V12, V10, 1, 9, .verdict = VERDICT_SERVER_LIMITED } }, 1 },
	{ "later_success_does_not_undo_legacy", 0,
	    { { EST, V10, V10, 1, 4, .verdict = VERDICT_LEGACY },
		{ EST, V12, V12, 5, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "higher_minimum_makes_tls12_legacy", V13,
	    { { EST, V12, V12, 1, 9, .verdict = VERDICT_LEGACY } }, 1 },
	{ "higher_minimum_makes_a_choice_of_tls12_server_limited", V13,
	    { { EST, V13, V12, 1, 9, .verdict = VERDICT_SERVER_LIMITED } }, 1 },
	{ "lower_minimum_makes_tls10_ok", V10, { { EST, V10, V10, 1, 9, .verdict = VERDICT_OK } },
	    1 },

	/* Services that are switching off: see services_text. */
	{ "success_by_name_will_break", 0,
	    { { EST, V10, V10, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_WILL_BREAK } },
	    1 },
	{ "success_by_a_name_from_dns_will_break", 0,
	    { { EST, V11, V11, 1, 9, "OUTLOOK.Example.", .source = NAME_SOURCE_DNS,
		.verdict = VERDICT_WILL_BREAK } },
	    1 },
	{ "success_at_an_opt_in_endpoint_will_break", 0,
	    { { EST, V10, V10, 1, 9, "imap-legacy.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_WILL_BREAK } },
	    1 },
	{ "success_by_address_will_break_where_no_name_is_known", 0,
	    { { EST, V10, V10, 1, 9, "192.0.2.77", .addr = 77, .verdict = VERDICT_WILL_BREAK } },
	    1 },
	{ "success_by_address_is_legacy_where_another_name_is_known", 0,
	    { { EST, V10, V10, 1, 9, "mail.example.com", .addr = 77, .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_LEGACY } },
	    1 },
	{ "name_of_a_certificate_does_not_hide_the_address", 0,
	    { { EST, V10, V10, 1, 9, "cert.example", .addr = 77, .source = NAME_SOURCE_CERTIFICATE,
		.verdict = VERDICT_WILL_BREAK } },
	    1 },
	{ "success_at_an_address_next_to_the_range_is_legacy", 0,
	    { { EST, V10, V10, 1, 9, "192.0.2.80", .addr = 80, .verdict = VERDICT_LEGACY } }, 1 },
	{ "success_on_a_port_that_is_not_listed_is_legacy", 0,
	    { { EST, V10, V10, 1, 9, "192.0.2.77", .addr = 77, .port = 465,
		.verdict = VERDICT_LEGACY } },
	    1 },
	{ "version_that_stays_there_is_legacy", V13,
	    { { EST, V12, V12, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_LEGACY } },
	    1 },
	{ "success_with_enough_there_is_ok", 0,
	    { { EST, V12, V12, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_OK } },
	    1 },
	{ "service_that_chose_less_is_server_limited", 0,
	    { { EST, V12, V10, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_SERVER_LIMITED } },
	    1 },
	{ "refused_there_is_broken", 0,
	    { { REF, V10, 0, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_BROKEN } },
	    1 },
	{ "let_in_there_again_will_break", 0,
	    { { REF, V10, 0, 1, 5, "outlook.example", .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_WILL_BREAK },
		{ EST, V10, V10, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "let_in_again_has_the_verdict_of_the_success", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 1, 9, .addr = 77, .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_LEGACY } },
	    2 },
	{ "let_in_again_has_the_verdict_of_the_latest_success", V13,
	    { { REF, V12, 0, 1, 5, "outlook.example", .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_LEGACY },
		{ EST, V12, V12, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 1, 3, "outlook.example", .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_WILL_BREAK } },
	    3 },
	{ "service_that_only_has_a_name_leaves_legacy", 0,
	    { { EST, V10, V10, 1, 9, "named.example", .source = NAME_SOURCE_SNI,
		.verdict = VERDICT_LEGACY } },
	    1 },

	{ "updated_client_that_names_the_service_now_is_ok", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, "outlook.example", .addr = 3, .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_OK } },
	    2 },
	{ "updated_client_at_another_address_of_the_service_is_ok", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, "192.0.2.78", .addr = 78, .verdict = VERDICT_OK } },
	    2 },
	{ "old_program_beside_a_new_one_at_the_service_is_broken", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_BROKEN },
		{ EST, V12, V12, 3, 9, "outlook.example", .addr = 3, .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_OK } },
	    2 },
	{ "old_success_elsewhere_at_the_service_leaves_broken", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_BROKEN },
		{ EST, V10, V10, 6, 9, "192.0.2.78", .addr = 78, .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "success_at_another_service_leaves_broken", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.77", .addr = 77, .verdict = VERDICT_BROKEN },
		{ EST, V12, V12, 6, 9, "named.example", .addr = 3, .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_OK } },
	    2 },
	{ "name_with_a_dot_at_its_end_is_the_same_server", 0,
	    { { REF, V10, 0, 1, 5, "mail.example.com.", .addr = 2, .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .source = NAME_SOURCE_SNI, .verdict = VERDICT_OK } },
	    2 },

	/* Refused with too little. */
	{ "refused_with_too_little_is_broken", 0,
	    { { REF, V10, 0, 1, 9, .verdict = VERDICT_BROKEN } }, 1 },
	{ "refused_after_an_old_version_was_chosen_is_broken", 0,
	    { { REF, V10, V10, 1, 9, .verdict = VERDICT_BROKEN } }, 1 },
	{ "success_before_the_last_refusal_leaves_broken", 0,
	    { { REF, V10, 0, 5, 9, .verdict = VERDICT_BROKEN },
		{ EST, V10, V10, 1, 8, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "success_at_the_same_time_is_not_since", 0,
	    { { REF, V10, 0, 5, 9, .verdict = VERDICT_BROKEN },
		{ EST, V10, V10, 1, 9, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "let_in_again_with_too_little_is_legacy", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 1, 6, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "updated_since_is_ok", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "two_programs_side_by_side_are_unclear", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "two_programs_side_by_side_are_unclear_with_an_unseen_offer_too", 0,
	    { { REF, 0, V10, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "side_by_side_begins_at_the_last_refusal", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V12, 5, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "side_by_side_begins_with_the_first_of_several_successes", 0,
	    { { REF, V10, 0, 4, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V12, 6, 9, .verdict = VERDICT_OK },
		{ EST, V13, V13, 1, 3, .verdict = VERDICT_OK } },
	    3 },
	{ "several_successes_that_all_began_since_are_ok", 0,
	    { { REF, V10, 0, 4, 5, .verdict = VERDICT_OK },
		{ EST, V12, V12, 8, 9, .verdict = VERDICT_OK },
		{ EST, V13, V13, 6, 7, .verdict = VERDICT_OK } },
	    3 },
	{ "fallback_marked_by_scsv_with_a_success_since_is_ok", 0,
	    { { REF, V10, 0, 1, 5, .scsv = 10, .verdict = VERDICT_OK },
		{ EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "fallback_marked_in_part_is_unclear", 0,
	    { { REF, V10, 0, 1, 5, .scsv = 9, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "fallback_marked_by_scsv_without_success_is_broken", 0,
	    { { REF, V10, 0, 1, 5, .scsv = 10, .verdict = VERDICT_BROKEN } }, 1 },
	{ "success_that_the_server_limited_makes_unclear", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, V10, 1, 9, .verdict = VERDICT_SERVER_LIMITED } },
	    2 },
	{ "success_of_unknown_version_makes_unclear", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V12, 0, 1, 9, .verdict = VERDICT_UNCLEAR } },
	    2 },
	{ "negotiated_since_counts_as_a_success", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_OK },
		{ NEG, V12, V12, 6, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "unanswered_since_is_no_success", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_BROKEN },
		{ UNA, V12, 0, 6, 9, .verdict = VERDICT_UNCLEAR } },
	    2 },
	{ "cleartext_since_is_no_success", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_BROKEN },
		{ CLR, 0, 0, 6, 9, .verdict = VERDICT_CLEARTEXT } },
	    2 },
	{ "higher_minimum_makes_a_refused_tls12_broken", V13,
	    { { REF, V12, 0, 1, 9, .verdict = VERDICT_BROKEN } }, 1 },

	/* Which server is the same. */
	{ "success_with_another_server_leaves_broken", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_BROKEN },
		{ EST, V12, V12, 6, 9, "other.example.com", .addr = 2, .verdict = VERDICT_OK } },
	    2 },
	{ "success_on_another_port_leaves_broken", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_BROKEN },
		{ EST, V12, V12, 6, 9, .port = 587, .verdict = VERDICT_OK } },
	    2 },
	{ "same_name_at_another_address_is_the_same_server", 0,
	    { { REF, V10, 0, 1, 5, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .addr = 2, .verdict = VERDICT_OK } },
	    2 },
	{ "same_name_in_other_case_is_the_same_server", 0,
	    { { REF, V10, 0, 1, 5, .addr = 2, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, "MAIL.Example.com", .verdict = VERDICT_OK } },
	    2 },
	{ "name_that_only_begins_alike_is_another_server", 0,
	    { { REF, V10, 0, 1, 5, .addr = 2, .verdict = VERDICT_BROKEN },
		{ EST, V12, V12, 6, 9, "mail.example.com.au", .verdict = VERDICT_OK } },
	    2 },
	{ "same_address_without_a_name_is_the_same_server", 0,
	    { { REF, V10, 0, 1, 5, "192.0.2.1", .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .source = NAME_SOURCE_SNI, .verdict = VERDICT_OK } },
	    2 },
	{ "success_without_a_name_counts_for_the_address", 0,
	    { { REF, V10, 0, 1, 5, .source = NAME_SOURCE_SNI, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, "192.0.2.1", .verdict = VERDICT_OK } },
	    2 },
	{ "name_from_a_certificate_does_not_part_one_address", 0,
	    { { REF, V10, 0, 1, 5, "outlook.com", .source = NAME_SOURCE_CERTIFICATE,
		  .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .source = NAME_SOURCE_SNI, .verdict = VERDICT_OK } },
	    2 },
	{ "opt_in_endpoint_at_the_same_address_is_another_server", 0,
	    { { REF, V10, 0, 1, 5, "outlook.office365.com", .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_BROKEN },
		{ EST, V10, V10, 6, 9, "imap-legacy.office365.com", .source = NAME_SOURCE_SNI,
		    .verdict = VERDICT_LEGACY } },
	    2 },

	/* A fallback that is refused as well. */
	{ "lower_try_behind_a_refused_one_with_enough_is_unclear", 0,
	    { { REF, V13, 0, 1, 7, .verdict = VERDICT_UNCLEAR },
		{ REF, V11, 0, 2, 8, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 3, 9, .verdict = VERDICT_UNCLEAR } },
	    3 },
	{ "lower_try_behind_an_unanswered_one_with_enough_is_unclear", 0,
	    { { UNA, V12, 0, 1, 7, .addr = 2, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 1, 8, .verdict = VERDICT_UNCLEAR } },
	    2 },
	{ "lower_try_at_another_server_is_broken", 0,
	    { { REF, V13, 0, 1, 7, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 2, 8, "other.example.com", .addr = 2, .verdict = VERDICT_BROKEN } },
	    2 },
	{ "lower_try_long_after_one_with_enough_is_broken", 0,
	    { { REF, V13, 0, 1, 6, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 2, 9, .verdict = VERDICT_BROKEN } },
	    2 },
	{ "lower_tries_that_began_alone_are_broken", 0,
	    { { REF, V13, 0, 5, 8, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 1, 9, .verdict = VERDICT_BROKEN } },
	    2 },
	{ "lower_try_before_one_with_enough_is_broken", 0,
	    { { REF, V13, 0, 3, 9, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 3, 8, .verdict = VERDICT_BROKEN } },
	    2 },
	{ "success_with_too_little_behind_both_is_still_what_counts", 0,
	    { { REF, V13, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ REF, V10, 0, 2, 6, .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 3, 9, .verdict = VERDICT_LEGACY } },
	    3 },

	/* Failures that are not about the version. */
	{ "refused_with_enough_is_unclear", 0,
	    { { REF, V13, 0, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "refused_with_enough_after_a_good_choice_is_unclear", 0,
	    { { REF, V13, V13, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "refused_with_enough_and_a_success_since_is_ok", 0,
	    { { REF, V13, 0, 1, 5, .verdict = VERDICT_OK },
		{ EST, V13, V13, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "refused_with_enough_and_a_success_at_the_same_time_is_unclear", 0,
	    { { REF, V13, 0, 6, 9, .verdict = VERDICT_UNCLEAR },
		{ EST, V13, V13, 1, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "refused_with_enough_and_a_success_before_is_unclear", 0,
	    { { REF, V13, 0, 6, 9, .verdict = VERDICT_UNCLEAR },
		{ EST, V13, V13, 1, 5, .verdict = VERDICT_OK } },
	    2 },
	{ "fallback_after_a_refusal_is_unclear_and_legacy", 0,
	    { { REF, V12, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V10, V10, 1, 9, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "fallback_has_the_verdict_of_its_success", 0,
	    { { REF, V12, 0, 1, 5, .verdict = VERDICT_LEGACY },
		{ REF, V11, 0, 1, 6, .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 1, 9, .fallbacks = 5, .from = V12, .verdict = VERDICT_LEGACY } },
	    3 },
	{ "fallback_at_a_service_that_is_switching_off_will_break", 0,
	    { { REF, V12, 0, 1, 5, "outlook.example", .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_WILL_BREAK },
		{ EST, V10, V10, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI, .fallbacks = 5,
		    .from = V12, .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "fallback_has_the_verdict_of_its_latest_success", V13,
	    { { REF, V13, 0, 1, 5, "outlook.example", .source = NAME_SOURCE_SNI,
		  .verdict = VERDICT_LEGACY },
		{ EST, V12, V12, 1, 9, "outlook.example", .source = NAME_SOURCE_SNI, .fallbacks = 5,
		    .from = V13, .verdict = VERDICT_LEGACY },
		{ EST, V10, V10, 1, 3, "outlook.example", .source = NAME_SOURCE_SNI, .fallbacks = 1,
		    .from = V13, .verdict = VERDICT_WILL_BREAK } },
	    3 },
	{ "failure_with_more_than_the_fallback_began_with_is_unclear", 0,
	    { { REF, V13, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V10, V10, 1, 9, .fallbacks = 5, .from = V12, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "failure_with_an_unseen_offer_is_no_part_of_a_fallback", 0,
	    { { REF, 0, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V10, V10, 1, 9, .fallbacks = 5, .from = V12, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "failure_after_the_last_fallback_is_unclear", 0,
	    { { REF, V12, 0, 1, 10, .verdict = VERDICT_UNCLEAR },
		{ EST, V10, V10, 1, 9, .fallbacks = 5, .from = V12, .verdict = VERDICT_LEGACY } },
	    2 },
	{ "fallback_at_another_server_is_another_matter", 0,
	    { { REF, V12, 0, 1, 5, .verdict = VERDICT_UNCLEAR },
		{ EST, V10, V10, 1, 9, "other.example.com", .addr = 2, .fallbacks = 5, .from = V12,
		    .verdict = VERDICT_LEGACY } },
	    2 },
	{ "refused_with_an_unseen_offer_is_unclear", 0,
	    { { REF, 0, V10, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "unanswered_is_unclear", 0, { { UNA, V12, 0, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "unanswered_with_too_little_is_unclear", 0,
	    { { UNA, V10, 0, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "unanswered_once_with_a_success_since_is_ok", 0,
	    { { UNA, V12, 0, 5, 5, .verdict = VERDICT_OK },
		{ EST, V12, V12, 1, 9, .verdict = VERDICT_OK } },
	    2 },

	/* Cleartext. */
	{ "cleartext_is_cleartext", 0, { { CLR, 0, 0, 1, 9, .verdict = VERDICT_CLEARTEXT } }, 1 },
	{ "later_success_does_not_undo_cleartext", 0,
	    { { CLR, 0, 0, 1, 5, .verdict = VERDICT_CLEARTEXT },
		{ EST, V13, V13, 6, 9, .verdict = VERDICT_OK } },
	    2 },
};

static const char services_text[] = "[Example Online]\n"
				    "version = 2026-01-01\n"
				    "protocol = imap\n"
				    "port = 993\n"
				    "below = TLSv1.2\n"
				    "switch_off = 2026-07-01\n"
				    "host = outlook.example\n"
				    "legacy_host = imap-legacy.example\n"
				    "network = 192.0.2.76/30\n"
				    "[Example that stays]\n"
				    "version = 2026-01-01\n"
				    "host = named.example\n";
static struct switch_off *services;

static void
set_up(void)
{
	services = services_from(services_text);
}

static void
tear_down(void)
{
	switch_off_free(services);
}

static void
fill(struct finding *f, const struct row *row)
{
	const char *server = row->server != NULL ? row->server : "mail.example.com";
	const uint8_t addr[4] = { 192, 0, 2, row->addr != 0 ? row->addr : 1 };

	*f = (struct finding){
		.key = {
			.protocol = PROTOCOL_IMAP,
			.tls_mode = row->outcome == CLR ? TLS_MODE_NONE : TLS_MODE_IMPLICIT,
			.server_port = row->port != 0 ? row->port : 993,
			.tls_version = row->version,
			.offered_version = row->offered,
			.outcome = row->outcome,
			.refused_by = row->outcome == REF ? SIDE_SERVER : SIDE_NONE,
			.refusal = row->outcome == REF ? REFUSAL_CLOSE : REFUSAL_NONE,
		},
		.count = 10,
		.scsv_count = row->scsv,
		.fallback_count = row->fallbacks,
		.fallback_from = row->from,
		.first_us = row->first,
		.last_us = row->last,
		.server_ip = addr_from_v4(addr),
		.server_name_source = row->source,
	};
	event_text_set(&f->key.server, span_from_text(server));
}

static struct policy
policy_of(const struct rule *rule)
{
	return (struct policy){
		.minimum = rule->minimum != 0 ? rule->minimum : V12,
		.services = services,
		.fallback_window_us = FALLBACK_WINDOW,
	};
}

START_TEST(rule_gives_its_verdicts)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX];

	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[i], &rule->rows[i]);
	policy_judge(&policy, findings, rule->count, verdicts);
	for (size_t i = 0; i < rule->count; i++) {
		ck_assert_msg(verdicts[i] == rule->rows[i].verdict, "%s, row %zu: %s, not %s",
		    rule->name, i, verdict_name(verdicts[i]), verdict_name(rule->rows[i].verdict));
	}
}
END_TEST

START_TEST(order_of_rows_changes_nothing)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX];

	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[rule->count - 1 - i], &rule->rows[i]);
	policy_judge(&policy, findings, rule->count, verdicts);
	for (size_t i = 0; i < rule->count; i++)
		ck_assert_msg(verdicts[rule->count - 1 - i] == rule->rows[i].verdict, "%s, row %zu",
		    rule->name, i);
}
END_TEST

/* Of many findings an index is made; few are looked through. */
START_TEST(many_other_rows_change_nothing)
{
	enum { OTHERS = 60 };
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct row other = { EST, V12, V12, 1, 9, "", .port = 2525 };
	static struct finding findings[ROWS_MAX + OTHERS];
	enum verdict verdicts[ROWS_MAX + OTHERS];
	char name[24];

	memset(findings, 0, sizeof(findings));
	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[i], &rule->rows[i]);
	for (size_t i = 0; i < OTHERS; i++) {
		(void)snprintf(name, sizeof(name), "host-%zu.example", i);
		fill(&findings[rule->count + i], &other);
		event_text_set(&findings[rule->count + i].key.server, span_from_text(name));
	}
	policy_judge(&policy, findings, rule->count + OTHERS, verdicts);
	for (size_t i = 0; i < rule->count; i++)
		ck_assert_msg(verdicts[i] == rule->rows[i].verdict, "%s, row %zu", rule->name, i);
}
END_TEST

START_TEST(client_has_the_worst_verdict_of_its_rows)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX], worst = VERDICT_OK, verdict;
	struct buf reason = { 0 };

	for (size_t i = 0; i < rule->count; i++) {
		fill(&findings[i], &rule->rows[i]);
		worst = rule->rows[i].verdict < worst ? rule->rows[i].verdict : worst;
	}
	policy_judge(&policy, findings, rule->count, verdicts);
	verdict = policy_judge_client(&policy, findings, verdicts, rule->count, &reason);
	ck_assert_msg(verdict == worst, "%s: %s", rule->name, verdict_name(verdict));
	ck_assert_msg(reason.len > 20, "%s: no reason", rule->name);
	buf_release(&reason);
}
END_TEST

START_TEST(nothing_is_judged_without_findings)
{
	struct policy policy = { .minimum = V12 };
	enum verdict untouched = VERDICT_WILL_BREAK;

	policy_judge(&policy, NULL, 0, &untouched);
	ck_assert_int_eq(untouched, VERDICT_WILL_BREAK);
}
END_TEST

/* 20,000 made-up names: by comparing each with each this would take minutes. */
START_TEST(many_servers_are_judged_in_no_time)
{
	const size_t count = 20000;
	struct policy policy = { .minimum = V12 };
	struct finding *findings = calloc(count, sizeof(*findings));
	enum verdict *verdicts = calloc(count, sizeof(*verdicts));

	ck_assert(findings != NULL && verdicts != NULL);
	for (size_t i = 0; i < count; i++) {
		char name[32];
		struct row row = { .outcome = i % 2 == 0 ? REF : EST, .offered = V10, .last = 9 };

		(void)snprintf(name, sizeof(name), "%zu.example.com", i / 2);
		row.version = i % 2 == 0 ? 0 : V10;
		row.server = name;
		row.first = row.last = i % 4 < 2 ? (int64_t)(i % 2) : (int64_t)(3 - i % 2);
		row.source = NAME_SOURCE_SNI;
		fill(&findings[i], &row);
	}
	policy_judge(&policy, findings, count, verdicts);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(verdicts[i], i % 4 == 2 ? VERDICT_BROKEN : VERDICT_LEGACY);
	free(findings);
	free(verdicts);
}
END_TEST

START_TEST(servers_are_counted_once_per_verdict)
{
	struct row rows[] = {
		{ EST, V10, V10, 1, 9, "a.example", .port = 993 },
		{ EST, V11, V11, 1, 9, "a.example", .port = 993 },
		{ EST, V10, V10, 1, 9, "a.example", .port = 587 },
		{ EST, V10, V10, 1, 9, "ab.example", .port = 993 },
		{ EST, V12, V12, 1, 9, "a.example", .port = 993 },
	};
	/* Few are counted in another way than many. */
	static const size_t repetitions[] = { 1, 20 };
	enum verdict verdicts[100];
	static struct finding findings[100];
	size_t servers[VERDICT_COUNT], count = 5 * repetitions[_i];

	for (size_t i = 0; i < count; i++) {
		fill(&findings[i], &rows[i % 5]);
		verdicts[i] = i % 5 == 4 ? VERDICT_OK : VERDICT_LEGACY;
	}
	policy_count_servers(findings, verdicts, count, servers);
	ck_assert_uint_eq(servers[VERDICT_LEGACY], 3);
	ck_assert_uint_eq(servers[VERDICT_OK], 1);
	ck_assert_uint_eq(servers[VERDICT_BROKEN], 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	const int rule_count = (int)(sizeof(rules) / sizeof(rules[0]));

	tcase_add_loop_test(tc, rule_gives_its_verdicts, 0, rule_count);
	tcase_add_loop_test(tc, order_of_rows_changes_nothing, 0, rule_count);
	tcase_add_loop_test(tc, many_other_rows_change_nothing, 0, rule_count);
	tcase_add_loop_test(tc, client_has_the_worst_verdict_of_its_rows, 0, rule_count);
	tcase_add_test(tc, nothing_is_judged_without_findings);
	tcase_add_test(tc, many_servers_are_judged_in_no_time);
	tcase_add_loop_test(tc, servers_are_counted_once_per_verdict, 0, 2);
}

SUITE_MAIN("policy_verdict")
