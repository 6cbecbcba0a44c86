#include "policy/verdict.h"
#include "suite.h"

#include "base/banned.h"

START_TEST(verdict_names_lead_back_to_their_verdict)
{
	enum verdict back = VERDICT_OK;

	ck_assert(verdict_from_text(verdict_name((enum verdict)_i), &back));
	ck_assert_int_eq((int)back, _i);
}
END_TEST

START_TEST(other_text_names_no_verdict)
{
	static const char *const texts[] = { "", "Broken", "broke", "brokenn", "will_break",
		" ok" };
	enum verdict untouched = VERDICT_UNCLEAR;

	ck_assert(!verdict_from_text(texts[_i], &untouched));
	ck_assert_int_eq(untouched, VERDICT_UNCLEAR);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, verdict_names_lead_back_to_their_verdict, 0, VERDICT_COUNT);
	tcase_add_loop_test(tc, other_text_names_no_verdict, 0, 6);
}

SUITE_MAIN("policy_verdict_name")
