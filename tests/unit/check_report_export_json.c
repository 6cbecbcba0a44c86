#include "export_fixture.h"

#include "base/banned.h"

/* A reader of RFC 8259's grammar; NULL where the text breaks it. */
static const char *read_value(const char *p, int depth);

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \n");
}

static const char *
read_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\')
			continue;
		p++;
		if (*p == 'u') {
			if (strspn(p + 1, "0123456789abcdefABCDEF") < 4)
				return NULL;
			p += 4;
		} else if (*p == '\0' || strchr("\"\\/bfnrt", *p) == NULL) {
			return NULL;
		}
	}
	return p + 1;
}

static const char *
read_members(const char *p, char end, int depth)
{
	p = skip_blanks(p + 1);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (end == '}') {
			p = read_string(skip_blanks(p));
			if (p == NULL || *p++ != ':')
				return NULL;
		}
		p = read_value(skip_blanks(p), depth + 1);
		if (p == NULL)
			return NULL;
		p = skip_blanks(p);
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *
read_value(const char *p, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t digits = strspn(p, "0123456789.");

	if (depth > 16)
		return NULL;
	if (*p == '{')
		return read_members(p, '}', depth);
	if (*p == '[')
		return read_members(p, ']', depth);
	if (*p == '"')
		return read_string(p);
	for (size_t i = 0; i < 3; i++) {
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	}
	return digits > 0 ? p + digits : NULL;
}

static bool
is_document(const char *text)
{
	const char *end = read_value(text, 0);

	return end != NULL && strcmp(end, "\n") == 0;
}

/* The reader above is a test's only judge: it has to know bad from good. */
static const struct {
	const char *text;
	bool good;
} documents[] = {
	{ "{}\n", true },
	{ "[1,{\"a\":null}]\n", true },
	{ "{\"a\":\"\\u001b\"}\n", true },
	{ "{\"a\":1,}\n", false },
	{ "{\"a\"1}\n", false },
	{ "{,\"a\":1}\n", false },
	{ "[1 2]\n", false },
	{ "\"\033\"\n", false },
	{ "\"a\n", false },
	{ "{}{}\n", false },
	{ "\n", false },
};

START_TEST(reader_of_this_suite_knows_bad_from_good)
{
	ck_assert_int_eq(is_document(documents[_i].text), documents[_i].good);
}
END_TEST

static void
check_has(const char *text, const char *const *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr(text, wanted[i]) != NULL, "no %s in:\n%s", wanted[i], text);
}

START_TEST(document_has_version_coverage_and_clients)
{
	static const char *const wanted[] = {
		"{\"format\":\"tlstally-export\",\"schema_version\":1,"
		"\"made\":\"2026-11-19T22:14:00.000000Z\",\"minimum\":\"TLSv1.2\"",
		"\"coverage\":{\"runs\":2,\"captures\":3,\"captures_failed\":0,"
		"\"begin\":\"2026-07-03T00:00:00.000000Z\"",
		"\"packets\":12345678,",
		"\"handshakes\":4223,\"cleartext_sessions\":1,\"unclear\":423,",
		"\"counters\":{\"gaps\":{\"value\":12,\"complete\":true},"
		"\"flows_evicted\":{\"value\":3,\"complete\":false}}",
		"\"totals\":{\"broken\":1,\"will-break\":0,",
		"\"client_name\":\"scanner-3\",\"client_name_source\":\"ehlo\","
		"\"client_mac\":\"00:01:02:ab:cd:ef\",\"client_verdict\":\"broken\"",
		"\"refused_by\":\"server\",\"refusal\":\"protocol_version\"",
		"\"tls_version\":null,\"offered_version\":\"TLSv1.0\"",
		"\"client_name\":null,\"client_name_source\":null,\"client_mac\":null",
		"\"count\":4012,\"first_seen\":\"2026-07-03T00:00:00.000000Z\"",
		"\"cipher_suite\":\"TLS_AES_128_GCM_SHA256\"",
	};
	struct fixture f;

	set_up(&f);
	ck_assert(is_document(export_as(&f, EXPORT_JSON)));
	check_has(buf_text(&f.out), wanted, sizeof(wanted) / sizeof(wanted[0]));
	tear_down(&f);
}
END_TEST

START_TEST(what_was_asked_for_stands_in_the_document)
{
	static const char *const wanted[] = { "\"since\":\"2026-07-03T00:00:00.000000Z\"",
		"\"until\":null", "\"clients\":[\"10.0.0.0/8\",\"2001:db8::/32\"]",
		"\"verdicts\":[\"broken\",\"legacy\"]" };
	struct network_set clients = { 0 };
	struct fixture f;
	struct error err;

	set_up(&f);
	ck_assert_int_eq(network_set_add_text(&clients, "10.0.0.0/8,2001:db8::/32", &err), 0);
	f.options.clients = &clients;
	f.options.has_since = true;
	f.options.since_us = BEGIN;
	f.view.verdicts = 1U << VERDICT_BROKEN | 1U << VERDICT_LEGACY;
	ck_assert(is_document(export_as(&f, EXPORT_JSON)));
	check_has(buf_text(&f.out), wanted, sizeof(wanted) / sizeof(wanted[0]));
	ck_assert_ptr_nonnull(strstr(buf_text(&f.out), "\"client\":\"10.1.2.14\""));
	ck_assert_ptr_null(strstr(buf_text(&f.out), "\"client\":\"2001:db8::1\""));
	network_set_release(&clients);
	tear_down(&f);
}
END_TEST

START_TEST(every_line_of_ndjson_is_a_document_and_the_first_is_the_coverage)
{
	struct fixture f;
	const char *text;
	size_t count = 0;

	set_up(&f);
	text = export_as(&f, EXPORT_NDJSON);
	ck_assert(strncmp(text, "{\"record\":\"coverage\",", 21) == 0);
	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		ck_assert_ptr_eq(read_value(text, 0), end);
		count++;
		ck_assert(count == 1 || strncmp(text, "{\"record\":\"inventory\",", 22) == 0);
	}
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(count, 3);
	tear_down(&f);
}
END_TEST

START_TEST(hostile_name_stays_one_string)
{
	static const enum export_format formats[] = { EXPORT_JSON, EXPORT_NDJSON };
	struct fixture f;
	struct buf wanted = { 0 };

	set_up(&f);
	set_name(&f, hostile[_i].name);
	buf_add_text(&wanted, "\"client_name\":\"");
	for (const char *p = hostile[_i].shown; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(&wanted, '\\');
		buf_add_char(&wanted, *p);
	}
	buf_add_text(&wanted, "\",\"client_name_source\"");
	for (size_t i = 0; i < 2; i++) {
		const char *text = export_as(&f, formats[i]);

		check_harmless(text, false);
		ck_assert(formats[i] != EXPORT_JSON || is_document(text));
		ck_assert_msg(strstr(text, buf_text(&wanted)) != NULL, "no %s in:\n%s",
		    buf_text(&wanted), text);
	}
	buf_release(&wanted);
	tear_down(&f);
}
END_TEST

START_TEST(name_of_a_counter_cannot_end_its_string)
{
	static char bad[] = "a\":1,\n\"b";
	struct fixture f;

	set_up(&f);
	f.counters[0].name = bad;
	ck_assert(is_document(export_as(&f, EXPORT_JSON)));
	ck_assert_ptr_nonnull(strstr(buf_text(&f.out), "\"a__1___b\":{\"value\":12"));
	tear_down(&f);
}
END_TEST

START_TEST(empty_database_gives_a_document)
{
	struct fixture f;

	set_up(&f);
	f.report = (struct report){ 0 };
	ck_assert(is_document(export_as(&f, EXPORT_JSON)));
	ck_assert_ptr_nonnull(strstr(buf_text(&f.out), "\"runs\":0"));
	ck_assert_ptr_nonnull(strstr(buf_text(&f.out), "\"begin\":null,\"end\":null"));
	ck_assert_ptr_nonnull(strstr(buf_text(&f.out), "\"clients\":[]"));
	tear_down(&f);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, reader_of_this_suite_knows_bad_from_good, 0, ROWS(documents));
	tcase_add_test(tc, document_has_version_coverage_and_clients);
	tcase_add_test(tc, what_was_asked_for_stands_in_the_document);
	tcase_add_test(tc, every_line_of_ndjson_is_a_document_and_the_first_is_the_coverage);
	tcase_add_loop_test(tc, hostile_name_stays_one_string, 0, ROWS(hostile));
	tcase_add_test(tc, name_of_a_counter_cannot_end_its_string);
	tcase_add_test(tc, empty_database_gives_a_document);
}

SUITE_MAIN("report_export_json")
