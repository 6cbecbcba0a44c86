#include "export_fixture.h"

#include "report/diff.h"

#include "base/banned.h"

#define FIELD_MAX 4096
#define FIELDS_MAX 64

/* A reader of RFC 4180, as strict as its grammar: takes one record off the front. */
static size_t
read_record(const char **text, char fields[FIELDS_MAX][FIELD_MAX])
{
	const char *p = *text;
	size_t count = 0;

	for (;;) {
		char *out = fields[count++];
		size_t len = 0;

		ck_assert_uint_lt(count, FIELDS_MAX);
		if (*p == '"') {
			for (p++; *p != '"' || p[1] == '"'; p++) {
				ck_assert_msg(*p != '\0', "no closing quote");
				p += *p == '"';
				out[len++] = *p;
			}
			p++;
		} else {
			while (*p != ',' && *p != '\r') {
				ck_assert_msg(*p != '"' && *p != '\n' && *p != '\0', "at %s", p);
				out[len++] = *p++;
			}
		}
		ck_assert_uint_lt(len, FIELD_MAX);
		out[len] = '\0';
		if (*p == ',') {
			p++;
			continue;
		}
		ck_assert_msg(p[0] == '\r' && p[1] == '\n', "no end of line at %s", p);
		*text = p + 2;
		return count;
	}
}

struct records {
	char names[FIELDS_MAX][FIELD_MAX], values[FIELDS_MAX][FIELD_MAX];
	size_t count;
	const char *rest;
};
static struct records records;

static void
read_names(const char *text)
{
	records.rest = text;
	records.count = read_record(&records.rest, records.names);
}

static void
next_record(void)
{
	ck_assert_uint_eq(read_record(&records.rest, records.values), records.count);
}

static const char *
value_of(const char *name)
{
	for (size_t i = 0; i < records.count; i++) {
		if (strcmp(records.names[i], name) == 0)
			return records.values[i];
	}
	ck_abort_msg("no column %s", name);
}

START_TEST(every_record_has_the_columns_of_the_first)
{
	struct fixture f;

	set_up(&f);
	read_names(export_as(&f, EXPORT_CSV));
	ck_assert_uint_eq(records.count, 46);
	ck_assert_str_eq(records.names[0], "record");
	for (int i = 0; i < 3; i++)
		next_record();
	ck_assert_str_eq(records.rest, "");
	tear_down(&f);
}
END_TEST

START_TEST(coverage_comes_first)
{
	struct fixture f;

	set_up(&f);
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	ck_assert_str_eq(value_of("record"), "coverage");
	ck_assert_str_eq(value_of("count"), "4224");
	ck_assert_str_eq(value_of("first_seen"), "2026-07-03T00:00:00.000000Z");
	ck_assert_str_eq(value_of("last_seen"), "2026-11-19T22:14:00.000000Z");
	ck_assert_str_eq(value_of("verdict"), "");
	ck_assert_str_eq(value_of("client"), "");
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "12,345,678 packets"));
	ck_assert_ptr_nonnull(
	    strstr(value_of("client_reason"), "423 of these (10.0 %) are unclear"));
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "Not seen: 12 gaps"));
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "(25.0 %) lie within a capture"));
	ck_assert_ptr_null(strstr(value_of("client_reason"), "verdicts"));
	tear_down(&f);
}
END_TEST

START_TEST(row_of_the_inventory_is_a_record)
{
	static const struct {
		const char *name, *value;
	} wanted[] = {
		{ "record", "inventory" },
		{ "sensor", "here" },
		{ "client", "2001:db8::1" },
		{ "client_name", "" },
		{ "protocol", "SMTP" },
		{ "tls_mode", "starttls" },
		{ "server", "mail.example" },
		{ "server_port", "993" },
		{ "tls_version", "TLSv1.3" },
		{ "outcome", "established" },
		{ "refused_by", "" },
		{ "refusal", "" },
		{ "count", "4012" },
		{ "cipher_suite", "TLS_AES_128_GCM_SHA256" },
		{ "ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1" },
		{ "verdict", "ok" },
		{ "server_name_source", "sni" },
		{ "certificate_subject", "CN=mail.example,O=\"Mail, Inc\"" },
		{ "certificate_not_after", "2026-11-19T22:14:00.000000Z" },
		{ "client_verdict", "ok" },
		{ "client_reason", "negotiates TLS 1.3" },
	};
	struct fixture f;

	set_up(&f);
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	next_record();
	ck_assert_str_eq(value_of("client_mac"), "00:01:02:ab:cd:ef");
	ck_assert_str_eq(value_of("refusal"), "protocol_version");
	ck_assert_str_eq(value_of("refused_by"), "server");
	ck_assert_str_eq(value_of("server_ip"), "192.0.2.1");
	ck_assert_str_eq(value_of("legacy_endpoint"), "");
	ck_assert_str_eq(value_of("tls_version"), "");
	next_record();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_str_eq(value_of(wanted[i].name), wanted[i].value);
	tear_down(&f);
}
END_TEST

START_TEST(hostile_name_stays_one_harmless_field)
{
	const char *shown = hostile[_i].shown, *value;
	const char *past = shown + strspn(shown, " ");
	struct fixture f;
	bool formula = (*past != '\0' && strchr("=+-@", *past) != NULL) ||
		       strncmp(past, "\xef\xbc\x9d", 3) == 0;

	set_up(&f);
	set_name(&f, hostile[_i].name);
	check_harmless(export_as(&f, EXPORT_CSV), true);
	read_names(buf_text(&f.out));
	next_record();
	next_record();
	value = value_of("client_name");
	if (formula)
		ck_assert_int_eq(*value++, '\'');
	ck_assert_str_eq(value, shown);
	ck_assert_str_eq(value_of("verdict"), "broken");
	next_record();
	ck_assert_str_eq(records.rest, "");
	tear_down(&f);
}
END_TEST

static const char *const with_apostrophes[] = { "=x", "'=x", "''=x", " =x", "' =x", "'' '=x", "'x",
	"' x", "'", "''", "a;=x", "a;'=x", "a; =x", "a;\"=x", ";=x;=y;'z", "';'=x", "a;'x" };

START_TEST(name_with_apostrophes_is_read_back_as_it_was)
{
	const struct diff_options options = { .policy = { .minimum = TLS_VERSION_1_2 } };
	struct diff_side side;
	struct fixture f;
	struct error err;
	const char *csv;

	set_up(&f);
	set_name(&f, with_apostrophes[_i]);
	csv = export_as(&f, EXPORT_CSV);
	ck_assert_int_eq(diff_side_import(&side, "x", span_from_text(csv), &options, &err), 0);
	ck_assert_str_eq(side.clients[0].name, with_apostrophes[_i]);
	diff_side_release(&side);
	tear_down(&f);
}
END_TEST

START_TEST(what_a_semicolon_ends_begins_no_formula)
{
	struct fixture f;
	const char *csv;

	set_up(&f);
	set_name(&f, "a;=1+1;\"-2; @x;'+y");
	csv = export_as(&f, EXPORT_CSV);
	ck_assert_ptr_nonnull(strstr(csv, "\"a;'=1+1;'\"\"-2;' @x;''+y\""));
	tear_down(&f);
}
END_TEST

START_TEST(longest_name_is_whole)
{
	struct fixture f;
	char shown[4 * EVENT_NAME_MAX + 1];

	set_up(&f);
	memset(f.name, 0xff, EVENT_NAME_MAX);
	f.name[EVENT_NAME_MAX] = '\0';
	for (size_t i = 0; i < EVENT_NAME_MAX; i++)
		memcpy(shown + 4 * i, "\\xff", 5);
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	next_record();
	ck_assert_str_eq(value_of("client_name"), shown);
	tear_down(&f);
}
END_TEST

START_TEST(empty_export_still_says_what_was_observed)
{
	struct fixture f;

	set_up(&f);
	f.report.client_count = 0;
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "12,345,678 packets"));
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "no clean result"));
	ck_assert_str_eq(records.rest, "");
	f.report.observed = (struct report_observed){ 0 };
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"), "Nothing was captured yet"));
	ck_assert_str_eq(value_of("first_seen"), "");
	tear_down(&f);
}
END_TEST

START_TEST(only_verdicts_asked_for_are_written)
{
	struct fixture f;

	set_up(&f);
	f.view.verdicts = 1U << VERDICT_BROKEN | 1U << VERDICT_OK;
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	ck_assert_ptr_nonnull(strstr(value_of("client_reason"),
	    " Only clients with these verdicts are listed: broken, ok."));
	tear_down(&f);
	set_up(&f);
	f.view.verdicts = 1U << VERDICT_OK;
	read_names(export_as(&f, EXPORT_CSV));
	next_record();
	next_record();
	ck_assert_str_eq(value_of("client"), "2001:db8::1");
	ck_assert_str_eq(records.rest, "");
	tear_down(&f);
}
END_TEST

START_TEST(format_has_a_name_and_back)
{
	static const char *const names[] = { "csv", "json", "ndjson", "html" };
	enum export_format format = EXPORT_CSV;

	ck_assert(export_format_from_text(names[_i], &format));
	ck_assert_int_eq((int)format, _i);
	ck_assert_str_eq(export_format_name(format), names[_i]);
	ck_assert(!export_format_from_text("", &format));
	ck_assert(!export_format_from_text("cs", &format));
	ck_assert(!export_format_from_text("csvv", &format));
	ck_assert_int_eq((int)format, _i);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, every_record_has_the_columns_of_the_first);
	tcase_add_test(tc, coverage_comes_first);
	tcase_add_test(tc, row_of_the_inventory_is_a_record);
	tcase_add_loop_test(tc, hostile_name_stays_one_harmless_field, 0, ROWS(hostile));
	tcase_add_loop_test(
	    tc, name_with_apostrophes_is_read_back_as_it_was, 0, ROWS(with_apostrophes));
	tcase_add_test(tc, what_a_semicolon_ends_begins_no_formula);
	tcase_add_test(tc, longest_name_is_whole);
	tcase_add_test(tc, empty_export_still_says_what_was_observed);
	tcase_add_test(tc, only_verdicts_asked_for_are_written);
	tcase_add_loop_test(tc, format_has_a_name_and_back, 0, 4);
}

SUITE_MAIN("report_export_csv")
