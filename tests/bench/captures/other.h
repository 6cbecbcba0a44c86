/* other - what else is on a mirror: other people's TLS, files, shells, and DNS. */
#ifndef TLSTALLY_BENCH_OTHER_H
#define TLSTALLY_BENCH_OTHER_H

#include "base/span.h"
#include "conversation.h"
#include "server.h"

#define DNS_PORT 53

/* A port that is no mail, as often as it is met. */
uint16_t other_port_draw(struct dice *dice);
/* A connection to `server` at c->ends.server_port with about `len` bytes in it. */
void other_write(struct conversation *c, const struct server *server, uint32_t len);
/* A question of c's client and its answer: `name` is at this address, IPv4 or IPv6. */
void other_write_dns(struct conversation *c, const char *name, struct span address);

#endif
