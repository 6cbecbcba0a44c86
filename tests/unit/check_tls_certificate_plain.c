#include <string.h>

#include "base/buf.h"
#include "suite.h"
#include "tls/certificate_internal.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))
#define MUTANTS 100000

static void
add_element(struct buf *out, uint8_t tag, struct span content)
{
	buf_add_char(out, (char)tag);
	if (content.len >= 0x80) {
		buf_add_char(out, (char)0x82);
		buf_add_char(out, (char)(content.len >> 8));
	}
	buf_add_char(out, (char)content.len);
	buf_add(out, content.data, content.len);
}

static void
wrap(struct buf *b, uint8_t tag)
{
	struct buf inner = *b;

	*b = (struct buf){ 0 };
	add_element(b, tag, span_from(inner.data, inner.len));
	buf_release(&inner);
}

/* One more attribute of a Name that is still without its SEQUENCE: 2.5.4.type. */
static void
add_attribute(struct buf *name, uint8_t type, uint8_t tag, struct span value)
{
	const uint8_t oid[] = { 0x55, 0x04, type };
	struct buf pair = { 0 };

	add_element(&pair, DER_OID, span_from(oid, sizeof(oid)));
	add_element(&pair, tag, value);
	wrap(&pair, DER_SEQUENCE);
	add_element(name, DER_SET, span_from(pair.data, pair.len));
	buf_release(&pair);
}

static bool
same(const struct tls_certificate *a, const struct tls_certificate *b)
{
	return strcmp(a->subject, b->subject) == 0 && strcmp(a->dns_name, b->dns_name) == 0 &&
	       a->has_not_after == b->has_not_after && a->not_after_us == b->not_after_us;
}

/* Whether it is plain; then libcrypto has to say the same. */
static bool
compare(struct span subject, struct span not_after)
{
	const struct certificate_parts parts = { .subject = subject, .not_after = not_after };
	struct tls_certificate plain = { 0 }, whole = { 0 };

	if (!certificate_read_plain(&parts, &plain)) {
		ck_assert(same(&plain, &whole));
		return false;
	}
	certificate_read_by_library(&parts, &whole);
	ck_assert_msg(same(&plain, &whole), "%s (%s) is %s (%s)", plain.subject, plain.dns_name,
	    whole.subject, whole.dns_name);
	return true;
}

/* A UTCTime. */
#define GOOD_TIME BYTES("\x17\x0d\x33\x36\x31\x32\x33\x31\x32\x33\x35\x39\x35\x39\x5a")

static bool
compare_value(uint8_t type, uint8_t tag, struct span value)
{
	struct buf name = { 0 };
	bool result;

	add_attribute(&name, 3, DER_UTF8_STRING, BYTES("mail.example"));
	add_attribute(&name, type, tag, value);
	wrap(&name, DER_SEQUENCE);
	result = compare(span_from(name.data, name.len), GOOD_TIME);
	buf_release(&name);
	return result;
}

static const struct {
	uint8_t type;
	const char *value;
	bool plain;
} values[] = {
	{ 3, "imap.example.org", true },
	{ 3, "*.example.org", true },
	{ 3, "mail", true },
	{ 6, "DE", true },
	{ 7, "Example (Main)", true },
	{ 8, "St. Example's", true },
	{ 10, "Example, Inc.", true },
	{ 11, "a/b:c@d_e-f", true },
	{ 5, "a serial number", false },
	{ 10, "", false },
	{ 10, " Example", false },
	{ 10, "Example ", false },
	{ 10, "#Example", false },
	{ 10, "Example+More", false },
	{ 10, "B\xc3\xbcro", false },
};

START_TEST(what_is_usual_is_plain_and_the_same)
{
	ck_assert_int_eq(
	    compare_value(values[_i].type, DER_UTF8_STRING, span_from_text(values[_i].value)),
	    values[_i].plain);
}
END_TEST

START_TEST(each_byte_at_each_place_is_the_same)
{
	static const uint8_t tags[] = { DER_UTF8_STRING, DER_PRINTABLE_STRING, DER_IA5_STRING, 0x14,
		0x1e, 0x1c };
	char text[] = "abc";

	text[_i % 3] = (char)(_i / 3);
	for (int i = 0; i < ROWS(tags); i++) {
		bool plain = compare_value(10, tags[i], span_from(text, 3));

		ck_assert(!plain || i < 3);
	}
}
END_TEST

START_TEST(each_attribute_is_the_same)
{
	(void)compare_value((uint8_t)_i, DER_PRINTABLE_STRING, BYTES("example"));
}
END_TEST

START_TEST(a_subject_that_is_too_long_is_not_plain)
{
	char text[300];
	bool plain = true;

	memset(text, 'a', sizeof(text));
	for (size_t len = 1; len <= sizeof(text); len++) {
		bool now = compare_value(10, DER_UTF8_STRING, span_from(text, len));

		ck_assert(plain || !now);
		plain = now;
	}
	ck_assert(!plain);
}
END_TEST

static const struct {
	uint8_t tag;
	const char *text;
	bool plain;
} times[] = {
	{ DER_UTC_TIME, "361231235959Z", true },
	{ DER_UTC_TIME, "491231235959Z", true },
	{ DER_UTC_TIME, "500101000000Z", true },
	{ DER_UTC_TIME, "240229120000Z", true },
	{ DER_UTC_TIME, "230229120000Z", false },
	{ DER_UTC_TIME, "230431120000Z", false },
	{ DER_UTC_TIME, "231301120000Z", false },
	{ DER_UTC_TIME, "230001120000Z", false },
	{ DER_UTC_TIME, "230100120000Z", false },
	{ DER_UTC_TIME, "230101240000Z", false },
	{ DER_UTC_TIME, "230101006000Z", false },
	{ DER_UTC_TIME, "230101000060Z", false },
	{ DER_UTC_TIME, "2301010000Z", false },
	{ DER_UTC_TIME, "230101000000+0100", false },
	{ DER_GENERALIZED_TIME, "20500101000000Z", true },
	{ DER_GENERALIZED_TIME, "21000228000000Z", true },
	{ DER_GENERALIZED_TIME, "21000229000000Z", false },
	{ DER_GENERALIZED_TIME, "99991231235959Z", true },
	{ DER_GENERALIZED_TIME, "19491231235959Z", false },
	{ DER_GENERALIZED_TIME, "20500101000000.5Z", false },
	{ DER_GENERALIZED_TIME, "2050010100000aZ", false },
	{ DER_UTF8_STRING, "361231235959Z", false },
};

START_TEST(times_are_the_same)
{
	struct buf name = { 0 }, time = { 0 };

	add_attribute(&name, 3, DER_UTF8_STRING, BYTES("mail.example"));
	wrap(&name, DER_SEQUENCE);
	add_element(&time, times[_i].tag, span_from_text(times[_i].text));
	ck_assert_int_eq(compare(span_from(name.data, name.len), span_from(time.data, time.len)),
	    times[_i].plain);
	buf_release(&name);
	buf_release(&time);
}
END_TEST

/* xorshift, as of Marsaglia 2003. */
static uint32_t
next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

START_TEST(what_is_plain_of_mutants_is_the_same)
{
	struct buf name = { 0 };
	uint8_t mutant[256], time[15];
	uint32_t state = 1;
	size_t plain = 0;

	add_attribute(&name, 6, DER_PRINTABLE_STRING, BYTES("DE"));
	add_attribute(&name, 10, DER_UTF8_STRING, BYTES("Example, Inc."));
	add_attribute(&name, 3, DER_UTF8_STRING, BYTES("first.example"));
	add_attribute(&name, 3, DER_IA5_STRING, BYTES("second.example"));
	wrap(&name, DER_SEQUENCE);
	for (int i = 0; i < MUTANTS; i++) {
		memcpy(mutant, name.data, name.len);
		memcpy(time, GOOD_TIME.data, sizeof(time));
		for (uint32_t changes = next(&state) % 3; changes > 0; changes--)
			mutant[next(&state) % name.len] = (uint8_t)next(&state);
		if (next(&state) % 4 == 0)
			time[next(&state) % sizeof(time)] = (uint8_t)('/' + next(&state) % 12);
		plain += compare(span_from(mutant, name.len), span_from(time, sizeof(time)));
	}
	ck_assert_uint_gt(plain, MUTANTS / 4);
	buf_release(&name);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, what_is_usual_is_plain_and_the_same, 0, ROWS(values));
	tcase_add_loop_test(tc, each_byte_at_each_place_is_the_same, 0, 3 * 256);
	tcase_add_loop_test(tc, each_attribute_is_the_same, 0, 128);
	tcase_add_test(tc, a_subject_that_is_too_long_is_not_plain);
	tcase_add_loop_test(tc, times_are_the_same, 0, ROWS(times));
	tcase_add_test(tc, what_is_plain_of_mutants_is_the_same);
}

SUITE_MAIN("tls_certificate_plain")
