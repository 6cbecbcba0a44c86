/*
 * Whose login fails: names are told apart by a keyed hash, counted, and forgotten.
 *
 * Source: RFC 4616 (PLAIN), draft-murchison-sasl-login (LOGIN), RFC 2195 (CRAM-MD5); XOAUTH2 as
 *         Google and Microsoft document it.
 */
#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

#define NAME_LEN_MAX 128
#define CRAM_DIGEST_LEN 32 /* hexadecimal digits of MD5 */

/* A name as it is hashed: mail servers tell few names apart by case alone. */
struct name {
	uint8_t bytes[NAME_LEN_MAX];
	size_t len;
};

static bool
name_add(struct name *name, uint8_t c)
{
	if (name->len == NAME_LEN_MAX)
		return false;
	name->bytes[name->len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
	return true;
}

/* Replaces the name by a number that nobody can turn back without the key. */
static uint32_t
name_take(const struct mail_dialogue *d, struct name *name)
{
	uint32_t hash = MAIL_LOGIN_NAMELESS;

	if (name->len > 0 && d->name_key != NULL) {
		hash = (uint32_t)hash_bytes(d->name_key, name->bytes, name->len);
		if (hash <= MAIL_LOGIN_NAMELESS)
			hash += MAIL_LOGIN_NAMELESS + 1;
	}
	explicit_bzero(name, sizeof(*name));
	return hash;
}

/* RFC 4648, section 4, byte by byte: nothing is decoded beyond what is asked for. */
struct base64 {
	struct span text;
	uint32_t bits;
	unsigned bit_count;
};

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool
base64_next(struct base64 *b, uint8_t *out)
{
	while (b->bit_count < 8) {
		uint8_t c;
		int value;

		if (!span_read_u8(&b->text, &c) || (value = base64_value(c)) < 0)
			return false;
		b->bits = b->bits << 6 | (uint32_t)value;
		b->bit_count += 6;
	}
	b->bit_count -= 8;
	*out = (uint8_t)(b->bits >> b->bit_count);
	return true;
}

/* Up to the byte `end`; false, and no name, where it does not come. */
static bool
read_until(struct base64 *b, uint8_t end, struct name *name)
{
	uint8_t c;

	while (base64_next(b, &c)) {
		if (c == end)
			return true;
		if (!name_add(name, c))
			break;
	}
	name->len = 0;
	return false;
}

/* RFC 4616, section 2: authzid NUL authcid NUL passwd; the third is never looked at. */
static void
read_plain(struct base64 *b, struct name *name)
{
	if (!read_until(b, 0, name))
		return;
	name->len = 0;
	(void)read_until(b, 0, name);
}

/* "user=NAME", then 0x01; what follows is the token. */
static void
read_xoauth2(struct base64 *b, struct name *name)
{
	static const char prefix[] = "user=";
	size_t len = sizeof(prefix) - 1;

	if (!read_until(b, 1, name))
		return;
	if (name->len <= len || memcmp(name->bytes, prefix, len) != 0) {
		name->len = 0;
		return;
	}
	name->len -= len;
	memmove(name->bytes, name->bytes + len, name->len);
}

static void
read_whole(struct base64 *b, struct name *name)
{
	uint8_t c;

	while (base64_next(b, &c)) {
		if (!name_add(name, c)) {
			name->len = 0;
			return;
		}
	}
}

/* RFC 2195, section 2: the name, a blank, and a digest. */
static void
read_cram(struct base64 *b, struct name *name)
{
	size_t behind_len = 1 + CRAM_DIGEST_LEN;

	read_whole(b, name);
	if (name->len > behind_len && name->bytes[name->len - behind_len] == ' ')
		name->len -= behind_len;
	else
		name->len = 0;
}

uint32_t
mail_login_name(const struct mail_dialogue *d, struct span text)
{
	struct name name = { .len = 0 };
	uint8_t c;

	while (span_read_u8(&text, &c)) {
		if (!name_add(&name, c)) {
			name.len = 0;
			break;
		}
	}
	return name_take(d, &name);
}

uint32_t
mail_login_name_in(const struct mail_dialogue *d, enum mail_mechanism mechanism, struct span text)
{
	struct base64 b = { .text = text };
	struct name name = { .len = 0 };

	switch (mechanism) {
	case MAIL_MECHANISM_PLAIN:
		read_plain(&b, &name);
		break;
	case MAIL_MECHANISM_LOGIN:
		read_whole(&b, &name);
		break;
	case MAIL_MECHANISM_XOAUTH2:
		read_xoauth2(&b, &name);
		break;
	case MAIL_MECHANISM_CRAM_MD5:
		read_cram(&b, &name);
		break;
	case MAIL_MECHANISM_OTHER:
		break;
	}
	explicit_bzero(&b, sizeof(b));
	return name_take(d, &name);
}

bool
mail_login_is_text(struct span response)
{
	struct base64 b = { .text = response };
	bool text = response.len > 0 && response.len % 4 == 0;
	uint8_t c;

	while (base64_next(&b, &c))
		text = text && c >= 0x20 && c < 0x7f;
	/* Without padding all of it is read: nothing but base64 was there. */
	text = text && b.text.len == 0 && b.bit_count == 0;
	explicit_bzero(&b, sizeof(b));
	return text;
}

void
mail_login_sent(struct mail_dialogue *d, uint32_t name)
{
	/* The latest one that waits for its answer. */
	for (size_t i = d->pending_count; i-- > 0;) {
		if (d->pending[i] != (uint8_t)MAIL_COMMAND_LOGIN)
			continue;
		if (d->pending_name[i] <= MAIL_LOGIN_NAMELESS)
			d->pending_name[i] = name;
		return;
	}
}

void
mail_login_answered(struct mail_dialogue *d, uint32_t name, bool accepted)
{
	struct mail_facts *facts = &d->facts;
	uint16_t *counter = accepted ? &facts->accepted_logins : &facts->failed_logins;

	/* Without credentials it was no try: a mechanism that is not there, or not in the clear. */
	if (name == MAIL_LOGIN_NOTHING_SENT)
		return;
	/* RFC 4954, section 4: whoever has logged in gets 503 for another login, whatever it is. */
	if (!accepted && facts->accepted_logins > 0)
		return;
	if (*counter < UINT16_MAX)
		(*counter)++;
	if (accepted || name == MAIL_LOGIN_NAMELESS)
		return;
	for (unsigned i = 0; i < facts->failed_name_count; i++) {
		if (d->failed_names[i] == name)
			return;
	}
	if (facts->failed_name_count < MAIL_FAILED_NAMES_MAX)
		d->failed_names[facts->failed_name_count++] = name;
}
