#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "policy/switch_off.h"
#include "tls/names.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
/* 2026-07-01 and 2023-07-31, 00:00 UTC */
#define SWITCH INT64_C(1782864000000000)
#define VERSION INT64_C(1690761600000000)

static struct switch_off *list;
static struct buf faults;

static void
set_up(void)
{
	list = switch_off_new();
	buf_clear(&faults);
}

static void
tear_down(void)
{
	switch_off_free(list);
	buf_release(&faults);
}

static void
note_fault(void *arg, unsigned line, const char *text)
{
	(void)arg;
	buf_addf(&faults, "%u: %s\n", line, text);
}

static size_t
read_text(const char *text)
{
	return switch_off_read(list, span_from_text(text), note_fault, NULL);
}

static bool
find(const char *name, const char *address, uint16_t port, enum protocol protocol,
    struct switch_off_match *out)
{
	struct addr addr = { 0 };

	memset(out, 0, sizeof(*out));
	ck_assert(address[0] == '\0' || addr_from_text(address, &addr));
	return switch_off_find(list, span_from_text(name), &addr, port, protocol, out);
}

static const char two_services[] = "# data\r\n"
				   "\r\n"
				   "[Online mail]\r\n"
				   "version = 2023-07-31\r\n"
				   "source = a, list\r\n"
				   "protocol = imap, pop3\r\n"
				   "port = 993,995\r\n"
				   "below = TLSv1.2\r\n"
				   "switch_off = 2026-07-01\r\n"
				   "host = outlook.example, *.outlook.example\r\n"
				   "legacy_host = Imap-Legacy.outlook.example.\r\n"
				   "network = 192.0.2.0/25, 2001:db8::/32, 64:ff9b::c633:6401\r\n"
				   "[Online sending]\r\n"
				   "version = 2024-01-01\r\n"
				   "protocol = smtp\r\n"
				   "below = TLSv1.1\r\n"
				   "switch_off = unknown\r\n"
				   "host = smtp.example, outlook.example\r\n"
				   "network = 192.0.2.0/24\r\n";

static const struct {
	const char *name, *address;
	uint16_t port;
	enum protocol protocol;
	const char *service; /* NULL: none */
	bool legacy, by_address;
} lookups[] = {
	{ "outlook.example", "", 993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "OUTLOOK.example.", "", 993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "outlook.example", "", 587, PROTOCOL_SMTP, "Online sending", false, false },
	{ "outlook.example", "", 443, PROTOCOL_TLS, NULL, false, false },
	{ "outlook.example", "", 2993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "a.outlook.example", "", 993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "a.b.outlook.example", "", 993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "imap-legacy.outlook.example", "", 993, PROTOCOL_IMAP, "Online mail", true, false },
	{ "a.imap-legacy.outlook.example", "", 993, PROTOCOL_IMAP, "Online mail", false, false },
	{ "notoutlook.example", "", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "outlook.example.org", "", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "a.smtp.example", "", 587, PROTOCOL_SMTP, NULL, false, false },
	{ "mail.example", "192.0.2.1", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "", "192.0.2.1", 993, PROTOCOL_IMAP, "Online mail", false, true },
	{ "", "192.0.2.1", 143, PROTOCOL_IMAP, NULL, false, false },
	{ "", "192.0.2.127", 995, PROTOCOL_POP3, "Online mail", false, true },
	{ "", "192.0.2.128", 995, PROTOCOL_POP3, NULL, false, false },
	{ "", "192.0.2.128", 25, PROTOCOL_SMTP, "Online sending", false, true },
	{ "", "::ffff:192.0.2.1", 993, PROTOCOL_IMAP, "Online mail", false, true },
	{ "", "64:ff9b::192.0.2.1", 993, PROTOCOL_IMAP, "Online mail", false, true },
	{ "", "64:ff9b::192.0.2.128", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "", "64:ff9b:1::192.0.2.1", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "", "64:ff9b::198.51.100.1", 993, PROTOCOL_IMAP, "Online mail", false, true },
	{ "", "198.51.100.1", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "", "2001:db8:ffff::1", 993, PROTOCOL_IMAP, "Online mail", false, true },
	{ "", "2001:db9::1", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "", "", 993, PROTOCOL_IMAP, NULL, false, false },
	{ ".", "", 993, PROTOCOL_IMAP, NULL, false, false },
	{ "*", "192.0.2.1", 993, PROTOCOL_IMAP, NULL, false, false },
};

START_TEST(a_server_is_found_by_its_name_else_by_its_address)
{
	struct switch_off_match match;
	bool found;

	ck_assert_uint_eq(read_text(two_services), 0);
	found = find(
	    lookups[_i].name, lookups[_i].address, lookups[_i].port, lookups[_i].protocol, &match);
	ck_assert(found == (lookups[_i].service != NULL));
	if (!found)
		return;
	ck_assert_str_eq(match.service, lookups[_i].service);
	ck_assert(match.legacy_endpoint == lookups[_i].legacy);
	ck_assert(match.by_address == lookups[_i].by_address);
}
END_TEST

START_TEST(a_match_says_what_is_known_of_the_service)
{
	struct switch_off_match match;
	int64_t oldest;

	ck_assert(!switch_off_oldest(list, &oldest));
	ck_assert_uint_eq(read_text(two_services), 0);
	ck_assert(find("outlook.example", "", 993, PROTOCOL_IMAP, &match));
	ck_assert_uint_eq(match.below, TLS_VERSION_1_2);
	ck_assert(match.has_date && match.date_us == SWITCH);
	ck_assert(match.has_version && match.version_us == VERSION);
	ck_assert(find("smtp.example", "", 587, PROTOCOL_SMTP, &match));
	ck_assert_uint_eq(match.below, TLS_VERSION_1_1);
	ck_assert(!match.has_date);
	ck_assert_uint_eq(switch_off_service_count(list), 2);
	ck_assert(switch_off_oldest(list, &oldest) && oldest == VERSION);
}
END_TEST

START_TEST(the_users_own_servers_are_found_besides)
{
	struct switch_off_match match;
	struct network_set networks = { 0 };
	struct error err;

	ck_assert_int_eq(network_set_add_text(&networks, "198.51.100.0/24", &err), 0);
	switch_off_add_host(list, "*.own.example");
	switch_off_add_host(list, "mail.own2.example");
	switch_off_add_networks(list, &networks);
	ck_assert_uint_eq(read_text(two_services), 0);
	ck_assert(find("a.own.example", "", 465, PROTOCOL_SMTP, &match));
	ck_assert_uint_gt(match.below, TLS_VERSION_1_3);
	ck_assert(!match.has_version && !match.has_date);
	ck_assert(find("mail.own2.example", "", 443, PROTOCOL_TLS, &match));
	ck_assert(find("", "198.51.100.9", 465, PROTOCOL_SMTP, &match));
	ck_assert(match.by_address);
	ck_assert(find("outlook.example", "", 993, PROTOCOL_IMAP, &match));
	ck_assert_uint_eq(switch_off_service_count(list), 2);
	network_set_release(&networks);
}
END_TEST

/* Networks of any width, those that begin like others, and addresses in any of their forms. */
static const struct {
	const char *address;
	bool found;
} in_networks[] = {
	{ "7.255.255.255", false },
	{ "8.0.0.0", true },
	{ "11.0.0.1", true },
	{ "15.255.255.255", true },
	{ "16.0.0.0", false },
	{ "203.0.113.255", true },
	{ "203.0.112.255", false },
	{ "203.0.114.0", false },
	{ "::ffff:203.0.113.9", true },
	{ "::ffff:9.9.9.9", true },
	{ "::ffff:203.0.114.9", false },
	{ "64:ff9b::203.0.113.9", true },
	{ "64:ff9b::203.0.114.9", false },
	{ "2001:db8:ff:ffff::1", true },
	{ "2001:db8:100::1", false },
	{ "800::1", false },
	{ "3fff::1", false },
	{ "4000::", true },
	{ "7fff::1", true },
	{ "8000::", false },
};

START_TEST(an_address_is_found_in_networks_of_any_width)
{
	struct switch_off_match match;
	struct network_set networks = { 0 };
	struct error err;

	ck_assert_int_eq(network_set_add_text(
			     &networks, "8.0.0.0/5,203.0.113.0/24,2001:db8::/40,4000::/2", &err),
	    0);
	switch_off_add_networks(list, &networks);
	ck_assert(
	    find("", in_networks[_i].address, 993, PROTOCOL_IMAP, &match) == in_networks[_i].found);
	network_set_release(&networks);
}
END_TEST

#define HEAD "[A]\nversion = 2026-01-01\nbelow = TLSv1.2\n"
#define TAIL "[B]\nversion = 2026-01-01\nhost = b.example\n"

static const struct {
	const char *text;
	const char *fault; /* what one of them says; the line first */
	bool a_is_used;
} wrong[] = {
	{ HEAD "host = a.example, a b\n" TAIL, "4: 'a b' is no host name: give one such as", true },
	{ HEAD "host = a.example\nnetwork = 300.0.0.0/8\n" TAIL, "5: '300.0.0.0/8' is no network",
	    true },
	{ HEAD "host = a.example\nnetwork = any\n" TAIL, "5: 'any' is no network", true },
	{ HEAD "host = a.example\nhost =\n" TAIL, "5: '' is no host name", true },
	{ HEAD "host = a.example\nprotcol = imap\n" TAIL, "5: there is no key 'protcol'; there are",
	    false },
	{ HEAD "host = a.example\nprotocol = imaps\n" TAIL, "5: 'imaps' is no protocol", false },
	{ HEAD "host = a.example\nport = 0\n" TAIL, "5: '0' is no port", false },
	{ HEAD "host = a.example\nport = 65536\n" TAIL, "5: '65536' is no port", false },
	{ HEAD "host = a.example\nport = 99x\n" TAIL, "5: '99x' is no port", false },
	{ HEAD "host = a.example\nbelow = TLSv1.1\n" TAIL, "5: below is given twice", false },
	{ HEAD "host = a.example\nswitch_off = soon\n" TAIL, "5: 'soon' is no date: write it as",
	    false },
	{ HEAD "host = a.example\nswitch_off = 2026-02-30\n" TAIL, "5: '2026-02-30' is no date",
	    false },
	{ HEAD "host = a.example\nswitch_off = 7d\n" TAIL, "5: '7d' is no date", false },
	{ HEAD "host = a.example\nnothing\n" TAIL, "5: 'nothing' is no setting: write key = value",
	    false },
	{ HEAD "host = a.example\nhost = \x01.example\n" TAIL, "5: the line holds a control",
	    false },
	{ HEAD TAIL, "1: the service has no host and no network", false },
	{ "[A]\nbelow = TLSv1.2\nhost = a.example\n" TAIL, "1: the service has no version", false },
	{ "[A]\nversion = 2026-01-01\nswitch_off = 2026-07-01\nhost = a.example\n" TAIL,
	    "1: the service has a switch_off but nothing to switch off", false },
	{ "[A]\nversion = 2026-01-01\nbelow = soon\nhost = a.example\n" TAIL,
	    "3: 'soon' is no version", false },
	{ "[A\nversion = 2026-01-01\nhost = a.example\n" TAIL, "1: '[A' begins no service", false },
	{ "[]\nversion = 2026-01-01\nhost = a.example\n" TAIL, "1: '[]' begins no service", false },
	/* Behind other services. */
	{ TAIL HEAD "host = a.example\nprotcol = imap\n", "8: there is no key 'protcol'", false },
	{ TAIL "[C]\nversion = 2026-01-01\nhost = c.example\n" HEAD "host = a.example, a b\n",
	    "10: 'a b' is no host name", true },
	{ TAIL HEAD, "4: the service has no host and no network", false },
	{ "host = a.example\n" TAIL, "1: 'host = a.example' stands before the first service",
	    false },
};

START_TEST(a_name_of_one_label_is_found_and_stands_for_those_below_where_it_is_a_wildcard)
{
	struct switch_off_match m;

	switch_off_add_host(list, "mailhost");
	switch_off_add_host(list, "*.lan");
	ck_assert(find("MailHost.", "", 993, PROTOCOL_IMAP, &m));
	ck_assert(find("a.LAN", "", 993, PROTOCOL_IMAP, &m));
	ck_assert(find("deep.below.a.lan", "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find("lan", "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find("mailhost.lan.example", "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find("a.mailhost", "", 993, PROTOCOL_IMAP, &m));
}
END_TEST

/* Most names are told from those of the list by their last characters, where there are enough. */
START_TEST(a_name_of_any_length_is_found_as_itself_or_below_a_wildcard)
{
	const char *host = &"ho.st-of-example"[_i], *rest = host + (host[0] == '.');
	struct switch_off_match m;
	char wildcard[32], below[32], other[32], upper[32];

	(void)snprintf(wildcard, sizeof(wildcard), "*.%s", rest);
	(void)snprintf(below, sizeof(below), "a.%s", rest);
	(void)snprintf(other, sizeof(other), "a%s", rest);
	(void)snprintf(upper, sizeof(upper), "A.b.%s.", rest);
	upper[4] = (char)(upper[4] >= 'a' && upper[4] <= 'z' ? upper[4] - 32 : upper[4]);
	switch_off_add_host(list, rest);
	ck_assert(find(rest, "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find(below, "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find(other, "", 993, PROTOCOL_IMAP, &m));
	switch_off_add_host(list, wildcard);
	ck_assert(find(below, "", 993, PROTOCOL_IMAP, &m));
	ck_assert(find(upper, "", 993, PROTOCOL_IMAP, &m));
	ck_assert(!find(other, "", 993, PROTOCOL_IMAP, &m));
}
END_TEST

START_TEST(a_wrong_line_is_named_and_the_rest_is_used_where_that_is_safe)
{
	struct switch_off_match match;

	ck_assert_uint_ge(read_text(wrong[_i].text), 1);
	ck_assert_msg(strncmp(buf_text(&faults), wrong[_i].fault, strlen(wrong[_i].fault)) == 0,
	    "%s, not %s", buf_text(&faults), wrong[_i].fault);
	ck_assert(find("a.example", "", 993, PROTOCOL_IMAP, &match) == wrong[_i].a_is_used);
	ck_assert(find("b.example", "", 993, PROTOCOL_IMAP, &match));
}
END_TEST

START_TEST(every_cut_of_a_file_can_be_read)
{
	for (size_t len = 0; len <= strlen(two_services); len++) {
		struct switch_off *cut = switch_off_new();

		(void)switch_off_read(cut, span_from(two_services, len), note_fault, NULL);
		switch_off_free(cut);
	}
}
END_TEST

START_TEST(a_finding_without_a_list_belongs_to_none)
{
	struct finding f = { .key = { .protocol = PROTOCOL_IMAP } };
	struct switch_off_match match;

	ck_assert(!switch_off_find_server(NULL, &f, &match));
	ck_assert(!switch_off_find_server(list, &f, &match));
}
END_TEST

static const char *const addresses[] = { "192.0.2.9", "2001:db8:1:2:3:4:5:abcd",
	"2001:db8::", "2001:db8::f", "2001:db8::192.0.2.9" };

START_TEST(an_address_in_place_of_a_name_is_no_name)
{
	struct finding f = {
		.key = { .protocol = PROTOCOL_IMAP, .server_port = 993 },
		.server_name_source = NAME_SOURCE_SNI,
	};
	struct switch_off_match match;

	ck_assert_uint_eq(read_text(two_services), 0);
	event_text_set(&f.key.server, span_from_text(addresses[_i]));
	ck_assert(addr_from_text(addresses[_i], &f.server_ip));
	ck_assert(switch_off_find_server(list, &f, &match));
	ck_assert(match.by_address);
}
END_TEST

/* What the program comes with. */
static void
read_shipped(void)
{
	const char *root = getenv("TLSTALLY_SOURCE_ROOT");
	char path[4096], text[65536];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/etc/switching-off.conf", root != NULL ? root : ".");
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	len = fread(text, 1, sizeof(text), f);
	ck_assert_uint_lt(len, sizeof(text));
	(void)fclose(f);
	ck_assert_msg(switch_off_read(list, span_from(text, len), note_fault, NULL) == 0, "%s",
	    buf_text(&faults));
}

static const struct {
	const char *name, *address;
	uint16_t port;
	enum protocol protocol;
	bool switches_off, legacy;
} shipped[] = {
	{ "outlook.office365.com", "", 993, PROTOCOL_IMAP, true, false },
	{ "imap-legacy.office365.com", "", 993, PROTOCOL_IMAP, true, true },
	{ "pop-legacy.office365.com", "", 995, PROTOCOL_POP3, true, true },
	{ "smtp-legacy.office365.com", "", 587, PROTOCOL_SMTP, true, true },
	{ "smtp.office365.com", "", 587, PROTOCOL_SMTP, true, false },
	{ "partner.outlook.cn", "", 993, PROTOCOL_IMAP, true, false },
	{ "pop-legacy.partner.outlook.cn", "", 995, PROTOCOL_POP3, true, true },
	{ "imap-legacy.partner.outlook.cn", "", 993, PROTOCOL_IMAP, true, true },
	{ "smtp-legacy.partner.outlook.cn", "", 587, PROTOCOL_SMTP, true, true },
	{ "outlook.office365.us", "", 993, PROTOCOL_IMAP, true, false },
	{ "outlook-dod.office365.us", "", 993, PROTOCOL_IMAP, true, false },
	{ "webmail.apps.mil", "", 587, PROTOCOL_SMTP, true, false },
	{ "", "40.96.0.1", 993, PROTOCOL_IMAP, true, false },
	{ "", "40.103.255.255", 995, PROTOCOL_POP3, true, false },
	{ "", "52.99.255.255", 587, PROTOCOL_SMTP, true, false },
	{ "", "52.100.0.1", 993, PROTOCOL_IMAP, false, false },
	{ "", "52.100.0.1", 25, PROTOCOL_SMTP, false, false },
	{ "", "2603:1016::1", 993, PROTOCOL_IMAP, true, false },
	{ "", "2603:1006:ff::1", 993, PROTOCOL_IMAP, true, false },
	{ "", "42.159.40.7", 993, PROTOCOL_IMAP, true, false },
	{ "", "20.35.208.1", 993, PROTOCOL_IMAP, true, false },
	{ "", "20.35.192.1", 995, PROTOCOL_POP3, true, false },
	{ "mail.example.com", "40.96.0.1", 993, PROTOCOL_IMAP, false, false },
};

START_TEST(the_file_that_is_shipped_knows_exchange_online)
{
	struct switch_off_match match;

	read_shipped();
	(void)find(
	    shipped[_i].name, shipped[_i].address, shipped[_i].port, shipped[_i].protocol, &match);
	ck_assert((match.below == TLS_VERSION_1_2) == shipped[_i].switches_off);
	ck_assert(match.legacy_endpoint == shipped[_i].legacy);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, a_server_is_found_by_its_name_else_by_its_address, 0, ROWS(lookups));
	tcase_add_test(tc, a_match_says_what_is_known_of_the_service);
	tcase_add_test(tc, the_users_own_servers_are_found_besides);
	tcase_add_loop_test(tc, an_address_is_found_in_networks_of_any_width, 0, ROWS(in_networks));
	tcase_add_test(
	    tc, a_name_of_one_label_is_found_and_stands_for_those_below_where_it_is_a_wildcard);
	tcase_add_loop_test(tc, a_name_of_any_length_is_found_as_itself_or_below_a_wildcard, 0, 16);
	tcase_add_loop_test(
	    tc, a_wrong_line_is_named_and_the_rest_is_used_where_that_is_safe, 0, ROWS(wrong));
	tcase_add_test(tc, every_cut_of_a_file_can_be_read);
	tcase_add_test(tc, a_finding_without_a_list_belongs_to_none);
	tcase_add_loop_test(tc, an_address_in_place_of_a_name_is_no_name, 0,
	    sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_loop_test(tc, the_file_that_is_shipped_knows_exchange_online, 0, ROWS(shipped));
}

SUITE_MAIN("policy_switch_off")
