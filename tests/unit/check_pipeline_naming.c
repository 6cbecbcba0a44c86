#include "pipeline/naming.h"

#include <string.h>

#include "base/timestamp.h"
#include "suite.h"

#include "base/banned.h"

#define HOUR (INT64_C(3600) * USEC_PER_SEC)
#define DAY (24 * HOUR)
#define NOW (1000 * DAY)

#define MAC_DEVICE "\x00\x1b\x21\x0a\x0b\x0c"
#define MAC_ROUTER "\x00\x1b\x21\xff\xff\x01"

static struct naming *naming;

static void
init(void)
{
	naming = naming_new();
}

static void
release(void)
{
	naming_free(naming);
}

static struct addr
ip(const char *text)
{
	struct addr a = { 0 };

	ck_assert(addr_from_text(text, &a));
	return a;
}

static void
see(enum name_seen_kind kind, const char *client, const char *addr, const char *mac,
    const char *name, int64_t time_us)
{
	struct name_seen seen = { .kind = kind, .time_us = time_us, .ttl = 300 };

	if (client != NULL)
		seen.client = ip(client);
	if (addr != NULL)
		seen.addr = ip(addr);
	if (mac != NULL)
		memcpy(seen.mac, mac, 6);
	seen.name_len = (uint8_t)strlen(name);
	memcpy(seen.name, name, seen.name_len);
	naming_add(naming, &seen);
}

static void
see_dns(const char *client, const char *server, const char *name, int64_t time_us)
{
	see(NAME_SEEN_DNS, client, server, NULL, name, time_us);
}

static struct event
event_of(const char *client, const char *server, int64_t time_us)
{
	struct event ev;

	event_init(&ev);
	ev.client_ip = ip(client);
	ev.server_ip = ip(server);
	ev.server_port = 993;
	ev.timestamp_us = time_us;
	return ev;
}

static void
check_server(const struct event *ev, const char *name, enum name_source source)
{
	ck_assert_msg(ev->server_name.len == strlen(name) &&
			  memcmp(ev->server_name.data, name, ev->server_name.len) == 0,
	    "%.*s, not %s", ev->server_name.len, ev->server_name.data, name);
	ck_assert_int_eq((int)ev->server_name_source, (int)source);
}

static void
expect(const char *client, const char *server, int64_t time_us, const char *name,
    enum name_source source)
{
	struct event ev = event_of(client, server, time_us);

	naming_apply(naming, &ev);
	check_server(&ev, name, source);
}

static void
show_certificate(const char *server, int64_t time_us, const char *name)
{
	struct event ev = event_of("10.0.0.99", server, time_us);

	event_text_set(&ev.server_name, span_from_text(name));
	ev.server_name_source = NAME_SOURCE_CERTIFICATE;
	naming_apply(naming, &ev);
	check_server(&ev, name, NAME_SOURCE_CERTIFICATE);
}

START_TEST(a_server_is_called_as_its_client_asked)
{
	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW);
	see_dns("10.0.0.2", "192.0.2.25", "mail.example.com", NOW);
	expect("10.0.0.1", "192.0.2.25", NOW + 1, "imap.example.org", NAME_SOURCE_DNS);
	expect("10.0.0.2", "192.0.2.25", NOW + 1, "mail.example.com", NAME_SOURCE_DNS);
	expect("10.0.0.1", "192.0.2.26", NOW + 1, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(the_last_question_of_a_client_counts)
{
	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW);
	see_dns("10.0.0.1", "192.0.2.25", "pop.example.org", NOW + HOUR);
	expect("10.0.0.1", "192.0.2.25", NOW + 1, "imap.example.org", NAME_SOURCE_DNS);
	expect("10.0.0.1", "192.0.2.25", NOW + 2 * HOUR, "pop.example.org", NAME_SOURCE_DNS);
}
END_TEST

START_TEST(one_name_serves_all_clients_and_two_serve_none)
{
	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW);
	expect("10.0.0.9", "192.0.2.25", NOW + 1, "imap.example.org", NAME_SOURCE_DNS);
	see_dns("10.0.0.2", "192.0.2.25", "mail.example.com", NOW + 2);
	expect("10.0.0.9", "192.0.2.25", NOW + 3, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(an_answer_outlives_its_ttl_but_not_for_ever)
{
	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW);
	expect("10.0.0.1", "192.0.2.25", NOW - 1, "", NAME_SOURCE_NONE);
	expect("10.0.0.1", "192.0.2.25", NOW + DAY, "imap.example.org", NAME_SOURCE_DNS);
	expect("10.0.0.1", "192.0.2.25", NOW + DAY + 1, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(sni_stays)
{
	struct event ev = event_of("10.0.0.1", "192.0.2.25", NOW);

	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW - 1);
	event_text_set(&ev.server_name, span_from_text("sni.example.org"));
	ev.server_name_source = NAME_SOURCE_SNI;
	naming_apply(naming, &ev);
	check_server(&ev, "sni.example.org", NAME_SOURCE_SNI);
}
END_TEST

START_TEST(a_certificate_names_later_attempts_at_the_same_port)
{
	struct event other = event_of("10.0.0.1", "192.0.2.25", NOW + 1);

	show_certificate("192.0.2.25", NOW, "mail.example.org");
	expect("10.0.0.1", "192.0.2.25", NOW - 1, "", NAME_SOURCE_NONE);
	expect("10.0.0.1", "192.0.2.25", NOW + 1, "mail.example.org", NAME_SOURCE_CERTIFICATE);
	other.server_port = 995;
	naming_apply(naming, &other);
	check_server(&other, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(two_certificates_name_nothing_but_themselves)
{
	show_certificate("192.0.2.25", NOW, "mail.example.org");
	show_certificate("192.0.2.25", NOW + 1, "mail.example.com");
	expect("10.0.0.1", "192.0.2.25", NOW + 2, "", NAME_SOURCE_NONE);
	expect("10.0.0.1", "192.0.2.25", NOW + 7 * DAY + 1, "mail.example.com",
	    NAME_SOURCE_CERTIFICATE);
}
END_TEST

START_TEST(dns_outranks_the_certificate)
{
	struct event ev = event_of("10.0.0.1", "192.0.2.25", NOW);

	see_dns("10.0.0.1", "192.0.2.25", "imap.example.org", NOW - 1);
	event_text_set(&ev.server_name, span_from_text("mail.example.org"));
	ev.server_name_source = NAME_SOURCE_CERTIFICATE;
	naming_apply(naming, &ev);
	check_server(&ev, "imap.example.org", NAME_SOURCE_DNS);
}
END_TEST

static void
expect_client(const char *client, const char *mac, const char *own, enum name_source own_source,
    const char *name, enum name_source source)
{
	struct event ev = event_of(client, "192.0.2.25", NOW);

	if (mac != NULL) {
		ev.has_client_mac = true;
		memcpy(ev.client_mac, mac, 6);
	}
	event_text_set(&ev.client_name, span_from_text(own));
	ev.client_name_source = own_source;
	naming_apply(naming, &ev);
	ck_assert_msg(ev.client_name.len == strlen(name) &&
			  memcmp(ev.client_name.data, name, ev.client_name.len) == 0,
	    "%.*s, not %s", ev.client_name.len, ev.client_name.data, name);
	ck_assert_int_eq((int)ev.client_name_source, (int)source);
}

START_TEST(a_lease_names_its_address_also_behind_a_router)
{
	see(NAME_SEEN_DHCP, NULL, NULL, MAC_DEVICE, "scanner-2", NOW - 10);
	see(NAME_SEEN_DHCP, NULL, "10.0.0.12", MAC_DEVICE, "", NOW - 9);
	expect_client("10.0.0.12", MAC_ROUTER, "", NAME_SOURCE_NONE, "scanner-2", NAME_SOURCE_DHCP);
	expect_client("10.0.0.13", MAC_ROUTER, "", NAME_SOURCE_NONE, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(a_mac_names_its_device_unless_several_are_behind_it)
{
	see(NAME_SEEN_DHCP, NULL, NULL, MAC_DEVICE, "scanner-2", NOW - 10);
	expect_client("10.0.0.12", MAC_DEVICE, "", NAME_SOURCE_NONE, "scanner-2", NAME_SOURCE_DHCP);
	expect_client("10.0.0.13", MAC_DEVICE, "", NAME_SOURCE_NONE, "", NAME_SOURCE_NONE);
	expect_client("10.0.0.12", MAC_DEVICE, "", NAME_SOURCE_NONE, "", NAME_SOURCE_NONE);
}
END_TEST

START_TEST(a_device_s_own_word_counts_for_more_than_its_server_s)
{
	struct name_seen reply = {
		.kind = NAME_SEEN_DHCP, .time_us = NOW - 5, .from_server = true
	};

	see(NAME_SEEN_DHCP, NULL, NULL, MAC_DEVICE, "mfp-3.example.com", NOW - 10);
	reply.addr = ip("10.0.0.12");
	memcpy(reply.mac, MAC_DEVICE, 6);
	memcpy(reply.name, "mfp-3", 5);
	reply.name_len = 5;
	naming_add(naming, &reply);
	expect_client(
	    "10.0.0.12", NULL, "", NAME_SOURCE_NONE, "mfp-3.example.com", NAME_SOURCE_DHCP);
}
END_TEST

START_TEST(mdns_comes_before_nbns)
{
	see(NAME_SEEN_NBNS, NULL, "10.0.0.12", NULL, "DESKTOP-7", NOW - 5);
	expect_client("10.0.0.12", NULL, "", NAME_SOURCE_NONE, "DESKTOP-7", NAME_SOURCE_NBNS);
	see(NAME_SEEN_MDNS, NULL, "10.0.0.12", NULL, "desk.local", NOW - 9);
	expect_client("10.0.0.12", NULL, "", NAME_SOURCE_NONE, "desk.local", NAME_SOURCE_MDNS);
}
END_TEST

START_TEST(an_ehlo_that_names_somebody_stays_and_one_that_does_not_gives_way)
{
	static const char *const nobody[] = { "[10.0.0.12]", "localhost", "localhost.localdomain",
		"LOCALHOST.LocalDomain", "10.0.0.12", "2001:db8::c",
		"FE80:0:0:0:200:5EFF:FE00:5301%eth0", "" };
	static const char *const somebody[] = { "localhost1", "added", "mail: 1" };

	see(NAME_SEEN_DHCP, NULL, "10.0.0.12", MAC_DEVICE, "scanner-2", NOW - 10);
	expect_client("10.0.0.12", NULL, "mfp.example.org", NAME_SOURCE_EHLO, "mfp.example.org",
	    NAME_SOURCE_EHLO);
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		expect_client(
		    "10.0.0.12", NULL, nobody[i], NAME_SOURCE_EHLO, "scanner-2", NAME_SOURCE_DHCP);
	for (size_t i = 0; i < sizeof(somebody) / sizeof(somebody[0]); i++)
		expect_client("10.0.0.12", NULL, somebody[i], NAME_SOURCE_EHLO, somebody[i],
		    NAME_SOURCE_EHLO);
	expect_client(
	    "10.0.0.12", NULL, "Mailer 2.1", NAME_SOURCE_IMAP_ID, "scanner-2", NAME_SOURCE_DHCP);
	expect_client("10.0.0.99", NULL, "Mailer 2.1", NAME_SOURCE_IMAP_ID, "Mailer 2.1",
	    NAME_SOURCE_IMAP_ID);
	expect_client(
	    "10.0.0.99", NULL, "localhost", NAME_SOURCE_EHLO, "localhost", NAME_SOURCE_EHLO);
}
END_TEST

START_TEST(memory_is_bounded)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (unsigned i = 0; i < 100000; i++) {
		struct name_seen seen = { .kind = NAME_SEEN_DNS, .time_us = NOW };

		seen.client = ip("10.0.0.1");
		seen.addr = addr_from_v4((const uint8_t[]){ 192, (uint8_t)(i >> 16 & 0xff),
		    (uint8_t)(i >> 8 & 0xff), (uint8_t)(i & 0xff) });
		seen.name_len = sizeof(name) - 1;
		memcpy(seen.name, name, seen.name_len);
		naming_add(naming, &seen);
		seen.kind = NAME_SEEN_MDNS;
		naming_add(naming, &seen);
	}
	ck_assert_uint_le(naming_bytes(naming), NAMING_BYTES_MAX);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, release);
	tcase_add_test(tc, a_server_is_called_as_its_client_asked);
	tcase_add_test(tc, the_last_question_of_a_client_counts);
	tcase_add_test(tc, one_name_serves_all_clients_and_two_serve_none);
	tcase_add_test(tc, an_answer_outlives_its_ttl_but_not_for_ever);
	tcase_add_test(tc, sni_stays);
	tcase_add_test(tc, a_certificate_names_later_attempts_at_the_same_port);
	tcase_add_test(tc, two_certificates_name_nothing_but_themselves);
	tcase_add_test(tc, dns_outranks_the_certificate);
	tcase_add_test(tc, a_lease_names_its_address_also_behind_a_router);
	tcase_add_test(tc, a_mac_names_its_device_unless_several_are_behind_it);
	tcase_add_test(tc, a_device_s_own_word_counts_for_more_than_its_server_s);
	tcase_add_test(tc, mdns_comes_before_nbns);
	tcase_add_test(tc, an_ehlo_that_names_somebody_stays_and_one_that_does_not_gives_way);
	tcase_add_test(tc, memory_is_bounded);
}

SUITE_MAIN("pipeline_naming")
