#include "names/observe.h"

#include "names_wire.h"
#include "suite.h"

#include "base/banned.h"

#define SEEN_MAX 8

struct seen {
	size_t count;
	struct name_seen items[SEEN_MAX];
};

static void
on_seen(void *arg, const struct name_seen *seen)
{
	struct seen *s = arg;

	ck_assert_uint_lt(s->count, SEEN_MAX);
	name_seen_copy(&s->items[s->count++], seen);
}

static struct seen
observe(uint16_t src_port, uint16_t dst_port, bool tcp, struct span payload)
{
	struct seen seen = { 0 };
	const struct name_packet packet = {
		.src = addr_from_v4((const uint8_t[]){ 10, 0, 0, 53 }),
		.dst = addr_from_v4((const uint8_t[]){ 10, 0, 0, 7 }),
		.src_port = src_port,
		.dst_port = dst_port,
		.tcp = tcp,
		.payload = payload,
		.time_us = 77,
	};

	names_observe(&packet, on_seen, &seen);
	return seen;
}

static void
check_dns(const struct name_seen *s, const char *name)
{
	char text[ADDR_TEXT_LEN];

	ck_assert_int_eq((int)s->kind, NAME_SEEN_DNS);
	ck_assert_int_eq(s->time_us, 77);
	ck_assert_str_eq(addr_to_text(&s->client, text), "10.0.0.7");
	ck_assert_str_eq(addr_to_text(&s->addr, text), "192.0.2.25");
	ck_assert_msg(span_equals(span_from(s->name, s->name_len), span_from_text(name)), "%.*s",
	    s->name_len, s->name);
}

static void
put_answer(struct names_wire *w, const char *name)
{
	names_header(w, 0x8180, 1, 1);
	names_question(w, name, 1);
	names_labels(w, name);
	names_record(w, 1, 300, 4);
	names_put(w, BYTES("\xc0\x00\x02\x19"));
}

static void
put_with_length(struct names_wire *w, const char *name)
{
	struct names_wire answer = { 0 };

	put_answer(&answer, name);
	names_u16(w, (unsigned)answer.len);
	names_put(w, names_bytes(&answer));
}

START_TEST(a_dns_answer_is_for_the_one_who_asked)
{
	struct names_wire w = { 0 };
	struct seen seen;

	put_answer(&w, "mail.example.org");
	seen = observe(53, 40000, false, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 1);
	check_dns(&seen.items[0], "mail.example.org");
}
END_TEST

START_TEST(a_record_that_is_repeated_is_told_once)
{
	static const uint8_t addresses[][4] = { { 192, 0, 2, 25 }, { 192, 0, 2, 25 },
		{ 192, 0, 2, 26 }, { 192, 0, 2, 25 } };
	struct names_wire w = { 0 };
	struct seen seen;

	names_header(&w, 0x8180, 1, 4);
	names_question(&w, "mail.example.org", 1);
	for (size_t i = 0; i < 4; i++) {
		names_labels(&w, "mail.example.org");
		names_record(&w, 1, 300, 4);
		names_put(&w, span_from(addresses[i], 4));
	}
	seen = observe(53, 40000, false, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 3);
	check_dns(&seen.items[0], "mail.example.org");
	ck_assert_uint_eq(seen.items[1].addr.bytes[3], 26);
	check_dns(&seen.items[2], "mail.example.org");
}
END_TEST

START_TEST(a_segment_may_hold_several_messages)
{
	struct names_wire w = { 0 };
	struct seen seen;

	put_with_length(&w, "a.example.org");
	put_with_length(&w, "b.example.org");
	seen = observe(53, 40000, true, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 2);
	check_dns(&seen.items[0], "a.example.org");
	check_dns(&seen.items[1], "b.example.org");
}
END_TEST

START_TEST(a_message_that_goes_on_in_the_next_segment_counts_so_far)
{
	struct names_wire w = { 0 }, answer = { 0 };
	struct seen seen;

	put_answer(&answer, "a.example.org");
	names_u16(&w, 1800); /* more records are to come */
	names_put(&w, names_bytes(&answer));
	seen = observe(53, 40000, true, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 1);
	check_dns(&seen.items[0], "a.example.org");
}
END_TEST

START_TEST(the_length_may_have_come_in_a_segment_of_its_own)
{
	struct names_wire w = { 0 };
	struct seen seen;

	put_answer(&w, "a.example.org");
	seen = observe(53, 40000, true, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 1);
	check_dns(&seen.items[0], "a.example.org");
	ck_assert_uint_eq(observe(53, 40000, true, BYTES("\x00\x3c")).count, 0);
	ck_assert_uint_eq(observe(53, 40000, true, BYTES("")).count, 0);
}
END_TEST

START_TEST(an_announcement_is_of_a_device)
{
	struct names_wire w = { 0 };
	struct seen seen;

	names_header(&w, 0x8400, 0, 1);
	names_labels(&w, "printer.local");
	names_record(&w, 1, 120, 4);
	names_put(&w, BYTES("\x0a\x00\x00\x07"));
	seen = observe(5353, 5353, false, names_bytes(&w));
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq((int)seen.items[0].kind, NAME_SEEN_MDNS);
}
END_TEST

static const uint16_t ports[][2] = { { 53, 1 }, { 5353, 5353 }, { 68, 67 }, { 67, 68 },
	{ 137, 137 } };

START_TEST(noise_tells_nothing)
{
	uint8_t noise[300];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 37 + 11);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		for (size_t len = 0; len <= sizeof(noise); len++)
			ck_assert_uint_eq(
			    observe(ports[i][0], ports[i][1], false, span_from(noise, len)).count,
			    0);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_dns_answer_is_for_the_one_who_asked);
	tcase_add_test(tc, a_record_that_is_repeated_is_told_once);
	tcase_add_test(tc, a_segment_may_hold_several_messages);
	tcase_add_test(tc, a_message_that_goes_on_in_the_next_segment_counts_so_far);
	tcase_add_test(tc, the_length_may_have_come_in_a_segment_of_its_own);
	tcase_add_test(tc, an_announcement_is_of_a_device);
	tcase_add_test(tc, noise_tells_nothing);
}

SUITE_MAIN("names_observe")
