/* mail - a mail session: its dialogue in the clear, then TLS, or a session without it. */
#ifndef TLSTALLY_BENCH_MAIL_H
#define TLSTALLY_BENCH_MAIL_H

#include "conversation.h"
#include "server.h"

struct mail_service {
	uint16_t port;
	const char *protocol;
	bool has_starttls;
};

const struct mail_service *mail_service_draw(struct dice *dice);

struct mail_plan {
	const struct mail_service *service;
	const struct server *server;
	uint32_t client;   /* its number, for the name it gives itself */
	uint32_t bulk_len; /* 0: a short session */
	bool may_fail;
	bool is_named; /* DNS told the server's name before */
};

void mail_write(struct conversation *c, const struct mail_plan *plan);

#endif
