/*
 * session_handshakes - the usual handshakes, written into a script.
 */
#ifndef TLSTALLY_TESTS_SESSION_HANDSHAKES_H
#define TLSTALLY_TESTS_SESSION_HANDSHAKES_H

#include "session_script.h"

#define MIN_FINISHED 69
#define PROTECTED_ALERT 19

static inline void
hello(struct script *s, struct span message)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, message);
	says(s, CLIENT);
}

static inline void
server_flight_12(struct script *s, unsigned version)
{
	put_plain_server_hello(&s->out, version);
	put_message(&s->out, TLS_HANDSHAKE_CERTIFICATE, 700);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_KEY_EXCHANGE, 300);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	says(s, SERVER);
}

static inline void
put_client_flight_12(struct writer *out)
{
	put_message(out, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 33);
	put_ccs(out);
	put_sealed(out, TLS_RECORD_HANDSHAKE, 40);
}

static inline void
client_flight_12(struct script *s)
{
	put_client_flight_12(&s->out);
	says(s, CLIENT);
}

static inline void
server_finished_12(struct script *s)
{
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, SERVER);
}

static inline void
server_flight_13(struct script *s)
{
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 23);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 830);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 69);
	says(s, SERVER);
}

static inline void
client_finished_13(struct script *s)
{
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, MIN_FINISHED);
	says(s, CLIENT);
}

static inline void
data(struct script *s, unsigned side, size_t len)
{
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, len);
	says(s, side);
}

static inline void
alert(struct script *s, unsigned side, unsigned level, unsigned description)
{
	put_alert(&s->out, level, description);
	says(s, side);
}

static inline void
handshake_12(struct script *s, struct span message, unsigned version)
{
	hello(s, message);
	server_flight_12(s, version);
	client_flight_12(s);
	server_finished_12(s);
}

static inline void
handshake_13(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static inline void
tls12(struct script *s)
{
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

static inline void
tls13(struct script *s)
{
	handshake_13(s);
}

static inline void
sslv2_format_hello(struct script *s)
{
	put_span(
	    &s->out, BYTES("\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10\x00\x00\x2f\x00\x00\x35"
			   "cccccccccccccccc"));
	says(s, CLIENT);
	server_flight_12(s, TLS_VERSION_1_0);
	client_flight_12(s);
	server_finished_12(s);
}

#endif
