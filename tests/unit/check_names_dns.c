#include "names/dns.h"

#include <stdio.h>
#include <time.h>

#include "names_wire.h"
#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define RESPONSE 0x8180
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28
#define TYPE_SRV 33
#define QUESTION_AT 12 /* behind the header */
#define LABEL_MAX_LEN 63

static void
check_name(const struct dns_addresses *a, const char *name)
{
	ck_assert_msg(a->name.len == strlen(name) && memcmp(a->name.text, name, a->name.len) == 0,
	    "%.*s", a->name.len, a->name.text);
}

static void
check_addr(const struct dns_addresses *a, size_t i, const char *addr)
{
	char text[ADDR_TEXT_LEN];

	ck_assert_uint_lt(i, a->count);
	ck_assert_str_eq(addr_to_text(&a->items[i].addr, text), addr);
}

static void
put_a(struct names_wire *w, unsigned last)
{
	names_record(w, TYPE_A, 300, 4);
	names_put(w, BYTES("\xc0\x00\x02"));
	names_u8(w, last);
}

static void
put_pointer(struct names_wire *w, unsigned to)
{
	names_u16(w, 0xc000 | to);
}

START_TEST(an_answer_gives_the_name_and_its_addresses)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 3);
	names_question(&w, "Mail.EXAMPLE.org", TYPE_A);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 25);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 26);
	names_labels(&w, "mail.example.ORG");
	names_record(&w, TYPE_AAAA, 60, 16);
	names_put(&w, BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x25"));
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	check_name(&a, "mail.example.org");
	ck_assert_uint_eq(a.count, 3);
	check_addr(&a, 0, "192.0.2.25");
	check_addr(&a, 1, "192.0.2.26");
	check_addr(&a, 2, "2001:db8::25");
	ck_assert_uint_eq(a.items[0].ttl, 300);
	ck_assert_uint_eq(a.items[2].ttl, 60);
}
END_TEST

static void
put_cname(struct names_wire *w, const char *from, const char *to)
{
	names_labels(w, from);
	names_record(w, TYPE_CNAME, 300, (unsigned)strlen(to) + 2);
	names_labels(w, to);
}

START_TEST(a_chain_of_cnames_in_any_order_leads_to_the_question)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 5);
	names_question(&w, "outlook.example.com", TYPE_A);
	names_labels(&w, "c.example.net");
	put_a(&w, 25);
	put_cname(&w, "b.example.net", "c.example.net");
	put_cname(&w, "outlook.example.com", "b.example.net");
	/* Not of the chain: */
	put_cname(&w, "x.example.net", "y.example.net");
	names_labels(&w, "y.example.net");
	put_a(&w, 66);
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	check_name(&a, "outlook.example.com");
	ck_assert_uint_eq(a.count, 1);
	check_addr(&a, 0, "192.0.2.25");
}
END_TEST

/* As servers write it: the question's name is a pointer wherever it comes again. */
START_TEST(a_pointer_to_the_question_is_its_name)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 4);
	names_question(&w, "outlook.example.com", TYPE_A);
	put_pointer(&w, QUESTION_AT);
	names_record(&w, TYPE_CNAME, 300, 2 + strlen("b.example.net"));
	names_labels(&w, "b.example.net");
	put_pointer(&w, QUESTION_AT);
	names_record(&w, TYPE_CNAME, 300, 2 + strlen("y.example.net"));
	names_labels(&w, "y.example.net");
	names_labels(&w, "b.example.net");
	put_a(&w, 25);
	names_labels(&w, "y.example.net");
	put_a(&w, 66);
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	check_name(&a, "outlook.example.com");
	ck_assert_uint_eq(a.count, 1);
	check_addr(&a, 0, "192.0.2.25");
}
END_TEST

START_TEST(a_ring_of_cnames_ends)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 3);
	names_question(&w, "a.example", TYPE_A);
	put_cname(&w, "a.example", "b.example");
	put_cname(&w, "b.example", "a.example");
	names_labels(&w, "b.example");
	put_a(&w, 25);
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	check_name(&a, "a.example");
	ck_assert_uint_eq(a.count, 1);
}
END_TEST

#define LONGEST 126 /* labels of one byte each: the longest name, in the most pieces */
#define LONG 12     /* as long as the names of all records of a message may be */
#define RECORDS 64
#define CHAIN 12

/* A question for a name of so many labels. */
static void
put_long_question(struct names_wire *w, unsigned labels)
{
	names_header(w, RESPONSE, 1, RECORDS);
	for (unsigned i = 0; i < labels; i++)
		names_put(w, BYTES("\1q"));
	names_put(w, BYTES("\0\0\1\0\1"));
}

/* A label of its own and then the question's, but for its first two. */
static void
put_long_name(struct names_wire *w, unsigned letter)
{
	names_u8(w, 1);
	names_u8(w, letter);
	put_pointer(w, QUESTION_AT + 4);
}

/* Seconds for a message whose chain, of records of this type, stands at its end and backwards. */
static double
seconds_for_chain(unsigned type)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;
	struct timespec from, to;

	put_long_question(&w, LONG);
	for (unsigned i = 0; i < RECORDS - CHAIN; i++) {
		put_long_name(&w, 'z');
		put_a(&w, i);
	}
	for (unsigned i = CHAIN; i-- > 0;) {
		if (i > 0)
			put_long_name(&w, 'a' + i);
		else
			put_pointer(&w, QUESTION_AT);
		names_record(&w, type, 300, 4);
		put_long_name(&w, 'a' + i + 1);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int i = 0; i < 2000; i++)
		ck_assert(!dns_answer_parse(names_bytes(&w), &a));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* To read all records once per link would take some seven times as long. */
START_TEST(a_long_chain_costs_little_more_than_none)
{
	double without = seconds_for_chain(0), with = seconds_for_chain(TYPE_CNAME);

	ck_assert_msg(with < 3 * without, "%g s, and %g s without", with, without);
}
END_TEST

/* Pointers that lead through all labels of the longest name, for each record, are not followed. */
START_TEST(all_records_with_long_names_are_read_but_not_with_the_longest)
{
	static const unsigned labels[] = { LONG, LONGEST };

	for (unsigned i = 0; i < 2; i++) {
		struct names_wire w = { 0 };
		struct dns_addresses a;

		put_long_question(&w, labels[i]);
		for (unsigned k = 1; k < RECORDS; k++) {
			put_long_name(&w, 'z');
			put_a(&w, k);
		}
		put_pointer(&w, QUESTION_AT);
		put_a(&w, 25);
		ck_assert_msg(dns_answer_parse(names_bytes(&w), &a) == (i == 0), "%u", labels[i]);
	}
}
END_TEST

static const struct {
	const char *name;
	unsigned flags, questions, answers;
} no_answers[] = {
	{ "a question", 0x0100, 1, 1 },
	{ "no such name", RESPONSE | 3, 1, 1 },
	{ "a notification", RESPONSE | 4 << 11, 1, 1 },
	{ "two questions", RESPONSE, 2, 1 },
	{ "no question", RESPONSE, 0, 1 },
	{ "no answers", RESPONSE, 1, 0 },
};

START_TEST(what_is_no_answer_gives_nothing)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, no_answers[_i].flags, no_answers[_i].questions, no_answers[_i].answers);
	names_question(&w, "mail.example.org", TYPE_A);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 25);
	ck_assert_msg(!dns_answer_parse(names_bytes(&w), &a), "%s", no_answers[_i].name);
}
END_TEST

START_TEST(a_prefix_counts_as_far_as_its_records_are_whole)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;
	size_t first_end;

	names_header(&w, RESPONSE, 1, 2);
	names_question(&w, "mail.example.org", TYPE_A);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 25);
	first_end = w.len;
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 26);
	for (size_t len = 0; len <= w.len; len++) {
		bool any = dns_answer_parse(span_from(w.bytes, len), &a);

		ck_assert_msg(any == (len >= first_end), "%zu", len);
		ck_assert_uint_eq(a.count, len < first_end ? 0 : len < w.len ? 1 : 2);
	}
}
END_TEST

/* Names in place of the question's, and what is made of them. */
static const struct {
	const char *name;
	const char *wire;
	size_t len;
	const char *text; /* NULL: no name */
} names[] = {
	{ "one label", "\4mail", 6, "mail" },
	{ "control characters stay as they are", "\6a\x1b[2J\n\1b", 10, "a\x1b[2j\n.b" },
	{ "no UTF-8", "\2\xff\xfe", 4, "\xff\xfe" },
	{ "the root", "", 1, NULL },
	{ "a dot inside a label", "\3a.b", 5, NULL },
	{ "a label of a reserved kind", "\x41x", 3, NULL },
	{ "a pointer to itself", "\xc0\x0c", 2, NULL },
	{ "a pointer forwards", "\xc0\x20", 2, NULL },
	{ "a pointer past the end", "\xff\xff", 2, NULL },
	{ "a label and a pointer to it", "\1a\xc0\x0c", 4, NULL },
	{ "a pointer into the header", "\1a\xc0\x04", 4, "a" },
};

START_TEST(a_name_is_read_or_refused)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;
	bool any;

	names_header(&w, RESPONSE, 1, 1);
	names_put(&w, span_from(names[_i].wire, names[_i].len));
	names_u16(&w, TYPE_A);
	names_u16(&w, 1);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 25);
	/* The header's count of questions, 00 01 at 4, reads as the root. */
	any = dns_answer_parse(names_bytes(&w), &a);
	ck_assert_msg(any == (names[_i].text != NULL), "%s", names[_i].name);
	if (any)
		check_name(&a, names[_i].text);
}
END_TEST

/* Two labels; names are read in words, of which the last one may begin among the ones before. */
START_TEST(letters_of_names_of_any_length_become_small_and_a_dot_is_none)
{
	for (unsigned len = 1; len <= LABEL_MAX_LEN; len++) {
		for (unsigned at = 0; at < len; at++) {
			char label[LABEL_MAX_LEN + 1] = { 0 }, text[LABEL_MAX_LEN + 3];
			struct names_wire w = { 0 };
			struct dns_addresses a;

			for (unsigned i = 0; i < len; i++)
				label[i] = "@AMZ[`az{\xc1\xda"[(i + at) % 11];
			names_header(&w, RESPONSE, 1, 1);
			names_u8(&w, len);
			names_put(&w, span_from(label, len));
			names_put(&w, BYTES("\1X\0\0\1\0\1"));
			put_pointer(&w, QUESTION_AT);
			put_a(&w, 25);
			ck_assert(dns_answer_parse(names_bytes(&w), &a));
			(void)snprintf(text, sizeof(text), "%s.x", label);
			for (unsigned i = 0; i < len; i++)
				text[i] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
			check_name(&a, text);
			w.bytes[QUESTION_AT + 1 + at] = '.';
			ck_assert(!dns_answer_parse(names_bytes(&w), &a));
		}
	}
}
END_TEST

START_TEST(labels_have_at_most_63_bytes_and_names_253)
{
	for (unsigned last = 60; last <= 64; last++) {
		struct names_wire w = { 0 };
		struct dns_addresses a;

		names_header(&w, RESPONSE, 1, 1);
		for (int i = 0; i < 4; i++) {
			unsigned len = i < 3 ? 63 : last;

			names_u8(&w, len);
			memset(w.bytes + w.len, 'a', len);
			w.len += len;
		}
		names_u8(&w, 0);
		names_u16(&w, TYPE_A);
		names_u16(&w, 1);
		put_pointer(&w, QUESTION_AT);
		put_a(&w, 25);
		ck_assert_msg(dns_answer_parse(names_bytes(&w), &a) == (last <= 61), "%u", last);
	}
}
END_TEST

/* A name as long as a message: as many labels as fit, or pointers that lead through all of it. */
START_TEST(names_of_64_kib_are_refused_at_once)
{
	static uint8_t bytes[65535];
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 65535);
	memcpy(bytes, w.bytes, w.len);
	for (size_t i = w.len; i + 2 <= sizeof(bytes); i += 2) {
		bytes[i] = 1;
		bytes[i + 1] = 'a';
	}
	ck_assert(!dns_answer_parse(span_from(bytes, sizeof(bytes)), &a));
	for (size_t i = w.len + 2; i + 2 <= sizeof(bytes); i += 2) {
		bytes[i] = (uint8_t)(0xc0 | ((i - 2) >> 8 & 0x3f));
		bytes[i + 1] = (uint8_t)(i - 2);
	}
	ck_assert(!dns_answer_parse(span_from(bytes, sizeof(bytes)), &a));
}
END_TEST

START_TEST(more_addresses_than_fit_are_left_out)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, DNS_ADDRS_MAX + 5);
	names_question(&w, "mail.example.org", TYPE_A);
	for (unsigned i = 0; i < DNS_ADDRS_MAX + 5; i++) {
		put_pointer(&w, QUESTION_AT);
		put_a(&w, i);
	}
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	ck_assert_uint_eq(a.count, DNS_ADDRS_MAX);
}
END_TEST

START_TEST(an_announcement_names_its_host)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, 0x8400, 0, 2);
	names_labels(&w, "_ipp._tcp.local");
	names_record(&w, 12, 120, 2);
	put_pointer(&w, QUESTION_AT);
	names_labels(&w, "Printer-7.local");
	names_u16(&w, TYPE_A);
	names_u16(&w, 0x8001); /* cache flush */
	names_u32(&w, 120);
	names_u16(&w, 4);
	names_put(&w, BYTES("\x0a\x00\x00\x07"));
	ck_assert(dns_announcement_parse(names_bytes(&w), &a));
	check_name(&a, "printer-7.local");
	check_addr(&a, 0, "10.0.0.7");
}
END_TEST

/* RFC 6763, section 4.1.1: as people name their printers; in front of the host's address. */
START_TEST(a_service_with_a_dot_in_its_name_does_not_hide_its_host)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, 0x8400, 0, 2);
	names_put(&w, BYTES("\16Printer No. 7.\4_ipp\4_tcp\5local\0"));
	names_record(&w, TYPE_SRV, 120, 8);
	names_put(&w, BYTES("\0\0\0\0\2\x77\xc0\x12"));
	names_labels(&w, "printer-7.local");
	names_record(&w, TYPE_A, 120, 4);
	names_put(&w, BYTES("\x0a\x00\x00\x07"));
	ck_assert(dns_announcement_parse(names_bytes(&w), &a));
	check_name(&a, "printer-7.local");
	check_addr(&a, 0, "10.0.0.7");
}
END_TEST

START_TEST(names_with_a_dot_in_a_label_are_not_equal)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, RESPONSE, 1, 3);
	names_question(&w, "mail.example.org", TYPE_A);
	put_pointer(&w, QUESTION_AT);
	names_record(&w, TYPE_CNAME, 300, 5);
	names_put(&w, BYTES("\3a.b\0"));
	names_put(&w, BYTES("\3c.d\0"));
	put_a(&w, 66);
	put_pointer(&w, QUESTION_AT);
	put_a(&w, 25);
	ck_assert(dns_answer_parse(names_bytes(&w), &a));
	ck_assert_uint_eq(a.count, 1);
	check_addr(&a, 0, "192.0.2.25");
}
END_TEST

START_TEST(a_goodbye_names_nobody)
{
	struct names_wire w = { 0 };
	struct dns_addresses a;

	names_header(&w, 0x8400, 0, 1);
	names_labels(&w, "printer.local");
	names_record(&w, TYPE_A, 0, 4);
	names_put(&w, BYTES("\x0a\x00\x00\x07"));
	ck_assert(!dns_announcement_parse(names_bytes(&w), &a));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, an_answer_gives_the_name_and_its_addresses);
	tcase_add_test(tc, a_chain_of_cnames_in_any_order_leads_to_the_question);
	tcase_add_test(tc, a_pointer_to_the_question_is_its_name);
	tcase_add_test(tc, a_ring_of_cnames_ends);
	tcase_add_test(tc, a_long_chain_costs_little_more_than_none);
	tcase_add_test(tc, all_records_with_long_names_are_read_but_not_with_the_longest);
	tcase_add_loop_test(tc, what_is_no_answer_gives_nothing, 0, ROWS(no_answers));
	tcase_add_test(tc, a_prefix_counts_as_far_as_its_records_are_whole);
	tcase_add_loop_test(tc, a_name_is_read_or_refused, 0, ROWS(names));
	tcase_add_test(tc, letters_of_names_of_any_length_become_small_and_a_dot_is_none);
	tcase_add_test(tc, labels_have_at_most_63_bytes_and_names_253);
	tcase_add_test(tc, names_of_64_kib_are_refused_at_once);
	tcase_add_test(tc, more_addresses_than_fit_are_left_out);
	tcase_add_test(tc, an_announcement_names_its_host);
	tcase_add_test(tc, a_service_with_a_dot_in_its_name_does_not_hide_its_host);
	tcase_add_test(tc, names_with_a_dot_in_a_label_are_not_equal);
	tcase_add_test(tc, a_goodbye_names_nobody);
}

SUITE_MAIN("names_dns")
