#include "tls/suite_set.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "tls/cipher_suites_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/* In order of their numbers.  A suite's place is its bit in databases, so none may be inserted. */
static const uint16_t known[] = {
	0x0003, 0x0004, 0x0005, 0x0007, 0x0008, 0x0009, 0x000a, 0x0013, 0x0015, 0x0016, /* to 9 */
	0x002f, 0x0032, 0x0033, 0x0035, 0x0038, 0x0039, 0x003c, 0x003d, 0x0041, 0x0045, /* to 19 */
	0x0067, 0x006b, 0x0084, 0x0088, 0x0096, 0x009a, 0x009c, 0x009d, 0x009e, 0x009f, /* to 29 */
	0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc007, 0xc008, 0xc009, 0xc00a, 0xc011, /* to 39 */
	0xc012, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028, 0xc02b, 0xc02c, 0xc02f, /* to 49 */
	0xc030, 0xc09c, 0xc09d, 0xc09e, 0xc09f, 0xc0ac, 0xc0ad, 0xcca8, 0xcca9, 0xccaa, /* to 59 */
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))
_Static_assert(KNOWN_COUNT <= 61, "the bits above have a meaning of their own");

uint64_t
tls_suite_set_bit(uint16_t suite)
{
	size_t low = 0, high = KNOWN_COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (known[middle] == suite)
			return UINT64_C(1) << middle;
		if (known[middle] < suite)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint64_t
tls_suite_set_mark(uint16_t suite)
{
	uint64_t bit = tls_suite_set_bit(suite);

	if (bit != 0 || tls_is_grease(suite) || suite == TLS_SUITE_FALLBACK_SCSV ||
	    suite == TLS_SUITE_EMPTY_RENEGOTIATION_INFO_SCSV)
		return bit;
	return TLS_SUITE_SET_OTHERS;
}

uint64_t
tls_suite_set_of(const struct tls_client_hello *ch)
{
	struct span list = ch->cipher_suites;
	uint64_t set = ch->cipher_suites_whole ? 0 : TLS_SUITE_SET_UNSEEN;
	uint32_t kind;
	uint16_t suite;

	if (ch->sslv2_format) {
		/* RFC 5246, appendix E.2: a suite of TLS has a zero byte in front. */
		while (span_read_u24(&list, &kind))
			set |= kind > UINT16_MAX ? 0 : tls_suite_set_mark((uint16_t)kind);
		return set;
	}
	while (span_read_u16(&list, &suite))
		set |= tls_suite_set_mark(suite);
	return set;
}

void
tls_suite_offers_of(const struct tls_client_hello *ch, struct tls_suite_offers *out)
{
	struct span list = ch->cipher_suites;
	uint16_t suite;

	*out = (struct tls_suite_offers){ .set = tls_suite_set_of(ch) };
	if (ch->sslv2_format)
		return;
	while (span_read_u16(&list, &suite)) {
		out->aead = out->aead || tls_cipher_suite_is_aead(suite);
		out->ecdhe = out->ecdhe || tls_cipher_suite_is_ecdhe(suite);
	}
}

bool
tls_cipher_suite_from_name(const char *name, uint16_t *suite)
{
	for (size_t i = 0; i < tls_cipher_suites_count; i++) {
		if (strcasecmp(tls_cipher_suites[i].name, name) == 0) {
			*suite = tls_cipher_suites[i].number;
			return true;
		}
	}
	return false;
}

bool
tls_cipher_suite_is_usable(uint16_t suite, uint16_t lowest, uint16_t highest)
{
	const struct cipher_suite *s = tls_cipher_suite_find(suite);
	uint16_t from = TLS_VERSION_SSL3, to = TLS_VERSION_1_2;

	if (s == NULL) /* an unknown suite: nothing speaks against it */
		return true;
	if ((s->flags & SUITE_TLS13) != 0)
		from = to = TLS_VERSION_1_3;
	else if ((s->flags & SUITE_AEAD) != 0 || strstr(s->name, "_SHA256") != NULL ||
		 strstr(s->name, "_SHA384") != NULL)
		from = TLS_VERSION_1_2;
	return from <= highest && to >= lowest;
}
