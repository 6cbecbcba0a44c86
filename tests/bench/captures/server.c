#include "server.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "certificate.h"
#include "wire.h"

#include "base/banned.h"

#define NO_SUITE 0

/* Ten kinds of servers: for each ten of them. */
static const struct {
	uint16_t least, best;
	bool has_one_record, has_rsa_only;
} kinds[] = {
	{ TLS_1_2, TLS_1_3, false, false },
	{ TLS_1_2, TLS_1_3, false, false },
	{ TLS_1_2, TLS_1_3, false, false },
	{ TLS_1_2, TLS_1_3, false, false },
	{ TLS_1_0, TLS_1_3, false, false },
	{ TLS_1_0, TLS_1_3, false, false },
	{ TLS_1_0, TLS_1_2, true, false },
	{ TLS_1_0, TLS_1_2, true, false },
	{ SSL_3, TLS_1_0, true, true },
	{ TLS_1_2, TLS_1_2, false, false },
};

/* In the order of preference. */
static const uint16_t suites_13[] = { 0x1301, 0x1302, 0x1303, NO_SUITE };
static const uint16_t suites_12[] = { 0xc030, 0xc02f, 0xcca8, 0xc028, 0xc027, 0xc014, 0xc013,
	0x009d, 0x009c, 0x003c, 0x0035, 0x002f, NO_SUITE };
static const uint16_t suites_10[] = { 0xc014, 0xc013, 0x0035, 0x002f, 0x000a, 0x0005, 0x0004,
	NO_SUITE };
static const uint16_t suites_rsa[] = { 0x002f, 0x0035, 0x000a, 0x0005, 0x0004, NO_SUITE };

static void
make_chain(struct server *s, struct dice *dice)
{
	static const char issuer[] = "Bench Issuing CA";
	size_t all = wire_open_u24(&s->chain), one = wire_open_u24(&s->chain);

	certificate_add(&s->chain, dice, issuer, s->name);
	wire_close_u24(&s->chain, one);
	one = wire_open_u24(&s->chain);
	certificate_add(&s->chain, dice, "Bench Root CA", issuer);
	wire_close_u24(&s->chain, one);
	wire_close_u24(&s->chain, all);
}

static void
make_server(struct server *s, struct dice *dice, uint32_t number)
{
	static const char *const stems[] = { "imap", "mail", "smtp", "pop", "mx", "post" };
	size_t kind = number % 10;

	s->number = number;
	s->least = kinds[kind].least;
	s->best = kinds[kind].best;
	s->has_one_record = kinds[kind].has_one_record;
	s->has_rsa_only = kinds[kind].has_rsa_only;
	if (number < MAIL_SERVERS)
		(void)snprintf(s->name, sizeof(s->name), "%s%u.site%u.example.com",
		    stems[number % 6], number, number / 6);
	else
		(void)snprintf(s->name, sizeof(s->name), "www%u.example.net", number);
	make_chain(s, dice);
}

struct servers *
servers_new(struct dice *dice)
{
	struct servers *all = xcalloc(1, sizeof(*all));

	for (uint32_t i = 0; i < MAIL_SERVERS; i++)
		make_server(&all->mail[i], dice, i);
	for (uint32_t i = 0; i < WEB_SERVERS; i++) {
		make_server(&all->web[i], dice, MAIL_SERVERS + i);
		all->web[i].least = TLS_1_2;
		all->web[i].best = i % 10 < 8 ? TLS_1_3 : TLS_1_2;
		all->web[i].has_one_record = all->web[i].has_rsa_only = false;
	}
	return all;
}

void
servers_free(struct servers *servers)
{
	for (size_t i = 0; i < MAIL_SERVERS; i++)
		buf_release(&servers->mail[i].chain);
	for (size_t i = 0; i < WEB_SERVERS; i++)
		buf_release(&servers->web[i].chain);
	free(servers);
}

uint16_t
server_choose_version(const struct server *s, const struct client_kind *kind)
{
	uint16_t version = kind->best < s->best ? kind->best : s->best;

	return version < s->least ? 0 : version;
}

static bool
offers(const struct client_kind *kind, uint16_t suite)
{
	for (size_t i = 0; i < CLIENT_SUITES_MAX && kind->suites[i] != NO_SUITE; i++) {
		if (kind->suites[i] == suite)
			return true;
	}
	return false;
}

uint16_t
server_choose_suite(const struct server *s, const struct client_kind *kind, uint16_t version)
{
	const uint16_t *suite = suites_10;

	if (version == TLS_1_3)
		suite = suites_13;
	else if (s->has_rsa_only)
		suite = suites_rsa;
	else if (version == TLS_1_2)
		suite = suites_12;
	while (*suite != NO_SUITE && !offers(kind, *suite))
		suite++;
	return *suite;
}
