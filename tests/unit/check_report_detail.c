#include <string.h>

#include "report/report_internal.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

static const struct policy policy = { .minimum = TLS_VERSION_1_2 };

#define TEXT(literal) "" literal, sizeof(literal) - 1

static const struct {
	const char *server;
	size_t len;
	const char *shown;
} servers[] = {
	{ TEXT("mail.example"), "mail.example" },
	{ TEXT("192.0.2.1"), "192.0.2.1" },
	{ TEXT("2001:DB8:0::1"), "2001:db8::1" },
	{ TEXT(""), "" },
	{ TEXT("*"), "*" },
	{ TEXT("a:993"), "a:993" },
	{ TEXT(":"), ":" },
	{ TEXT("[2001:db8::1]"), "[2001:db8::1]" },
	{ TEXT("192.0.2.1\0.example"), "192.0.2.1\\x00.example" },
	{ TEXT("b\xc3\xbcro"), "b\\xc3\\xbcro" },
	{ TEXT("\033[2J\xff"), "\\x1b[2J\\xff" },
};

START_TEST(server_stands_without_its_port)
{
	struct finding f = { .key = { .server_port = 993 } };
	struct report_detail d;

	event_text_set(&f.key.server, span_from(servers[_i].server, servers[_i].len));
	report_detail_fill(&policy, &f, &d);
	ck_assert_str_eq(d.server, servers[_i].shown);
	ck_assert_uint_eq(d.server_port, 993);
	report_detail_release(&d);
}
END_TEST

START_TEST(longest_server_is_whole)
{
	char name[EVENT_NAME_MAX];
	struct finding f = { .key = { .server_port = 65535 } };
	struct report_detail d;

	memset(name, 'x', sizeof(name));
	event_text_set(&f.key.server, span_from(name, sizeof(name)));
	report_detail_fill(&policy, &f, &d);
	ck_assert_uint_eq(strlen(d.server), sizeof(name));
	report_detail_release(&d);
}
END_TEST

START_TEST(subject_is_printable_and_none_stays_none)
{
	struct finding f = { .has_ja4 = true,
		.gap_count = 2,
		.login_count = 3,
		.ended_count = 5,
		.dropped_early_count = 4 };
	struct report_detail d;

	memset(f.ja4, 'a', sizeof(f.ja4));
	report_detail_fill(&policy, &f, &d);
	ck_assert_ptr_null(d.certificate_subject);
	ck_assert_uint_eq(d.gap_count, 2);
	ck_assert_uint_eq(d.login_count, 3);
	ck_assert_uint_eq(d.ended_count, 5);
	ck_assert_uint_eq(d.dropped_early_count, 4);
	ck_assert_mem_eq(d.ja4, f.ja4, sizeof(f.ja4));
	report_detail_release(&d);
	event_text_set(&f.certificate_subject, BYTES("CN=a\nb"));
	report_detail_fill(&policy, &f, &d);
	ck_assert_str_eq(d.certificate_subject, "CN=a\\x0ab");
	report_detail_release(&d);
}
END_TEST

static const struct {
	uint16_t minimum, offered, chosen;
	enum event_side side;
} limits[] = {
	{ TLS_VERSION_1_2, TLS_VERSION_1_0, TLS_VERSION_1_0, SIDE_CLIENT },
	{ TLS_VERSION_1_2, TLS_VERSION_1_3, TLS_VERSION_1_0, SIDE_SERVER },
	{ TLS_VERSION_1_2, TLS_VERSION_1_2, TLS_VERSION_1_2, SIDE_NONE },
	{ TLS_VERSION_1_3, TLS_VERSION_1_2, TLS_VERSION_1_2, SIDE_CLIENT },
	{ TLS_VERSION_1_3, TLS_VERSION_1_3, TLS_VERSION_1_2, SIDE_SERVER },
	{ TLS_VERSION_1_0, TLS_VERSION_1_0, TLS_VERSION_1_0, SIDE_NONE },
	{ TLS_VERSION_1_2, 0, TLS_VERSION_1_0, SIDE_NONE },
	{ TLS_VERSION_1_2, TLS_VERSION_1_0, 0, SIDE_NONE },
};

/* The capture's was TLS 1.2. */
START_TEST(limit_is_told_by_the_minimum_that_is_asked_for)
{
	const struct policy asked = { .minimum = limits[_i].minimum };
	struct finding f = {
		.key.offered_version = limits[_i].offered,
		.key.tls_version = limits[_i].chosen,
	};
	struct report_detail d;

	report_detail_fill(&asked, &f, &d);
	ck_assert_int_eq(d.limited_by, limits[_i].side);
	report_detail_release(&d);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, server_stands_without_its_port, 0, (int)(sizeof(servers) / sizeof(servers[0])));
	tcase_add_test(tc, longest_server_is_whole);
	tcase_add_loop_test(tc, limit_is_told_by_the_minimum_that_is_asked_for, 0,
	    (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tc, subject_is_printable_and_none_stays_none);
}

SUITE_MAIN("report_detail")
