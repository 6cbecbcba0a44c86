#include "certificate.h"

#include <string.h>

#include "wire.h"

#include "base/banned.h"

#define RSA_LEN 256

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_UTC_TIME = 0x17,
	DER_UTF8_STRING = 0x0c,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_DNS_NAME = 0x82,
	DER_VERSION = 0xa0,
	DER_EXTENSIONS = 0xa3,
};

static const uint8_t rsa_with_sha256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t rsa_encryption[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const uint8_t common_name[] = { 0x06, 0x03, 0x55, 0x04, 0x03 };
static const uint8_t subject_alt_name[] = { 0x06, 0x03, 0x55, 0x1d, 0x11 };
/* RFC 5612: an enterprise number for documentation (32473). */
static const uint8_t own_extension[] = { 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59,
	0x01 };
static const uint8_t exponent[] = { DER_INTEGER, 3, 1, 0, 1 };

/* All lengths in two bytes: der_close() then makes short ones short, as DER wants them. */
static size_t
der_open(struct buf *b, unsigned tag)
{
	wire_u8(b, tag);
	wire_u8(b, 0x82);
	return wire_open_u16(b);
}

static void
der_close(struct buf *b, size_t start)
{
	size_t len = b->len - start, saved;

	wire_close_u16(b, start);
	if (len > 0xff)
		return;
	saved = len < 0x80 ? 2 : 1;
	memmove(b->data + start - saved, b->data + start, len);
	b->len -= saved;
	b->data[start - saved - 1] = (char)(uint8_t)len;
	if (saved == 1)
		b->data[start - saved - 2] = (char)0x81;
}

static void
der_text(struct buf *b, unsigned tag, const char *text)
{
	size_t start = der_open(b, tag);

	buf_add_text(b, text);
	der_close(b, start);
}

static void
add_name(struct buf *b, const char *name)
{
	size_t sequence = der_open(b, DER_SEQUENCE), set = der_open(b, DER_SET),
	       pair = der_open(b, DER_SEQUENCE);

	buf_add(b, common_name, sizeof(common_name));
	der_text(b, DER_UTF8_STRING, name);
	der_close(b, pair);
	der_close(b, set);
	der_close(b, sequence);
}

/* A positive number of `len` random bytes. */
static void
add_number(struct buf *b, struct dice *dice, size_t len)
{
	size_t start = der_open(b, DER_INTEGER);

	wire_u8(b, dice_between(dice, 1, 0x7f));
	wire_random(b, dice, len - 1);
	der_close(b, start);
}

static void
add_key(struct buf *b, struct dice *dice)
{
	size_t sequence = der_open(b, DER_SEQUENCE), bits, key;

	buf_add(b, rsa_encryption, sizeof(rsa_encryption));
	bits = der_open(b, DER_BIT_STRING);
	wire_u8(b, 0);
	key = der_open(b, DER_SEQUENCE);
	add_number(b, dice, RSA_LEN);
	buf_add(b, exponent, sizeof(exponent));
	der_close(b, key);
	der_close(b, bits);
	der_close(b, sequence);
}

static void
add_extensions(struct buf *b, struct dice *dice, const char *subject)
{
	size_t tag = der_open(b, DER_EXTENSIONS), all = der_open(b, DER_SEQUENCE),
	       one = der_open(b, DER_SEQUENCE), octets, names;

	buf_add(b, subject_alt_name, sizeof(subject_alt_name));
	octets = der_open(b, DER_OCTET_STRING);
	names = der_open(b, DER_SEQUENCE);
	der_text(b, DER_DNS_NAME, subject);
	der_close(b, names);
	der_close(b, octets);
	der_close(b, one);
	/* What else certificates have, as far as their size matters. */
	one = der_open(b, DER_SEQUENCE);
	buf_add(b, own_extension, sizeof(own_extension));
	octets = der_open(b, DER_OCTET_STRING);
	wire_random(b, dice, dice_between(dice, 450, 900));
	der_close(b, octets);
	der_close(b, one);
	der_close(b, all);
	der_close(b, tag);
}

static void
add_content(struct buf *b, struct dice *dice, const char *issuer, const char *subject)
{
	static const uint8_t version_3[] = { DER_VERSION, 3, DER_INTEGER, 1, 2 };
	size_t content = der_open(b, DER_SEQUENCE), validity;

	buf_add(b, version_3, sizeof(version_3));
	add_number(b, dice, 16);
	buf_add(b, rsa_with_sha256, sizeof(rsa_with_sha256));
	add_name(b, issuer);
	validity = der_open(b, DER_SEQUENCE);
	der_text(b, DER_UTC_TIME, "230101000000Z");
	der_text(b, DER_UTC_TIME, "330101000000Z");
	der_close(b, validity);
	add_name(b, subject);
	add_key(b, dice);
	add_extensions(b, dice, subject);
	der_close(b, content);
}

void
certificate_add(struct buf *out, struct dice *dice, const char *issuer, const char *subject)
{
	size_t whole = der_open(out, DER_SEQUENCE), bits;

	add_content(out, dice, issuer, subject);
	buf_add(out, rsa_with_sha256, sizeof(rsa_with_sha256));
	bits = der_open(out, DER_BIT_STRING);
	wire_u8(out, 0);
	wire_random(out, dice, RSA_LEN);
	der_close(out, bits);
	der_close(out, whole);
}
