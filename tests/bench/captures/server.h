/*
 * server - the servers of the captures: what each accepts, its name, its certificates.
 *
 * Names are of example.com and its kin (RFC 2606), certificates are made here and verify nothing.
 */
#ifndef TLSTALLY_BENCH_SERVER_H
#define TLSTALLY_BENCH_SERVER_H

#include "base/buf.h"
#include "client_kind.h"
#include "truth.h"

#define MAIL_SERVERS 24
#define WEB_SERVERS 64

struct server {
	uint32_t number;      /* of its address */
	uint16_t least, best; /* versions */
	bool has_one_record;  /* one record for all messages of a flight */
	bool has_rsa_only;
	char name[TRUTH_NAME_MAX];
	struct buf chain; /* certificates with a 24-bit length before each, and before all */
};

struct servers {
	struct server mail[MAIL_SERVERS], web[WEB_SERVERS];
};

struct servers *servers_new(struct dice *dice);
void servers_free(struct servers *servers);

/* What both know of: 0 when there is no such version or suite. */
uint16_t server_choose_version(const struct server *s, const struct client_kind *kind);
uint16_t server_choose_suite(
    const struct server *s, const struct client_kind *kind, uint16_t version);

#endif
