/* handshake_internal - a handshake that is being written; inside of handshake.c and refusal.c only.
 */
#ifndef TLSTALLY_BENCH_HANDSHAKE_INTERNAL_H
#define TLSTALLY_BENCH_HANDSHAKE_INTERNAL_H

#include "handshake.h"
#include "hello.h"

/* What protection adds: a tag, and in TLS 1.3 the true type. */
#define TAG_LEN 16
#define INNER_LEN (TAG_LEN + 1)

/* What goes wrong. */
enum fate {
	FATE_NONE,
	FATE_SILENCE,        /* no answer: the client repeats its hello, and that is all */
	FATE_SILENCE_CLOSED, /* ... until it gives up, which is no refusal */
	FATE_SERVER_RESET,   /* in place of an answer */
	FATE_SERVER_CLOSE,
	FATE_SERVER_CLOSE_ALERT, /* and the client's alert into the half-closed connection */
	FATE_SERVER_ALERT_RESET, /* one act: the alert counts */
	FATE_CUT,                /* the capture has no more behind the server's flight */
	FATE_CLIENT_RESET,       /* of that flight */
	FATE_CLIENT_ALERT,
	FATE_CLIENT_PROTECTED, /* TLS 1.3: an alert that can only be told by its length */
};

/* One that is being written. */
struct writing {
	struct conversation *c;
	struct dice *dice;
	const struct handshake_plan *plan;
	struct hello hello;
	enum fate fate;
	unsigned record_version;
	struct buf flight;
};

/* Sends what is in `flight`, and empties it. */
void handshake_send(struct writing *w, enum side side);

enum fate refusal_draw(struct dice *dice);
/* What the server does in place of a ServerHello; false: it sends one. */
bool refusal_by_server(struct writing *w);
/* What the client does with the server's flight in place of going on; false: it goes on. */
bool refusal_by_client(struct writing *w);

#endif
