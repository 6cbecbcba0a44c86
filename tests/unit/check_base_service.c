#include "suite.h"

#include "base/service.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct service_set set; /* 64 KiB: not on the stack */

static const struct {
	uint16_t port;
	enum protocol protocol;
	bool starttls;
} defaults[] = {
	{ 993, PROTOCOL_IMAP, false },
	{ 995, PROTOCOL_POP3, false },
	{ 465, PROTOCOL_SMTP, false },
	{ 587, PROTOCOL_SMTP, true },
	{ 143, PROTOCOL_IMAP, true },
	{ 110, PROTOCOL_POP3, true },
};

START_TEST(the_mail_ports_are_services_by_default)
{
	struct service service;

	service_set_init_defaults(&set);
	service = service_set_find(&set, defaults[_i].port);
	ck_assert(service_set_has(&set, defaults[_i].port));
	ck_assert_int_eq((int)service.protocol, (int)defaults[_i].protocol);
	ck_assert(service.starttls == defaults[_i].starttls);
}
END_TEST

START_TEST(no_other_port_is_a_service_by_default)
{
	int count = 0;

	service_set_init_defaults(&set);
	for (unsigned port = 0; port <= UINT16_MAX; port++)
		count += service_set_has(&set, (uint16_t)port);
	ck_assert_int_eq(count, ROWS(defaults));
	ck_assert(!service_set_has(&set, 25));
	ck_assert_int_eq((int)service_set_find(&set, 25).protocol, (int)PROTOCOL_NONE);
	ck_assert(!service_set_find(&set, 25).starttls);
}
END_TEST

static const struct {
	const char *text;
	uint16_t port;
	enum protocol protocol;
	bool starttls;
} good[] = {
	{ "2525=smtp+starttls", 2525, PROTOCOL_SMTP, true },
	{ "2525=smtp", 2525, PROTOCOL_SMTP, false },
	{ "1=imap", 1, PROTOCOL_IMAP, false },
	{ "65535=pop3", 65535, PROTOCOL_POP3, false },
	{ "4190=tls+starttls", 4190, PROTOCOL_TLS, true },
	{ "443=tls", 443, PROTOCOL_TLS, false },
	{ "1143=IMAP+STARTTLS", 1143, PROTOCOL_IMAP, true },
	{ "993=pop3+starttls", 993, PROTOCOL_POP3, true },
};

START_TEST(a_service_is_added_or_changed)
{
	struct error err = { 0 };
	struct service service;

	service_set_init_defaults(&set);
	ck_assert_int_eq(service_set_add_text(&set, good[_i].text, &err), 0);
	ck_assert(service_set_has(&set, good[_i].port));
	service = service_set_find(&set, good[_i].port);
	ck_assert_int_eq((int)service.protocol, (int)good[_i].protocol);
	ck_assert(service.starttls == good[_i].starttls);
	ck_assert_str_eq(err.text, "");
}
END_TEST

static const char *const bad[] = { "", "=", "993", "993=", "=imap", "0=imap", "65536=imap",
	"-1=imap", "+993=imap", " 993=imap", "993 =imap", "993= imap", "993=imap ", "993=ima",
	"993=imaps", "993=imap+", "993=imap+starttl", "993=imap+starttlss", "993=+starttls",
	"993=imap+starttls+starttls", "993=none", "imap=993", "0x3e1=imap",
	"99999999999999999999=imap", "993:imap" };

START_TEST(a_bad_service_is_named_and_leaves_the_set_alone)
{
	struct service_set *before = malloc(sizeof(*before));
	struct error err = { 0 };

	ck_assert_ptr_nonnull(before);
	service_set_init_defaults(&set);
	*before = set;
	ck_assert_int_eq(service_set_add_text(&set, bad[_i], &err), -1);
	ck_assert_msg(strstr(err.text, bad[_i]) != NULL, "%s", err.text);
	ck_assert_mem_eq(set.ports, before->ports, sizeof(set.ports));
	free(before);
}
END_TEST

START_TEST(a_protocol_has_the_name_of_the_event_field)
{
	ck_assert_str_eq(protocol_name(PROTOCOL_IMAP), "IMAP");
	ck_assert_str_eq(protocol_name(PROTOCOL_POP3), "POP3");
	ck_assert_str_eq(protocol_name(PROTOCOL_SMTP), "SMTP");
	ck_assert_str_eq(protocol_name(PROTOCOL_TLS), "TLS");
	ck_assert_str_eq(protocol_name(PROTOCOL_NONE), "");
}
END_TEST

START_TEST(a_protocol_is_found_by_its_text_and_nothing_else)
{
	enum protocol found = PROTOCOL_NONE;

	for (int i = PROTOCOL_TLS; i < PROTOCOL_COUNT; i++) {
		const char *text = protocol_to_text((enum protocol)i);

		ck_assert(protocol_from_text(text, strlen(text), &found));
		ck_assert_int_eq((int)found, i);
		ck_assert_int_eq(strcasecmp(text, protocol_name((enum protocol)i)), 0);
		ck_assert(!protocol_from_text(text, strlen(text) - 1, &found));
		ck_assert_int_eq((int)found, i);
	}
	ck_assert_str_eq(protocol_to_text(PROTOCOL_NONE), "");
	ck_assert(!protocol_from_text("", 0, &found));
	ck_assert(!protocol_from_text("none", 4, &found));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_mail_ports_are_services_by_default, 0, ROWS(defaults));
	tcase_add_test(tc, no_other_port_is_a_service_by_default);
	tcase_add_loop_test(tc, a_service_is_added_or_changed, 0, ROWS(good));
	tcase_add_loop_test(tc, a_bad_service_is_named_and_leaves_the_set_alone, 0, ROWS(bad));
	tcase_add_test(tc, a_protocol_has_the_name_of_the_event_field);
	tcase_add_test(tc, a_protocol_is_found_by_its_text_and_nothing_else);
}

SUITE_MAIN("base_service")
