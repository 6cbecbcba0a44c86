#include "tls/certificate.h"

#include "base/xalloc.h"
#include "suite.h"
#include "tls_samples.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

/*
 * Made by a script with throw-away keys.  PLAIN: subject C=DE, O="Example, B\u00fcro",
 * CN=mail.example.org; names: IP 10.0.0.1, imap.example.org, pop3.example.org.  TWO_COMMON_NAMES:
 * first.example, then second.example, valid beyond 2050.  LONG_SUBJECT: OU four times, each of 40
 * times U+00E4.
 */
/* clang-format off */
#define CERT_PLAIN \
	"\x30\x82\x01\x33\x30\x81\xe6\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x05\x06\x03\x2b" \
	"\x65\x70\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41\x30\x1e\x17" \
	"\x0d\x32\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x17\x0d\x33\x36\x31\x32" \
	"\x33\x31\x32\x33\x35\x39\x35\x39\x5a\x30\x41\x31\x0b\x30\x09\x06\x03\x55\x04\x06" \
	"\x13\x02\x44\x45\x31\x17\x30\x15\x06\x03\x55\x04\x0a\x0c\x0e\x45\x78\x61\x6d\x70" \
	"\x6c\x65\x2c\x20\x42\xc3\xbc\x72\x6f\x31\x19\x30\x17\x06\x03\x55\x04\x03\x0c\x10" \
	"\x6d\x61\x69\x6c\x2e\x65\x78\x61\x6d\x70\x6c\x65\x2e\x6f\x72\x67\x30\x2a\x30\x05" \
	"\x06\x03\x2b\x65\x70\x03\x21\x00\x88\xb5\x92\x4f\xd2\x85\x52\x5e\x90\xc5\x3b\xae" \
	"\x43\xba\x71\x47\x2f\x22\x90\x20\xe8\xb6\x44\x41\x20\x96\x02\x13\x74\xa3\xe6\x86" \
	"\xa3\x37\x30\x35\x30\x33\x06\x03\x55\x1d\x11\x04\x2c\x30\x2a\x87\x04\x0a\x00\x00" \
	"\x01\x82\x10\x69\x6d\x61\x70\x2e\x65\x78\x61\x6d\x70\x6c\x65\x2e\x6f\x72\x67\x82" \
	"\x10\x70\x6f\x70\x33\x2e\x65\x78\x61\x6d\x70\x6c\x65\x2e\x6f\x72\x67\x30\x05\x06" \
	"\x03\x2b\x65\x70\x03\x41\x00\xf7\x56\x57\x24\xf3\x78\xc8\x51\x91\x58\x2e\x61\x23" \
	"\xde\x50\x39\xe0\xf1\xec\x71\x92\x1b\x57\xdc\x6d\xe5\x75\xfd\xeb\x25\xf9\xed\x51" \
	"\x45\x4b\x3f\x5b\xda\x14\xca\x20\x71\x33\x0f\x3b\x4a\x52\xe9\xb2\x04\xb6\xc6\x33" \
	"\x47\xa1\xed\x18\xd5\x17\x5e\x54\x96\xb8\x0e"

#define CERT_TWO_COMMON_NAMES \
	"\x30\x81\xec\x30\x81\x9f\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x05\x06\x03\x2b\x65" \
	"\x70\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41\x30\x20\x17\x0d" \
	"\x32\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x18\x0f\x32\x30\x35\x35\x30" \
	"\x36\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x30\x31\x31\x16\x30\x14\x06\x03\x55\x04" \
	"\x03\x0c\x0d\x66\x69\x72\x73\x74\x2e\x65\x78\x61\x6d\x70\x6c\x65\x31\x17\x30\x15" \
	"\x06\x03\x55\x04\x03\x0c\x0e\x73\x65\x63\x6f\x6e\x64\x2e\x65\x78\x61\x6d\x70\x6c" \
	"\x65\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\x88\xb5\x92\x4f\xd2\x85\x52" \
	"\x5e\x90\xc5\x3b\xae\x43\xba\x71\x47\x2f\x22\x90\x20\xe8\xb6\x44\x41\x20\x96\x02" \
	"\x13\x74\xa3\xe6\x86\x30\x05\x06\x03\x2b\x65\x70\x03\x41\x00\x05\x11\xf7\x9f\xa1" \
	"\x24\x43\x3a\x5b\xc0\x7b\xd5\x98\xe5\xc5\xd5\xc4\x17\x2d\x25\x04\x4f\xc7\x3b\x6d" \
	"\x0d\xc2\xe0\x57\xa7\x8c\x9d\xb0\x11\xc3\x42\x3e\xcb\x2d\xa6\x48\x39\x39\xe7\x81" \
	"\x8f\x15\xf2\xbe\xf9\xe3\x8c\xe3\x39\x25\xa5\x5e\x18\x9a\xa1\x16\xea\x57\x08"

#define CERT_LONG_SUBJECT \
	"\x30\x82\x02\x28\x30\x82\x01\xda\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x05\x06\x03" \
	"\x2b\x65\x70\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41\x30\x1e" \
	"\x17\x0d\x32\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x17\x0d\x33\x30\x30" \
	"\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x30\x82\x01\x6c\x31\x59\x30\x57\x06\x03" \
	"\x55\x04\x0b\x0c\x50\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\x31\x59\x30\x57\x06\x03\x55\x04\x0b\x0c\x50\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\x31\x59\x30\x57" \
	"\x06\x03\x55\x04\x0b\x0c\x50\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
	"\xa4\xc3\xa4\xc3\xa4\xc3\xa4\x31\x59\x30\x57\x06\x03\x55\x04\x0b\x0c\x50\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\x30\x2a" \
	"\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\x88\xb5\x92\x4f\xd2\x85\x52\x5e\x90\xc5" \
	"\x3b\xae\x43\xba\x71\x47\x2f\x22\x90\x20\xe8\xb6\x44\x41\x20\x96\x02\x13\x74\xa3" \
	"\xe6\x86\x30\x05\x06\x03\x2b\x65\x70\x03\x41\x00\x64\xb2\xfb\x6e\x2a\xd0\xf5\xa9" \
	"\xf9\xc1\xcb\x3a\x88\xbf\xa7\x35\xda\xd8\x1b\xa8\x6a\xe6\x7c\xe9\x8a\xb1\xe6\xf7" \
	"\xfd\x5f\x62\x9b\xbc\x5b\xa0\xed\x93\xae\xc4\x2e\x3d\x90\x91\x1b\xee\x60\xc2\x06" \
	"\x9a\x67\x05\x47\xd7\x80\x29\x1b\xee\xba\x72\x19\xde\xca\x82\x08"

#define CERT_EMPTY_SUBJECT \
	"\x30\x81\xb8\x30\x6c\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x05\x06\x03\x2b\x65\x70" \
	"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41\x30\x1e\x17\x0d\x32" \
	"\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x17\x0d\x33\x30\x30\x31\x30\x31" \
	"\x30\x30\x30\x30\x30\x30\x5a\x30\x00\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21" \
	"\x00\x88\xb5\x92\x4f\xd2\x85\x52\x5e\x90\xc5\x3b\xae\x43\xba\x71\x47\x2f\x22\x90" \
	"\x20\xe8\xb6\x44\x41\x20\x96\x02\x13\x74\xa3\xe6\x86\x30\x05\x06\x03\x2b\x65\x70" \
	"\x03\x41\x00\x6d\x01\x1c\x69\x05\xcf\x67\x68\x36\x52\x34\xa4\x21\x22\x6b\xef\xec" \
	"\x6c\x19\xf8\xe1\xd8\x81\x34\x33\xea\xe4\x54\x60\x5f\x21\xfd\x14\xc1\x13\x53\x97" \
	"\x3a\xa8\x31\xd8\x22\x2b\x5a\x00\x97\xd5\x9e\x7c\xb6\xb7\x11\xab\xca\xef\xde\x6f" \
	"\x95\x57\x12\x0e\x69\x3c\x08"

/* clang-format on */

START_TEST(names_and_time_are_read)
{
	struct span der = BYTES(CERT_PLAIN);
	struct tls_certificate c;

	ck_assert(tls_certificate_parse(der, &c));
	ck_assert_str_eq(c.subject, "CN=mail.example.org,O=Example\\, B\xc3\xbcro,C=DE");
	ck_assert_str_eq(c.dns_name, "imap.example.org");
	ck_assert(c.has_not_after);
	ck_assert_int_eq(c.not_after_us, INT64_C(2114380799) * 1000000);
}
END_TEST

START_TEST(without_dns_names_the_last_common_name_counts)
{
	struct span der = BYTES(CERT_TWO_COMMON_NAMES);
	struct tls_certificate c;

	ck_assert(tls_certificate_parse(der, &c));
	ck_assert_str_eq(c.subject, "CN=second.example,CN=first.example");
	ck_assert_str_eq(c.dns_name, "second.example");
	/* GeneralizedTime: RFC 5280, section 4.1.2.5, from 2050 on. */
	ck_assert(c.has_not_after);
	ck_assert_int_eq(c.not_after_us, INT64_C(2695420800) * 1000000);
}
END_TEST

START_TEST(empty_subject_gives_empty_texts)
{
	struct span der = BYTES(CERT_EMPTY_SUBJECT);
	struct tls_certificate c;

	ck_assert(tls_certificate_parse(der, &c));
	ck_assert_str_eq(c.subject, "");
	ck_assert_str_eq(c.dns_name, "");
	ck_assert(c.has_not_after);
}
END_TEST

START_TEST(long_subject_is_cut_at_a_character)
{
	struct span der = BYTES(CERT_LONG_SUBJECT);
	struct tls_certificate c;
	size_t len;

	ck_assert(tls_certificate_parse(der, &c));
	/* "OU=" and 80 bytes, a comma: three times is 252, and then "OU=" fits exactly. */
	len = strlen(c.subject);
	ck_assert_uint_eq(len, 255);
	ck_assert_str_eq(c.subject + len - 5, "\xa4,OU=");
}
END_TEST

/* CERT_PLAIN with `to` put in the place of `from`. */
static bool
parse_patched(struct span from, struct span to, struct tls_certificate *out)
{
	struct writer w = { 0 };
	size_t at = 0;

	put_span(&w, BYTES(CERT_PLAIN));
	while (at + from.len <= w.len && memcmp(w.data + at, from.data, from.len) != 0)
		at++;
	ck_assert_uint_le(at + from.len, w.len);
	ck_assert_uint_eq(from.len, to.len);
	memcpy(w.data + at, to.data, to.len);
	return tls_certificate_parse(written(&w), out);
}

/* The common name as it stands in CERT_PLAIN. */
#define UTF8_STRING "\x0c\x10"
#define T61_STRING "\x14\x10"
#define BMP_STRING "\x1e\x0f"
#define COMMON_NAME UTF8_STRING "mail.example.org"

static const struct {
	const char *name;
	const char *common_name; /* in place of COMMON_NAME */
	size_t len;
	const char *subject; /* in front of the rest */
} hostile_rows[] = {
#define ROW(name, common_name, subject)                                                            \
	{                                                                                          \
		name, common_name, sizeof(common_name) - 1, subject                                \
	}
	ROW("escape sequence", UTF8_STRING "\x1b[31m.example.or", "CN=\\1B[31m.example.or"),
	ROW("NUL", UTF8_STRING "\0ail.example.org", "CN=\\00ail.example.org"),
	ROW("DEL",
	    UTF8_STRING "\x7f"
			"ail.example.org",
	    "CN=\\7Fail.example.org"),
	ROW("line end", UTF8_STRING "mail.example\r\n.g", "CN=mail.example\\0D\\0A.g"),
	ROW("C1 control", UTF8_STRING "\xc2\x9bil.example.org", "CN=\\C2\\9Bil.example.org"),
	ROW("Latin-1", T61_STRING "b\xfcro.example.org", "CN=b\xc3\xbcro.example.org"),
	ROW("C1 control in Latin-1",
	    T61_STRING "\x9b"
		       "ail.example.org",
	    "CN=\\C2\\9Bail.example.org"),
	ROW("special characters", UTF8_STRING "m,+\"\\<>;.example",
	    "CN=m\\,\\+\\\"\\\\\\<\\>\\;.example"),
	ROW("four bytes", UTF8_STRING "\xf0\x9f\x93\xa7.example.org",
	    "CN=\xf0\x9f\x93\xa7.example.org"),
};

START_TEST(hostile_name_is_escaped)
{
	struct tls_certificate c;
	const char *expected = hostile_rows[_i].subject;

	ck_assert(parse_patched(
	    BYTES(COMMON_NAME), span_from(hostile_rows[_i].common_name, hostile_rows[_i].len), &c));
	ck_assert_int_eq(strncmp(c.subject, expected, strlen(expected)), 0);
	ck_assert_str_eq(c.subject + strlen(expected), ",O=Example\\, B\xc3\xbcro,C=DE");
}
END_TEST

#define NAME_ROW(name, dns_name)                                                                   \
	{                                                                                          \
		name, dns_name, sizeof(dns_name) - 1                                               \
	}

static const struct {
	const char *name;
	const char *dns_name; /* in place of "imap.example.org" */
	size_t len;
} no_host_rows[] = {
	NAME_ROW("NUL", "imap\0example.org"),
	NAME_ROW("control characters", "imap\n\x7f\x1b[31mx.org"),
	NAME_ROW("no UTF-8", "imap\xff\xfexample.org"),
	NAME_ROW("a letter that is none of DNS", "imap\xc3\xa4xample.org"),
	NAME_ROW("wildcard", "*.a.example.org."),
	NAME_ROW("wildcard in a label", "imap*example.org"),
	NAME_ROW("no dot", "imap-example-org"),
	NAME_ROW("empty label", "imap..xample.org"),
	NAME_ROW("a dot in front", ".map.example.org"),
	NAME_ROW("a dot at the end", "imap.example.or."),
	NAME_ROW("blank", "imap example.org"),
	NAME_ROW("markup", "<b>imap</b>.e.or"),
	NAME_ROW("formula", "=1+1|'imap.e.org"),
	NAME_ROW("address", "192.000.002.0025"),
};

START_TEST(a_dns_name_that_is_no_host_gives_way_to_the_next)
{
	struct tls_certificate c;

	ck_assert(parse_patched(BYTES("imap.example.org"),
	    span_from(no_host_rows[_i].dns_name, no_host_rows[_i].len), &c));
	ck_assert_msg(strcmp(c.dns_name, "pop3.example.org") == 0, "%s: %s", no_host_rows[_i].name,
	    c.dns_name);
}
END_TEST

START_TEST(time_that_is_none_is_absent)
{
	struct tls_certificate c;

	ck_assert(parse_patched(BYTES("361231235959Z"), BYTES("36xx31235959Z"), &c));
	ck_assert(!c.has_not_after);
	ck_assert_str_eq(c.dns_name, "imap.example.org");
}
END_TEST

START_TEST(subject_that_cannot_be_read_is_absent_and_the_rest_is_there)
{
	struct tls_certificate c;

	ck_assert(parse_patched(BYTES(COMMON_NAME), BYTES(BMP_STRING "a length is odd."), &c));
	ck_assert_str_eq(c.subject, "");
	ck_assert_str_eq(c.dns_name, "imap.example.org");
	ck_assert(c.has_not_after);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_escaped)
{
	struct tls_certificate c;

	ck_assert(parse_patched(BYTES(COMMON_NAME), BYTES(UTF8_STRING "b\xfcro,example.org"), &c));
	ck_assert_str_eq(c.subject, "CN=b\\FCro\\,example.org,O=Example\\, B\\C3\\BCro,C=DE");
	ck_assert_str_eq(c.dns_name, "imap.example.org");
}
END_TEST

START_TEST(length_that_is_not_der_is_bad)
{
	struct tls_certificate c;
	struct span start = span_first(BYTES(CERT_PLAIN), 4);

	ck_assert(span_equals(start, BYTES("\x30\x82\x01\x33")));
	ck_assert(!parse_patched(start, BYTES("\x30\x80\x01\x33"), &c));
	ck_assert(!parse_patched(start, BYTES("\x30\x84\x01\x33"), &c));
	ck_assert(!parse_patched(start, BYTES("\x30\xff\x01\x33"), &c));
	ck_assert(!parse_patched(start, BYTES("\x30\x82\x01\x32"), &c));
	ck_assert(!parse_patched(start, BYTES("\x30\x82\x01\x34"), &c));
	ck_assert(!parse_patched(start, BYTES("\x31\x82\x01\x33"), &c));
}
END_TEST

START_TEST(no_prefix_is_a_certificate)
{
	struct span der = BYTES(CERT_PLAIN);
	struct tls_certificate c;

	for (size_t len = 0; len < der.len; len++) {
		ck_assert(!tls_certificate_parse(span_first(der, len), &c));
		ck_assert_str_eq(c.subject, "");
		ck_assert(!c.has_not_after);
	}
}
END_TEST

START_TEST(bytes_behind_a_certificate_are_bad)
{
	struct writer w = { 0 };
	struct tls_certificate c;

	put_span(&w, BYTES(CERT_PLAIN));
	put_u8(&w, 0);
	ck_assert(!tls_certificate_parse(written(&w), &c));
}
END_TEST

START_TEST(certificate_above_64_kib_is_not_read)
{
	struct tls_certificate c;
	size_t len = 65537;
	uint8_t *der = xcalloc(1, len);

	memcpy(der, CERT_PLAIN, sizeof(CERT_PLAIN) - 1);
	ck_assert(!tls_certificate_parse(span_from(der, len), &c));
	free(der);
}
END_TEST

START_TEST(leaf_is_the_first_of_the_message)
{
	struct span der;

	ck_assert(
	    tls_certificate_message_leaf(BYTES("\x00\x00\x0b\x00\x00\x03one\x00\x00\x02hi"), &der));
	ck_assert(span_equals(der, BYTES("one")));
	/* What follows the first may be cut off. */
	ck_assert(tls_certificate_message_leaf(BYTES("\x00\x00\x0b\x00\x00\x03one\x00"), &der));
	ck_assert(span_equals(der, BYTES("one")));
}
END_TEST

START_TEST(leaf_that_is_not_there_whole_is_none)
{
	struct span message = BYTES("\x00\x00\x06\x00\x00\x03one"), der = { 0 };

	for (size_t len = 0; len < message.len; len++)
		ck_assert(!tls_certificate_message_leaf(span_first(message, len), &der));
	ck_assert_ptr_null(der.data);
	ck_assert(!tls_certificate_message_leaf(BYTES("\x00\x00\x00"), &der));
	ck_assert(!tls_certificate_message_leaf(BYTES("\x00\x00\x03\x00\x00\x00"), &der));
	/* The first is longer than the list. */
	ck_assert(!tls_certificate_message_leaf(BYTES("\x00\x00\x05\x00\x00\x03one"), &der));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, names_and_time_are_read);
	tcase_add_test(tc, without_dns_names_the_last_common_name_counts);
	tcase_add_test(tc, empty_subject_gives_empty_texts);
	tcase_add_test(tc, long_subject_is_cut_at_a_character);
	tcase_add_loop_test(tc, hostile_name_is_escaped, 0, ROWS(hostile_rows));
	tcase_add_loop_test(
	    tc, a_dns_name_that_is_no_host_gives_way_to_the_next, 0, ROWS(no_host_rows));
	tcase_add_test(tc, time_that_is_none_is_absent);
	tcase_add_test(tc, subject_that_cannot_be_read_is_absent_and_the_rest_is_there);
	tcase_add_test(tc, bytes_that_are_no_utf8_are_escaped);
	tcase_add_test(tc, length_that_is_not_der_is_bad);
	tcase_add_test(tc, no_prefix_is_a_certificate);
	tcase_add_test(tc, bytes_behind_a_certificate_are_bad);
	tcase_add_test(tc, certificate_above_64_kib_is_not_read);
	tcase_add_test(tc, leaf_is_the_first_of_the_message);
	tcase_add_test(tc, leaf_that_is_not_there_whole_is_none);
}

SUITE_MAIN("tls_certificate")
