#include "tls/fingerprint.h"

#include <string.h>

#include "base/digest.h"
#include "tls/hello_internal.h"
#include "tls/names.h"
#include "tls/sort_internal.h"

#include "base/banned.h"

/* A vector of 16-bit numbers has at most 65535 bytes. */
#define LIST_MAX 32767
#define PIECE_LEN 512
/* Where the pieces are handed on: the longest item ("-65535", ",ffff") fits behind it. */
#define PIECE_FULL (PIECE_LEN - 8)

/* Text on its way into a digest, so that its length has no bound and costs no memory. */
struct md5_text {
	struct digest_md5_state md5;
	size_t len;
	char piece[PIECE_LEN];
};

struct sha256_text {
	struct digest_sha256_state sha256;
	size_t len;
	char piece[PIECE_LEN];
};

bool
tls_has_fingerprint(const struct tls_client_hello *ch)
{
	return !ch->sslv2_format && ch->cipher_suites_whole && ch->extensions_whole;
}

static void
md5_flush(struct md5_text *t)
{
	digest_md5_add(&t->md5, span_from(t->piece, t->len));
	t->len = 0;
}

static void
md5_char(struct md5_text *t, char c)
{
	if (t->len >= PIECE_FULL)
		md5_flush(t);
	t->piece[t->len++] = c;
}

static void
md5_decimal(struct md5_text *t, unsigned value)
{
	char digits[8];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	if (t->len >= PIECE_FULL)
		md5_flush(t);
	while (count > 0)
		t->piece[t->len++] = digits[--count];
}

/* One item of a list: GREASE is left out. */
static void
md5_item(struct md5_text *t, uint16_t value, bool *first)
{
	if (tls_is_grease(value))
		return;
	if (!*first)
		md5_char(t, '-');
	md5_decimal(t, value);
	*first = false;
}

static void
md5_list(struct md5_text *t, struct span list)
{
	bool first = true;
	uint16_t value;

	md5_char(t, ',');
	while (span_read_u16(&list, &value))
		md5_item(t, value, &first);
}

static void
md5_extension_types(struct md5_text *t, struct span extensions)
{
	bool first = true;
	uint16_t type;
	struct span data;

	md5_char(t, ',');
	while (hello_next_extension(&extensions, &type, &data))
		md5_item(t, type, &first);
}

static void
md5_point_formats(struct md5_text *t, struct span formats)
{
	bool first = true;
	uint8_t format;

	md5_char(t, ',');
	while (span_read_u8(&formats, &format))
		md5_item(t, format, &first);
}

bool
tls_ja3(const struct tls_client_hello *ch, char out[TLS_JA3_TEXT_LEN])
{
	struct md5_text t;
	uint8_t md5[DIGEST_MD5_LEN];

	out[0] = '\0';
	if (!tls_has_fingerprint(ch))
		return false;
	t.len = 0;
	digest_md5_init(&t.md5);
	md5_decimal(&t, ch->legacy_version);
	md5_list(&t, ch->cipher_suites);
	md5_extension_types(&t, ch->extensions);
	md5_list(&t, ch->supported_groups);
	md5_point_formats(&t, ch->ec_point_formats);
	md5_flush(&t);
	digest_md5_end(&t.md5, md5);
	digest_to_hex(span_from(md5, sizeof(md5)), out);
	return true;
}

static void
sha256_flush(struct sha256_text *t)
{
	digest_sha256_add(&t->sha256, span_from(t->piece, t->len));
	t->len = 0;
}

/* `separator` (unless it is NUL) and the value as four hexadecimal digits. */
static void
sha256_item(struct sha256_text *t, char separator, uint16_t value)
{
	static const char digits[] = "0123456789abcdef";

	if (t->len >= PIECE_FULL)
		sha256_flush(t);
	if (separator != '\0')
		t->piece[t->len++] = separator;
	for (int shift = 12; shift >= 0; shift -= 4)
		t->piece[t->len++] = digits[value >> shift & 15];
}

/* The hash of both lists, 12 digits; zeros where the first is empty. */
static void
ja4_hash(const uint16_t *items, size_t count, struct span signature_algorithms, char out[13])
{
	struct sha256_text t;
	uint8_t sha256[DIGEST_SHA256_LEN];
	char separator = '_';
	uint16_t value;

	if (count == 0) {
		memcpy(out, "000000000000", 13);
		return;
	}
	t.len = 0;
	digest_sha256_init(&t.sha256);
	for (size_t i = 0; i < count; i++)
		sha256_item(&t, i == 0 ? '\0' : ',', items[i]);
	while (span_read_u16(&signature_algorithms, &value)) {
		if (tls_is_grease(value))
			continue;
		sha256_item(&t, separator, value);
		separator = ',';
	}
	sha256_flush(&t);
	digest_sha256_end(&t.sha256, sha256);
	digest_to_hex(span_from(sha256, 6), out);
}

/* The highest of supported_versions as a number, else legacy_version. */
static const char *
ja4_version(const struct tls_client_hello *ch)
{
	struct span list = ch->supported_versions;
	uint16_t highest = 0, version;

	while (span_read_u16(&list, &version)) {
		if (!tls_is_grease(version) && version > highest)
			highest = version;
	}
	switch (highest != 0 ? highest : ch->legacy_version) {
	case TLS_VERSION_1_3:
		return "13";
	case TLS_VERSION_1_2:
		return "12";
	case TLS_VERSION_1_1:
		return "11";
	case TLS_VERSION_1_0:
		return "10";
	case TLS_VERSION_SSL3:
		return "s3";
	case TLS_VERSION_SSL2:
		return "s2";
	}
	return "00";
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol; of its hexadecimal form where one is special. */
static void
ja4_alpn(struct span alpn, char out[2])
{
	static const char digits[] = "0123456789abcdef";
	struct span name;
	uint8_t first, last;

	out[0] = out[1] = '0';
	if (!span_read_vec8(&alpn, &name) || span_is_empty(name))
		return;
	first = name.data[0];
	last = name.data[name.len - 1];
	if (is_alnum(first) && is_alnum(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
	} else {
		out[0] = digits[first >> 4];
		out[1] = digits[last & 15];
	}
}

static void
ja4_count(size_t count, char out[2])
{
	if (count > 99)
		count = 99;
	out[0] = (char)('0' + count / 10);
	out[1] = (char)('0' + count % 10);
}

/* The suites without GREASE, sorted; returns how many. */
static size_t
sorted_cipher_suites(struct span list, uint16_t items[LIST_MAX])
{
	size_t count = 0;
	uint16_t value;

	while (span_read_u16(&list, &value)) {
		if (!tls_is_grease(value))
			items[count++] = value;
	}
	sort_u16(items, count);
	return count;
}

/*
 * The extensions without GREASE, server name and ALPN, sorted; returns how many.  `all`: how many
 * with those two.  `server_name`: whether that is among them, readable or not.
 */
static size_t
sorted_extensions(struct span block, uint16_t items[LIST_MAX], size_t *all, bool *server_name)
{
	size_t count = 0;
	uint16_t type;
	struct span data;

	*all = 0;
	*server_name = false;
	while (hello_next_extension(&block, &type, &data)) {
		if (tls_is_grease(type))
			continue;
		(*all)++;
		if (type == TLS_EXT_SERVER_NAME)
			*server_name = true;
		else if (type != TLS_EXT_ALPN)
			items[count++] = type;
	}
	sort_u16(items, count);
	return count;
}

bool
tls_ja4(const struct tls_client_hello *ch, char out[TLS_JA4_TEXT_LEN])
{
	uint16_t items[LIST_MAX];
	size_t count, extensions;
	bool server_name;

	out[0] = '\0';
	if (!tls_has_fingerprint(ch))
		return false;
	/* Places: t 13 d 15 16 h2 _ 8daaf6152771 _ e5627efa2ab1 */
	out[0] = 't';
	memcpy(out + 1, ja4_version(ch), 2);
	count = sorted_cipher_suites(ch->cipher_suites, items);
	ja4_count(count, out + 4);
	ja4_hash(items, count, (struct span){ 0 }, out + 11);
	count = sorted_extensions(ch->extensions, items, &extensions, &server_name);
	out[3] = server_name ? 'd' : 'i';
	ja4_count(extensions, out + 6);
	ja4_alpn(ch->alpn, out + 8);
	ja4_hash(items, count, ch->signature_algorithms, out + 24);
	out[10] = out[23] = '_';
	return true;
}
