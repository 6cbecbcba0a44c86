/*
 * handshake - the TLS part of a conversation, from the ClientHello to what becomes of it.
 *
 * Fills in what is true of it: version, suite, who refused it and how.
 */
#ifndef TLSTALLY_BENCH_HANDSHAKE_H
#define TLSTALLY_BENCH_HANDSHAKE_H

#include "conversation.h"
#include "server.h"

struct handshake_plan {
	const struct server *server;
	const struct client_kind *kind;
	uint32_t bulk_len; /* ciphertext to come once it is established; 0: a short dialogue */
	enum side bulk_from;
	bool may_fail; /* also where both sides could have agreed */
};

void handshake_write(struct conversation *c, const struct handshake_plan *plan);

/* The ciphertext of STEP_BULK: whole records of BULK_RECORD_LEN bytes. */
#define BULK_RECORD_LEN (5 + 16384 + 24)

#endif
