/* network - the addresses of the captures: clients in 10/8 or 2001:db8:1::/96, servers beside them.
 */
#ifndef TLSTALLY_BENCH_NETWORK_H
#define TLSTALLY_BENCH_NETWORK_H

#include "base/span.h"
#include "dice.h"
#include "truth.h"

#define NETWORK_RESOLVER 250 /* number of the server that answers DNS */

struct network {
	uint32_t client_count;
	uint16_t *connections; /* of each client so far: none uses a port again soon */
};

void network_init(struct network *n, uint32_t client_count);
void network_release(struct network *n);

/* A connection of client number `client` with server number `server`. */
void network_connect(
    struct network *n, uint32_t client, uint32_t server, uint16_t port, struct endpoints *out);
/* A source address that is nobody's, for floods. */
void network_connect_stranger(
    struct dice *dice, uint32_t server, uint16_t port, struct endpoints *out);
/* Writes the server's address to `out`. */
struct span network_server(uint32_t server, bool is_v6, uint8_t out[16]);

#endif
