#include "names/nbns.h"

#include "names_wire.h"
#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define REGISTRATION (5 << 11)
#define REFRESH (8 << 11)
#define ANSWER 0x8500

/* RFC 1001, section 14.1: half bytes as letters. */
static void
put_encoded(struct names_wire *w, const char *name, unsigned suffix)
{
	char bytes[16];

	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes, name, strlen(name));
	bytes[15] = (char)suffix;
	names_u8(w, 32);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		names_u8(w, 'A' + ((unsigned)(uint8_t)bytes[i] >> 4));
		names_u8(w, 'A' + ((unsigned)(uint8_t)bytes[i] & 15));
	}
	names_u8(w, 0);
}

static void
put_claim(struct names_wire *w, unsigned opcode, const char *name, unsigned suffix, unsigned flags)
{
	bool answer = opcode == ANSWER;

	names_u16(w, 1);
	names_u16(w, opcode);
	names_u16(w, answer ? 0 : 1);
	names_u16(w, answer ? 1 : 0);
	names_u16(w, 0);
	names_u16(w, answer ? 0 : 1);
	put_encoded(w, name, suffix);
	if (!answer) {
		names_u16(w, 0x20);
		names_u16(w, 1);
		names_u16(w, 0xc00c);
	}
	names_record(w, 0x20, 300000, 6);
	names_u16(w, flags);
	names_put(w, BYTES("\x0a\x00\x00\x15"));
}

static const struct {
	const char *name;
	unsigned opcode;
	const char *host;
	unsigned suffix, flags;
	bool counts;
} claims[] = {
	{ "registration of a host", REGISTRATION, "DESKTOP-7", 0x00, 0, true },
	{ "of its file service", REGISTRATION, "DESKTOP-7", 0x20, 0, true },
	{ "refresh", REFRESH, "DESKTOP-7", 0x00, 0, true },
	{ "registration with a WINS server", 15 << 11, "DESKTOP-7", 0x00, 0, true },
	{ "answer", ANSWER, "DESKTOP-7", 0x20, 0, true },
	{ "longest name", REGISTRATION, "ABCDEFGHIJKLMNO", 0x00, 0, true },
	{ "a group", REGISTRATION, "WORKGROUP", 0x00, 0x8000, false },
	{ "a browser", REGISTRATION, "DESKTOP-7", 0x1d, 0, false },
	{ "a query", 0, "DESKTOP-7", 0x20, 0, false },
	{ "a release", 6 << 11, "DESKTOP-7", 0x20, 0, false },
	{ "a negative answer", ANSWER | 3, "DESKTOP-7", 0x20, 0, false },
};

START_TEST(a_unique_name_is_a_claim)
{
	struct names_wire w = { 0 };
	struct nbns_claim c;
	char text[ADDR_TEXT_LEN];

	put_claim(&w, claims[_i].opcode, claims[_i].host, claims[_i].suffix, claims[_i].flags);
	ck_assert_msg(nbns_parse(names_bytes(&w), &c) == claims[_i].counts, "%s", claims[_i].name);
	if (!claims[_i].counts)
		return;
	ck_assert_uint_eq(c.name_len, strlen(claims[_i].host));
	ck_assert_int_eq(memcmp(c.name, claims[_i].host, c.name_len), 0);
	ck_assert_str_eq(addr_to_text(&c.addr, text), "10.0.0.21");
}
END_TEST

START_TEST(no_prefix_is_a_claim)
{
	struct names_wire w = { 0 };
	struct nbns_claim c;

	put_claim(&w, REGISTRATION, "DESKTOP-7", 0, 0);
	for (size_t len = 0; len < w.len; len++)
		ck_assert_msg(!nbns_parse(span_from(w.bytes, len), &c), "%zu", len);
	ck_assert(nbns_parse(names_bytes(&w), &c));
}
END_TEST

START_TEST(a_name_that_is_not_encoded_is_none)
{
	struct names_wire w = { 0 };
	struct nbns_claim c;

	put_claim(&w, REGISTRATION, "DESKTOP-7", 0, 0);
	w.bytes[14] = 'Q'; /* past the sixteenth letter */
	ck_assert(!nbns_parse(names_bytes(&w), &c));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_unique_name_is_a_claim, 0, ROWS(claims));
	tcase_add_test(tc, no_prefix_is_a_claim);
	tcase_add_test(tc, a_name_that_is_not_encoded_is_none);
}

SUITE_MAIN("names_nbns")
