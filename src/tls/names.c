#include "tls/names.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "tls/cipher_suites_internal.h"

#include "base/banned.h"

struct number_name {
	uint32_t number;
	const char *name;
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Registry: IANA, TLS Parameters, TLS Alerts; by hand, 2026-11-20.  The entries that the
 * registry now marks _RESERVED have the name of the RFC that defined them.
 */
static const struct number_name alerts[] = {
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },
	{ 40, "handshake_failure" },
	{ 41, "no_certificate" },
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 52, "too_many_cids_requested" },
	{ 60, "export_restriction" },
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },
	{ 90, "user_canceled" },
	{ 100, "no_renegotiation" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 114, "bad_certificate_hash_value" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 117, "general_error" },
	{ 120, "no_application_protocol" },
	{ 121, "ech_required" },
};

/* draft-hickman-netscape-ssl-00, section "Cipher kinds": by hand. */
static const struct number_name sslv2_ciphers[] = {
	{ 0x010080, "SSL_CK_RC4_128_WITH_MD5" },
	{ 0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5" },
	{ 0x030080, "SSL_CK_RC2_128_CBC_WITH_MD5" },
	{ 0x040080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5" },
	{ 0x050080, "SSL_CK_IDEA_128_CBC_WITH_MD5" },
	{ 0x060040, "SSL_CK_DES_64_CBC_WITH_MD5" },
	{ 0x0700c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5" },
};

static const struct number_name versions[] = {
	{ TLS_VERSION_SSL2, "SSLv2" },
	{ TLS_VERSION_SSL3, "SSLv3" },
	{ TLS_VERSION_1_0, "TLSv1.0" },
	{ TLS_VERSION_1_1, "TLSv1.1" },
	{ TLS_VERSION_1_2, "TLSv1.2" },
	{ TLS_VERSION_1_3, "TLSv1.3" },
};

static const char *
name_of(const struct number_name *table, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].number == number)
			return table[i].name;
	}
	return NULL;
}

uint16_t
tls_version_normalize(uint16_t wire)
{
	switch (wire >> 8) {
	case 0x7e: /* trials by Google */
	case 0x7f: /* the drafts: 0x7f00 and the draft's number */
	case 0xfb: /* trials by Facebook */
		return TLS_VERSION_1_3;
	}
	return tls_version_name(wire) != NULL ? wire : 0;
}

const char *
tls_version_name(uint16_t version)
{
	return name_of(versions, COUNT_OF(versions), version);
}

void
tls_version_add_words(struct buf *out, uint16_t version)
{
	const char *name = tls_version_name(version);

	if (name == NULL) {
		buf_addf(out, "0x%04x", version);
	} else if (strncmp(name, "TLSv", 4) == 0) {
		buf_add_text(out, "TLS ");
		buf_add_text(out, name + 4);
	} else {
		buf_add_text(out, name);
	}
}

/* The text behind a prefix in any case, or NULL where it does not begin with it. */
static const char *
behind(const char *text, const char *prefix, size_t prefix_len)
{
	return strncasecmp(text, prefix, prefix_len) == 0 ? text + prefix_len : NULL;
}

static uint16_t
version_from_digits(const char *digits)
{
	if (digits[0] != '1' || digits[1] != '.' || digits[2] < '0' || digits[2] > '3' ||
	    digits[3] != '\0')
		return 0;
	return (uint16_t)(TLS_VERSION_1_0 + (digits[2] - '0'));
}

uint16_t
tls_version_from_text(const char *text)
{
	const char *rest;

	if ((rest = behind(text, "ssl", 3)) != NULL) {
		rest += *rest == 'v' || *rest == 'V';
		if (rest[0] == '\0' || rest[1] != '\0')
			return 0;
		if (rest[0] == '2')
			return TLS_VERSION_SSL2;
		return rest[0] == '3' ? TLS_VERSION_SSL3 : 0;
	}
	if ((rest = behind(text, "tls", 3)) != NULL) {
		rest += *rest == 'v' || *rest == 'V';
		return version_from_digits(rest);
	}
	return version_from_digits(text);
}

int
tls_version_compare(uint16_t a, uint16_t b)
{
	/* Every later version has the larger number, SSLv2's 0x0002 included. */
	return (a > b) - (a < b);
}

const struct cipher_suite *
tls_cipher_suite_find(uint16_t number)
{
	size_t low = 0, high = tls_cipher_suites_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tls_cipher_suites[middle].number == number)
			return &tls_cipher_suites[middle];
		if (tls_cipher_suites[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
suite_has(uint16_t number, uint8_t flag)
{
	const struct cipher_suite *suite = tls_cipher_suite_find(number);

	return suite != NULL && (suite->flags & flag) != 0;
}

const char *
tls_cipher_suite_name(uint16_t suite)
{
	const struct cipher_suite *found = tls_cipher_suite_find(suite);

	return found != NULL ? found->name : NULL;
}

bool
tls_cipher_suite_is_aead(uint16_t suite)
{
	return suite_has(suite, SUITE_AEAD);
}

bool
tls_cipher_suite_is_ecdhe(uint16_t suite)
{
	return suite_has(suite, SUITE_EPHEMERAL);
}

const char *
tls_sslv2_cipher_name(uint32_t kind)
{
	return name_of(sslv2_ciphers, COUNT_OF(sslv2_ciphers), kind);
}

const char *
tls_alert_name(uint8_t description)
{
	return name_of(alerts, COUNT_OF(alerts), description);
}
