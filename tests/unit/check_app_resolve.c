#include "app/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "suite.h"

#include "base/banned.h"

#define CLIENTS 3

/* A resolver on loopback: 10.0.0.1 has a hostile name, 10.0.0.2 none, 10.0.0.3 gets no answer. */
struct resolver {
	int fd;
	char address[32];
	pthread_t thread;
};

/* The name of its PTR record, behind the question. */
static size_t
write_answer(uint8_t *message, size_t len)
{
	static const uint8_t record[] = "\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\x0e"
					"\6a\x1b[2Jb\5local";

	message[2] = 0x81;
	message[3] = 0x80;
	message[7] = 1;
	memcpy(message + len, record, sizeof(record));
	return len + sizeof(record);
}

static void *
serve(void *arg)
{
	struct resolver *r = arg;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t message[512];
	ssize_t len;

	/* The socket's end is the thread's. */
	while ((len = recvfrom(r->fd, message, 256, 0, (struct sockaddr *)&from, &from_len)) > 12) {
		size_t answer_len = (size_t)len;

		/* "1.0.0.10.in-addr.arpa" */
		if (message[13] == '3')
			continue;
		if (message[13] == '1') {
			answer_len = write_answer(message, answer_len);
		} else {
			message[2] = 0x81;
			message[3] = 0x83; /* no such name */
		}
		(void)!sendto(r->fd, message, answer_len, 0, (struct sockaddr *)&from, from_len);
		from_len = sizeof(from);
	}
	return NULL;
}

static void
open_resolver(struct resolver *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_ge(r->fd, 0);
	ck_assert_int_eq(bind(r->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(r->fd, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(r->address, sizeof(r->address), "127.0.0.1:%u", ntohs(at.sin_port));
	ck_assert_int_eq(pthread_create(&r->thread, NULL, serve, r), 0);
}

static void
close_resolver(struct resolver *r)
{
	(void)shutdown(r->fd, SHUT_RDWR);
	(void)pthread_cancel(r->thread);
	(void)pthread_join(r->thread, NULL);
	(void)close(r->fd);
}

static struct report
report_of_clients(void)
{
	struct report r = { .client_count = CLIENTS };

	r.clients = xcalloc(CLIENTS, sizeof(*r.clients));
	for (uint8_t i = 0; i < CLIENTS; i++)
		r.clients[i].ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, (uint8_t)(i + 1) });
	return r;
}

START_TEST(a_client_without_a_name_gets_the_one_of_dns)
{
	struct resolver resolver;
	struct report r = report_of_clients();
	struct error err = { "" };
	size_t unanswered = 0;

	open_resolver(&resolver);
	ck_assert_int_eq(resolve_clients(&r, resolver.address, &unanswered, &err), 0);
	ck_assert_ptr_nonnull(r.clients[0].name);
	ck_assert_str_eq(r.clients[0].name, "a\\x1b[2Jb.local");
	ck_assert_int_eq((int)r.clients[0].name_source, NAME_SOURCE_REVERSE_DNS);
	ck_assert_ptr_null(r.clients[1].name);
	ck_assert_ptr_null(r.clients[2].name);
	ck_assert_uint_eq(unanswered, 1);
	report_release(&r);
	close_resolver(&resolver);
}
END_TEST

START_TEST(who_calls_itself_localhost_gets_the_name_of_dns)
{
	struct resolver resolver;
	struct report r = report_of_clients();
	struct error err = { "" };
	size_t unanswered = 0;

	for (size_t i = 0; i < CLIENTS; i++) {
		r.clients[i].name = xstrdup("localhost");
		r.clients[i].name_source = NAME_SOURCE_EHLO;
	}
	open_resolver(&resolver);
	ck_assert_int_eq(resolve_clients(&r, resolver.address, &unanswered, &err), 0);
	ck_assert_str_eq(r.clients[0].name, "a\\x1b[2Jb.local");
	ck_assert_int_eq((int)r.clients[0].name_source, NAME_SOURCE_REVERSE_DNS);
	ck_assert_str_eq(r.clients[1].name, "localhost");
	ck_assert_uint_eq(unanswered, 1);
	report_release(&r);
	close_resolver(&resolver);
}
END_TEST

START_TEST(who_has_a_name_is_not_asked_about)
{
	struct resolver resolver;
	struct report r = report_of_clients();
	struct error err = { "" };
	size_t unanswered = 7;

	for (size_t i = 0; i < CLIENTS; i++)
		r.clients[i].name = xstrdup("known");
	open_resolver(&resolver);
	ck_assert_int_eq(resolve_clients(&r, resolver.address, &unanswered, &err), 0);
	ck_assert_uint_eq(unanswered, 0);
	ck_assert_str_eq(r.clients[0].name, "known");
	report_release(&r);
	(void)pthread_cancel(resolver.thread);
	(void)pthread_join(resolver.thread, NULL);
	(void)close(resolver.fd);
}
END_TEST

START_TEST(a_resolver_is_an_address_with_or_without_a_port)
{
	static const char *const good[] = { "192.0.2.53", "192.0.2.53:5353", "2001:db8::53",
		"[2001:db8::53]:5353" };
	static const char *const bad[] = { "", "abc", "192.0.2", "192.0.2.53:", "192.0.2.53:0",
		"192.0.2.53:65536", "dns.example.com" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(resolve_is_resolver(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!resolve_is_resolver(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(what_is_no_address_is_said)
{
	struct report r = report_of_clients();
	struct error err = { "" };
	size_t unanswered;

	ck_assert_int_eq(resolve_clients(&r, "nonsense", &unanswered, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "nonsense"));
	report_release(&r);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_client_without_a_name_gets_the_one_of_dns);
	tcase_add_test(tc, who_calls_itself_localhost_gets_the_name_of_dns);
	tcase_add_test(tc, who_has_a_name_is_not_asked_about);
	tcase_add_test(tc, a_resolver_is_an_address_with_or_without_a_port);
	tcase_add_test(tc, what_is_no_address_is_said);
}

SUITE_MAIN("app_resolve")
