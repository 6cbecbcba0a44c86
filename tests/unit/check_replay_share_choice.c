#include "suite.h"

#include "replay/share_choice.h"

#include "base/banned.h"

#define FRAMES 16000
#define ALONE_NS 200

/* A stretch of a storm, done as the one before it decided, and what it cost a frame. */
static bool
add(struct share_choice *c, bool is_shared, int64_t frame_ns)
{
	return share_choice_add(c, &(struct share_stretch){
				       .is_shared = is_shared,
				       .frame_count = FRAMES,
				       .event_count = FRAMES / 20,
				       .spent_ns = FRAMES * frame_ns,
				   });
}

static bool
add_mix(struct share_choice *c, bool is_shared)
{
	return share_choice_add(c, &(struct share_stretch){
				       .is_shared = is_shared,
				       .frame_count = FRAMES,
				       .event_count = FRAMES / 50,
				       .spent_ns = FRAMES * ALONE_NS / 4,
				   });
}

/* As many stretches alone as tell what they cost. */
static void
begin(struct share_choice *c)
{
	share_choice_init(c);
	for (unsigned i = 0; i < SHARE_STRETCHES_ALONE; i++)
		ck_assert(!add(c, false, i == 0 ? 10 * ALONE_NS : ALONE_NS));
	ck_assert(add(c, false, ALONE_NS));
}

/* Stretches until sharing is over, at that cost, of which the first is dearer. */
static unsigned
share(struct share_choice *c, int64_t frame_ns, unsigned most)
{
	unsigned count = 1;
	bool goes_on = add(c, true, 5 * frame_ns);

	while (goes_on && count < most) {
		goes_on = add(c, true, frame_ns);
		count++;
	}
	return count;
}

static unsigned
wait_alone(struct share_choice *c)
{
	unsigned count = 1;

	while (!add(c, false, ALONE_NS))
		count++;
	return count;
}

START_TEST(a_storm_is_shared_while_that_costs_little_more)
{
	struct share_choice c;

	begin(&c);
	ck_assert_uint_eq(share(&c, ALONE_NS * 14 / 10, 1000), 1000);
}
END_TEST

START_TEST(one_goes_on_alone_where_sharing_costs_much_more)
{
	struct share_choice c;
	unsigned wait = SHARE_PATIENCE_MIN;

	begin(&c);
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_eq(share(&c, ALONE_NS * 16 / 10, 1000), SHARE_STRETCHES_SHARED + 1);
		ck_assert_uint_eq(wait_alone(&c), wait);
		wait = wait < SHARE_PATIENCE_MAX ? wait * 2 : wait;
	}
	/* Once it did not cost too much, it is tried again as soon as at first. */
	ck_assert_uint_eq(
	    share(&c, ALONE_NS, SHARE_STRETCHES_SHARED + 1), SHARE_STRETCHES_SHARED + 1);
	ck_assert_uint_eq(share(&c, ALONE_NS * 2, 1000), SHARE_STRETCHES_SHARED);
	ck_assert_uint_eq(wait_alone(&c), SHARE_PATIENCE_MIN);
}
END_TEST

START_TEST(what_is_no_storm_is_not_shared)
{
	struct share_choice c;

	begin(&c);
	ck_assert(!add_mix(&c, true));
	for (int i = 0; i < 10; i++)
		ck_assert(!add_mix(&c, false));
	/* What a storm costs alone is known already. */
	ck_assert(add(&c, false, ALONE_NS));
	ck_assert(add(&c, true, ALONE_NS));
	/* Of the mix, nothing is counted. */
	ck_assert(!add_mix(&c, true));
	ck_assert_double_eq(c.alone_cost, ALONE_NS);
}
END_TEST

START_TEST(what_has_no_frames_tells_no_cost)
{
	const struct share_stretch none = { .event_count = 1, .spent_ns = 1000 };
	struct share_choice c;

	share_choice_init(&c);
	for (int i = 0; i < 10; i++)
		ck_assert(!share_choice_add(&c, &none));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_storm_is_shared_while_that_costs_little_more);
	tcase_add_test(tc, one_goes_on_alone_where_sharing_costs_much_more);
	tcase_add_test(tc, what_is_no_storm_is_not_shared);
	tcase_add_test(tc, what_has_no_frames_tells_no_cost);
}

SUITE_MAIN("replay_share_choice")
