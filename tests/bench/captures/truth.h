/*
 * truth - what tlstally has to say of a connection, written down by who made it.
 *
 * One row of a CSV file per event that is expected; tests/bench/score compares.  Values and their
 * names are those of an event's JSON, with nothing where that has null.
 */
#ifndef TLSTALLY_BENCH_TRUTH_H
#define TLSTALLY_BENCH_TRUTH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TRUTH_NAME_MAX 64

/* Versions as on the wire. */
enum { SSL_3 = 0x300, TLS_1_0 = 0x301, TLS_1_1 = 0x302, TLS_1_2 = 0x303, TLS_1_3 = 0x304 };

struct endpoints {
	bool is_v6;
	/* Network order; of IPv4 the first four bytes. */
	uint8_t client_ip[16], server_ip[16];
	uint16_t client_port, server_port;
	uint8_t client_mac[6];
	int32_t vlan; /* -1: no tag */
};

/* Texts are literals, NULL for nothing. */
struct truth {
	bool is_event;   /* false: nothing must be told of this connection */
	int64_t time_us; /* of the first byte of the ClientHello, or of the mail session */
	const char *protocol, *tls_mode;
	uint16_t version, offered; /* 0: none */
	uint16_t cipher;
	char server_name[TRUTH_NAME_MAX];
	const char *server_name_source;
	const char *outcome, *refused_by, *refusal;
	bool fallback_scsv, resumed, hello_retry;
};

void truth_write_head(FILE *out);
void truth_write(FILE *out, const struct truth *t, const struct endpoints *ends);

#endif
