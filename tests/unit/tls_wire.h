/*
 * tls_wire - records and handshake messages, built into a writer.
 */
#ifndef TLSTALLY_TESTS_TLS_WIRE_H
#define TLSTALLY_TESTS_TLS_WIRE_H

#include "tls/names.h"

#include "tls_samples.h"

static inline void
put_record_header(struct writer *w, unsigned type, unsigned version, size_t len)
{
	put_u8(w, type);
	put_u16(w, version);
	put_u16(w, (unsigned)len);
}

static inline void
put_record(struct writer *w, unsigned type, struct span body)
{
	put_record_header(w, type, TLS_VERSION_1_0, body.len);
	put_span(w, body);
}

/* A record whose content nobody can read: no byte of it looks like a record of its own. */
static inline void
put_sealed(struct writer *w, unsigned type, size_t len)
{
	put_record_header(w, type, TLS_VERSION_1_2, len);
	put_fill(w, 0xee, len);
}

static inline void
put_ccs(struct writer *w)
{
	put_record(w, TLS_RECORD_CHANGE_CIPHER_SPEC, BYTES("\x01"));
}

static inline void
put_alert(struct writer *w, unsigned level, unsigned description)
{
	put_record_header(w, TLS_RECORD_ALERT, TLS_VERSION_1_2, 2);
	put_u8(w, level);
	put_u8(w, description);
}

static inline void
put_message_header(struct writer *w, unsigned type, size_t len)
{
	put_u8(w, type);
	put_u8(w, (unsigned)(len >> 16));
	put_u16(w, (unsigned)(len & 0xffff));
}

/* A handshake message of `len` filler bytes, in a record of its own. */
static inline void
put_message(struct writer *w, unsigned type, size_t len)
{
	put_record_header(w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, len + 4);
	put_message_header(w, type, len);
	put_fill(w, 0x5a, len);
}

/* RFC 5246, appendix E.2: version 3.1, 2 specs of 3 bytes, a challenge of 16. */
#define SSLV2_HELLO_BODY                                                                           \
	"\x01\x03\x01\x00\x06\x00\x00\x00\x10\x00\x00\x2f\x00\x00\x35"                             \
	"cccccccccccccccc"
#define SSLV2_HELLO "\x80\x1f" SSLV2_HELLO_BODY

#define SERVER_RANDOM_PLAIN                                                                        \
	"ssssssssssssssssssssssss"                                                                 \
	"ssssssss"
/* RFC 8446, section 4.1.3. */
#define SERVER_RANDOM_RETRY                                                                        \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"                         \
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

/*
 * A ServerHello in a record of its own.  `version`: negotiated; 1.3 goes into supported_versions.
 * `extensions`: what else it carries.
 */
static inline void
put_server_hello_record(struct writer *w, unsigned version, unsigned suite, struct span session_id,
    struct span random, struct span extensions)
{
	bool is_13 = version == TLS_VERSION_1_3;
	size_t extensions_len = extensions.len + (is_13 ? 6 : 0);
	size_t body_len = 2 + random.len + 1 + session_id.len + 3 + 2 + extensions_len;

	put_record_header(w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, body_len + 4);
	put_message_header(w, TLS_HANDSHAKE_SERVER_HELLO, body_len);
	put_u16(w, is_13 ? TLS_VERSION_1_2 : version);
	put_span(w, random);
	put_u8(w, (unsigned)session_id.len);
	put_span(w, session_id);
	put_u16(w, suite);
	put_u8(w, 0);
	put_u16(w, (unsigned)extensions_len);
	if (is_13)
		put_span(w, BYTES("\x00\x2b\x00\x02\x03\x04"));
	put_span(w, extensions);
}

static inline void
put_plain_server_hello(struct writer *w, unsigned version)
{
	put_server_hello_record(w, version, version == TLS_VERSION_1_3 ? 0x1302 : 0xc030,
	    span_from("", 0), BYTES(SERVER_RANDOM_PLAIN), span_from("", 0));
}

#endif
