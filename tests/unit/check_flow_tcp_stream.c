#include "stream_recorder.h"

#include "base/banned.h"

#define SECOND INT64_C(1000000)

/* "OFFSET:BYTES[/LENGTH][|]": '.' is a zero byte, LENGTH the one on the wire, '|' a FIN. */
static void
add_by_word(struct fixture *f, const char *word)
{
	char *rest;
	int64_t offset = strtol(word, &rest, 10);
	uint8_t bytes[64];
	size_t len = 0, wire_len;
	bool fin;

	ck_assert_msg(*rest == ':', "%s", word);
	for (rest++; *rest != '\0' && *rest != '/' && *rest != '|'; rest++)
		bytes[len++] = *rest == '.' ? 0 : (uint8_t)*rest;
	wire_len = *rest == '/' ? strtoul(rest + 1, &rest, 10) : len;
	fin = *rest == '|';
	add(f, offset, span_from(bytes, len), wire_len, fin);
}

/*
 * Besides segments: "aN" N bytes are acknowledged; "+N" N seconds go by; "!" the connection ends;
 * "#" nobody listens any more.
 */
static void
run_script(struct fixture *f, const char *script)
{
	char copy[256], *word, *rest = copy;

	ck_assert_uint_lt(strlen(script), sizeof(copy));
	memcpy(copy, script, strlen(script) + 1);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] == 'a')
			f->s.acked = strtol(word + 1, NULL, 10);
		else if (word[0] == '+')
			f->time_us += strtol(word + 1, NULL, 10) * SECOND;
		else if (word[0] == '!')
			flush_stream(f);
		else if (word[0] == '#')
			tcp_stream_stop(&f->s, &f->budget);
		else if (word[0] != '\0')
			add_by_word(f, word);
	}
}

static const struct {
	const char *fact, *script;
	const char *out; /* a '~' at the end: something is still held */
} scripts[] = {
	{ "nothing gives nothing", "!", "" },
	{ "an empty segment is nothing", "0: 2: !", "" },
	{ "segments in order pass at once", "0:ab 2:c 3:def", "abcdef" },
	{ "a late segment is waited for", "2:cd", "~" },
	{ "two segments the other way round", "2:cd 0:ab", "abcd" },
	{ "single bytes backwards", "4:e 3:d 2:c 1:b 0:a", "abcde" },
	{ "two holes", "2:c 4:e 1:b 3:d 0:a", "abcde" },

	{ "a segment repeated", "0:abc 0:abc 3:d", "abcd" },
	{ "repeated with more", "0:abc 0:abcdef", "abcdef" },
	{ "repeated with less", "0:abcdef 2:cd 6:g", "abcdefg" },
	{ "repeated with other boundaries", "0:abc 1:bcde 3:defg", "abcdefg" },
	{ "from before the beginning", "-2:yzab 2:c", "abc" },
	{ "wholly before the beginning", "-4:wxyz -1:z 0:a", "a" },
	{ "held and repeated", "2:cd 2:cd 0:ab", "abcd" },
	{ "held and repeated with more", "2:cd 2:cdef 0:ab", "abcdef" },
	{ "held and repeated with less", "2:cdef 2:c 0:ab", "abcdef" },
	{ "held with other boundaries", "6:gh 3:defg 1:bcd 0:a", "abcdefgh" },
	{ "held, and covered whole by a later one", "3:d 5:f 2:cdefgh 0:ab", "abcdefgh" },
	{ "a hole filled by one that covers both sides", "0:ab 5:fg 1:bcdef", "abcdefg" },
	{ "a held one that is old when its turn comes", "3:d 0:abcdef", "abcdef" },

	{ "a FIN with data", "0:ab 2:cd|", "abcd|" },
	{ "a FIN alone", "0:ab 2:|", "ab|" },
	{ "a FIN on an empty stream", "0:|", "|" },
	{ "a FIN before its data", "4:| 2:cd 0:ab", "abcd|" },
	{ "a FIN with data before other data", "2:cd| 0:ab", "abcd|" },
	{ "a FIN twice", "0:ab| 0:ab| 2:|", "ab|" },
	{ "a FIN on the repeated segment only", "0:ab 0:ab|", "ab|" },
	{ "a FIN on the repeated held segment only", "2:cd 2:cd| 0:ab", "abcd|" },
	{ "a FIN inside what is known is none", "0:abc 1:b| 3:d", "abcd" },
	{ "data in a FIN's place shows that it was none", "0:ab| 2:cd 4:e|", "ab|cde|" },
	{ "as does a copy that goes on", "0:ab| 0:abcd !", "ab|cd" },
	{ "and what came before it", "4:ef 2:cd 0:ab| !", "abcdef" },
	{ "data a byte behind a FIN is ignored", "0:ab| 3:de !", "ab|" },
	{ "a probe's byte behind a FIN is ignored", "0:ab| 2:x !", "ab|" },
	{ "zeros behind a FIN are ignored", "0:ab| 2:.... !", "ab|" },
	{ "a FIN behind a hole", "3:| !", "(3)|" },

	{ "the end turns a hole into a gap", "2:cd !", "(2)cd" },
	{ "and each further hole", "2:cd 6:g 8:i| !", "(2)cd(2)g(1)i|" },
	{ "what fills a gap is too late", "2:cd ! 0:ab 4:e", "(2)cde" },
	{ "what reaches over a gap is cut", "2:cd ! 0:abcdef", "(2)cdef" },
	{ "a stopped stream hands out nothing", "0:a 3:d # 1:bc 4:e 5:| !", "a" },

	{ "an acknowledged hole is given up after a while", "2:cd a4 +4 6:g", "(2)cd~" },
	{ "not at once", "2:cd a4 +2 6:g", "~" },
	{ "nor one that is not acknowledged", "2:cd +1000 6:g", "~" },
	{ "nor where only the hole is acknowledged", "2:cd a2 +4 6:g", "~" },
	{ "an acknowledged hole may still be filled", "2:cd a4 +2 0:ab", "abcd" },
	{ "one that is given up by a repeated segment", "2:cd a4 +4 2:cd", "(2)cd" },
	{ "a FIN's acknowledgement counts too", "2:| a3 +4 2:|", "(2)|" },
	{ "of two holes only the old one is given up", "2:c a9 +4 6:g 8:i", "(2)c~" },

	{ "a keep-alive probe", "0:ab 1:. 2:cd", "abcd" },
	{ "a keep-alive probe with a wrong byte", "0:ab 1:x 2:cd", "abcd" },
	{ "a keep-alive probe before anything", "-1:. 0:ab", "ab" },
	{ "a zero byte that real data replaces", "0:ab 2:. 2:cd", "abcd" },
	{ "repeated, then replaced", "0:ab 2:. 2:. 2:. 2:cd", "abcd" },
	{ "zeros longer than the data", "0:ab 2:...... 2:cd 4:e", "abcde" },
	{ "zeros shorter than the data", "0:ab 2:.. 2:cdef", "abcdef" },
	{ "replaced by data that begins earlier", "0:ab 2:.. 1:bcde", "abcde" },
	{ "held zeros that real data covers", "3:.. 0:abcdef 6:g", "abcdefg" },
	{ "replaced behind a hole", "4:. 4:ef 0:abcd", "abcdef" },
	{ "data that begins inside zeros", "0:ab 2:.... 4:ef 6:g", "ab..efg" },
	{ "real data does not give way", "3:de 3:.... 0:abc 5:f", "abcdef" },
	{ "zeros wait for what continues them", "0:ab 2:..", "ab~" },
	{ "zeros that data continues", "0:ab 2:.. 4:e", "ab..e" },
	{ "zeros that a FIN continues", "0:ab 2:.. 4:|", "ab..|" },
	{ "a FIN in the place of zeros", "0:ab 2:.. 2:|", "ab|" },
	{ "a FIN inside zeros", "0:ab 2:.... 4:|", "ab..|" },
	{ "zeros with a FIN", "0:ab 2:..|", "ab..|" },
	{ "zeros at the end", "0:ab 2:.. !", "ab.." },
	{ "zeros byte by byte", "0:. 1:. 2:. 3:d", "...d" },
	{ "zeros byte by byte, backwards", "3:d 2:. 1:. 0:.", "...d" },
	{ "zeros that are acknowledged", "0:ab 2:. a3 +4 2:.", "ab." },
	{ "a zero in front of data is data", "0:.a 2:b.", ".ab." },

	{ "a cut segment", "0:ab/4 4:e", "ab(2)e" },
	{ "nothing captured of it", "0:/3 3:d", "(3)d" },
	{ "a cut segment with a FIN", "0:ab/4|", "ab(2)|" },
	{ "a cut segment twice", "0:ab/4 0:ab/4 4:e", "ab(2)e" },
	{ "a cut segment that waits", "2:cd/5 0:ab 7:h", "abcd(3)h" },
	{ "a cut segment that waits, twice", "2:cd/5 2:cd/5 0:ab 7:h", "abcd(3)h" },
	{ "of two cut ones that wait the longer counts", "2:c/2 2:c/4 0:ab 6:g", "abc(3)g" },
	{ "a cut one and a whole one wait", "2:c/4 2:cdef 0:ab", "abcdef" },
	{ "a whole one and a cut one wait", "2:cdef 2:c/4 0:ab", "abcdef" },
	{ "what was cut is too late later", "0:ab/4 2:cd 3:de", "ab(2)e" },
	{ "the beginning of a cut segment is known", "0:abcd 2:cd/4 6:g", "abcd(2)g" },
	{ "all captured bytes of a cut segment are known", "0:abcde 2:cd/4 6:g", "abcde(1)g" },
	{ "zeros of a cut segment", "0:a 1:../4 5:f", "a..(2)f" },
};

START_TEST(a_script_gives_what_it_should)
{
	/* The numbers wrap somewhere inside for the last ones. */
	static const uint32_t bases[] = { 1, 0, 0x7ffffffe, 0x80000000, 0xfffffffd, 0xffffffff };

	for (int i = 0; i < ROWS(bases); i++) {
		struct fixture *f = fixture_new(bases[i]);

		run_script(f, scripts[_i].script);
		if (f->budget.held_len > 0)
			f->r.text[f->r.len] = '~';
		else
			ck_assert_msg(!f->r.has_more, "%s", scripts[_i].fact);
		ck_assert_msg(strcmp(f->r.text, scripts[_i].out) == 0, "%s: \"%s\" gives \"%s\"",
		    scripts[_i].fact, scripts[_i].script, f->r.text);
		tcp_stream_stop(&f->s, &f->budget);
		fixture_free(f);
	}
}
END_TEST

static const struct {
	const char *fact, *script;
	bool has_more;
} waiting[] = {
	{ "nothing", "0:ab", false },
	{ "a segment behind a hole", "0:ab 3:d", true },
	{ "a FIN behind a hole", "0:ab 3:|", true },
	{ "zeros that are perhaps no data", "0:ab 2:..", false },
	{ "zeros behind a hole", "0:ab 3:..", true },
	{ "zeros, and a segment behind a hole", "0:ab 2:. 4:d", true },
};

START_TEST(what_is_still_to_be_handed_out_is_told)
{
	struct fixture *f = fixture_new(1);

	run_script(f, waiting[_i].script);
	ck_assert_msg(tcp_stream_has_more(&f->s) == waiting[_i].has_more, "%s", waiting[_i].fact);
	tcp_stream_stop(&f->s, &f->budget);
	fixture_free(f);
}
END_TEST

START_TEST(a_listener_may_stop_the_stream_in_any_call)
{
	for (unsigned at = 1; at < 10; at++) {
		struct fixture *f = fixture_new(0xfffffffe);

		f->r.stop_stream = &f->s;
		f->r.stop_budget = &f->budget;
		f->r.stop_at = at;
		run_script(f, scripts[_i].script);
		flush_stream(f);
		ck_assert_uint_le(f->r.calls, at);
		if (f->r.calls < at)
			tcp_stream_stop(&f->s, &f->budget);
		fixture_free(f);
	}
}
END_TEST

/* The order-th of all orders of `count` things. */
static void
permute(unsigned order, unsigned count, unsigned *out)
{
	unsigned left[8];

	for (unsigned i = 0; i < count; i++)
		left[i] = i;
	for (unsigned i = 0; i < count; i++) {
		unsigned choice = order % (count - i);

		order /= count - i;
		out[i] = left[choice];
		memmove(left + choice, left + choice + 1, (count - i - 1 - choice) * sizeof(*left));
	}
}

struct piece_of_text {
	int64_t offset;
	const char *text;
	bool fin;
};

/* Five pieces in all orders. */
static void
check_orders(uint32_t base, const struct piece_of_text pieces[5], const char *whole)
{
	for (unsigned n = 0; n < 120; n++) {
		struct fixture *f = fixture_new(base);
		unsigned order[5];

		permute(n, 5, order);
		for (int i = 0; i < 5; i++) {
			const struct piece_of_text *piece = &pieces[order[i]];
			struct span bytes = span_from_text(piece->text);

			add(f, piece->offset, bytes, bytes.len, piece->fin);
		}
		ck_assert_str_eq(f->r.text, whole);
		ck_assert_uint_eq(f->budget.gap_count, 0);
		fixture_free(f);
	}
}

START_TEST(five_segments_in_every_order_give_the_same)
{
	static const struct piece_of_text pieces[] = { { 0, "ab", false }, { 2, "c", false },
		{ 3, "def", false }, { 6, "gh", false }, { 8, "ij", true } };

	check_orders(1000, pieces, "abcdefghij|");
	check_orders(0xfffffff9, pieces, "abcdefghij|");
}
END_TEST

START_TEST(overlapping_segments_in_every_order_give_the_same)
{
	static const struct piece_of_text pieces[] = { { 0, "abcd", false }, { 2, "cdef", false },
		{ 3, "d", false }, { 5, "fgh", false }, { 1, "bcdefg", false } };

	check_orders(1000, pieces, "abcdefgh");
	check_orders(0xfffffffc, pieces, "abcdefgh");
}
END_TEST

START_TEST(a_segment_out_of_the_window_is_counted_and_changes_nothing)
{
	static const int64_t offsets[] = { TCP_STREAM_WINDOW + 3, -TCP_STREAM_WINDOW + 1, INT32_MAX,
		INT32_MIN, INT64_C(0x40000000), -INT64_C(0x40000000) };
	struct fixture *f = fixture_new(5);

	add_text(f, 0, "ab");
	for (int i = 0; i < ROWS(offsets); i++) {
		add_text(f, offsets[i], "xyz");
		ck_assert_uint_eq(f->budget.out_of_window_count, (unsigned)i + 1);
	}
	add(f, 2, BYTES("x"), (size_t)TCP_STREAM_WINDOW + 1, false);
	ck_assert_uint_eq(f->budget.out_of_window_count, ROWS(offsets) + 1);
	add_text(f, 2, "cd");
	ck_assert_str_eq(f->r.text, "abcd");
	fixture_free(f);
}
END_TEST

START_TEST(the_windows_last_offset_is_inside)
{
	struct fixture *f = fixture_new(5);

	add_text(f, TCP_STREAM_WINDOW, "z");
	ck_assert_uint_eq(f->budget.out_of_window_count, 0);
	flush_stream(f);
	ck_assert_str_eq(f->r.text, "(16777216)z");
	add(f, TCP_STREAM_WINDOW + 1, BYTES(""), (size_t)TCP_STREAM_WINDOW, false);
	ck_assert_str_eq(f->r.text, "(16777216)z(16777216)");
	fixture_free(f);
}
END_TEST

START_TEST(a_stream_may_be_longer_than_the_sequence_numbers)
{
	struct fixture *f = fixture_new(0xfffff000);
	const int64_t piece = INT64_C(1) << 24;

	/* More than twice around: what the capture cut makes it quick. */
	for (int64_t offset = 0; offset < INT64_C(600) * piece; offset += piece) {
		f->r.len = 0;
		add(f, offset, BYTES("a"), (size_t)piece, false);
		ck_assert_int_eq(f->s.next, offset + piece);
	}
	ck_assert_uint_eq(f->budget.out_of_window_count, 0);
	ck_assert_int_eq(f->r.next, INT64_C(600) * piece);
	fixture_free(f);
}
END_TEST

START_TEST(times_at_both_ends_of_the_range_are_survived)
{
	static const int64_t times[] = { INT64_MIN, INT64_MAX, 0, INT64_MIN + 1, -1, INT64_MAX - 1,
		INT64_MIN };
	struct fixture *f = fixture_new(1);

	for (int i = 0; i < ROWS(times); i++) {
		f->time_us = times[i];
		f->s.acked = 1000;
		add_text(f, 10 + 2 * i, "x");
	}
	/* The second one came an age after the first, which was acknowledged. */
	ck_assert_uint_ge(f->budget.gap_count, 1);
	flush_stream(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_mark_tells_of_the_segment_that_brought_the_byte)
{
	struct fixture *f = fixture_new(1);
	struct tcp_segment segment = { .seq = 4, .time_us = 50, .peer_offset = 7 };

	segment.payload = BYTES("def");
	segment.payload_len = 3;
	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
	segment = (struct tcp_segment){ .seq = 0, .time_us = 60, .peer_offset = 9 };
	segment.payload = BYTES("zab");
	segment.payload_len = 3;
	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
	/* The first byte is old: the piece begins behind it. */
	ck_assert_str_eq(f->r.text, "ab");
	ck_assert_int_eq(f->r.last_mark.offset, 0);
	ck_assert_int_eq(f->r.last_mark.time_us, 60);
	ck_assert_int_eq(f->r.last_mark.peer_offset, 9);
	segment.seq = 2;
	segment.payload = BYTES("bcd");
	segment.time_us = 70;
	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
	ck_assert_str_eq(f->r.text, "abcdef");
	ck_assert_int_eq(f->r.last_mark.offset, 4);
	ck_assert_int_eq(f->r.last_mark.time_us, 50);
	ck_assert_int_eq(f->r.last_mark.peer_offset, 7);
	fixture_free(f);
}
END_TEST

START_TEST(what_is_seen_is_counted)
{
	struct fixture *f = fixture_new(1);

	run_script(f, "0:ab 0:ab 1:b 4:ef 4:ef 2:cd 6:g/3 12:m/2 !");
	ck_assert_str_eq(f->r.text, "abcdefg(2)(3)m(1)");
	ck_assert_uint_eq(f->budget.duplicate_count, 3);
	ck_assert_uint_eq(f->budget.reordered_count, 3);
	ck_assert_uint_eq(f->budget.cut_count, 2);
	ck_assert_uint_eq(f->budget.gap_count, 3);
	ck_assert_uint_eq(f->budget.gap_len, 6);
	ck_assert_uint_eq(f->budget.out_of_window_count, 0);
	fixture_free(f);
}
END_TEST

START_TEST(a_segment_that_claims_less_than_it_has_is_ignored)
{
	struct fixture *f = fixture_new(1);

	add(f, 0, BYTES("abc"), 2, false);
	ck_assert_str_eq(f->r.text, "");
	fixture_free(f);
}
END_TEST

/* Without a SYN. */
static struct fixture *
fixture_new_middle(void)
{
	struct fixture *f = fixture_new(0);

	f->s.has_base = f->s.has_syn = false;
	return f;
}

static void
add_seq(struct fixture *f, uint32_t seq, const char *text)
{
	struct tcp_segment segment = { .seq = seq, .payload_len = (uint32_t)strlen(text) };

	segment.payload = text[0] == '.' ? BYTES("\0") : span_from_text(text);
	f->r.is_further = false;
	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
}

START_TEST(without_a_syn_the_first_segment_is_the_beginning)
{
	struct fixture *f = fixture_new_middle();

	add_seq(f, 0xfffffffe, "ab");
	add_seq(f, 1, "d");
	add_seq(f, 0xfffffffc, "yz"); /* earlier: nobody waits for it */
	add_seq(f, 0, "c");
	ck_assert_str_eq(f->r.text, "abcd");
	ck_assert(!f->s.has_syn);
	fixture_free(f);
}
END_TEST

START_TEST(zeros_are_no_beginning)
{
	struct fixture *f = fixture_new_middle();

	add_seq(f, 0x5000, ".");
	ck_assert(!f->s.has_base);
	add_seq(f, 0x1000, "ab");
	ck_assert_str_eq(f->r.text, "ab");
	fixture_free(f);
}
END_TEST

START_TEST(without_a_syn_a_hint_tells_the_beginning)
{
	struct fixture *f = fixture_new_middle();

	tcp_stream_set_hint(&f->s, 0xfffffffe);
	tcp_stream_set_hint(&f->s, 0x100); /* only the first one counts */
	add_seq(f, 0, "cd");
	ck_assert_str_eq(f->r.text, "");
	add_seq(f, 0xfffffffe, "ab");
	ck_assert_str_eq(f->r.text, "abcd");
	fixture_free(f);
}
END_TEST

START_TEST(a_hint_far_off_is_none)
{
	static const uint32_t seqs[] = { 0x1000 + TCP_STREAM_HINT_WINDOW,
		0x1000 - TCP_STREAM_HINT_WINDOW, 0x80001000 };
	struct fixture *f = fixture_new_middle();

	tcp_stream_set_hint(&f->s, 0x1000);
	add_seq(f, seqs[_i], "ab");
	ck_assert_str_eq(f->r.text, "ab");
	ck_assert_uint_eq(f->s.base, seqs[_i]);
	fixture_free(f);
}
END_TEST

START_TEST(what_comes_in_front_of_a_hint_is_below_zero)
{
	struct fixture *f = fixture_new_middle();

	tcp_stream_set_hint(&f->s, 1);
	f->r.next = -2;
	add_seq(f, 0xffffffff, "abcd");
	ck_assert_str_eq(f->r.text, "abcd");
	ck_assert_int_eq(f->s.next, 2);
	fixture_free(f);
}
END_TEST

static void
add_fin(struct fixture *f, uint32_t seq)
{
	struct tcp_segment segment = { .seq = seq, .fin = true };

	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
}

START_TEST(a_fin_alone_waits_for_the_beginning)
{
	struct fixture *f = fixture_new_middle();

	add_fin(f, 1);
	add_fin(f, 1);
	ck_assert_str_eq(f->r.text, "");
	f->r.next = -3;
	add_seq(f, 0xfffffffe, "ab");
	ck_assert_str_eq(f->r.text, "ab");
	add_seq(f, 0, "c");
	ck_assert_str_eq(f->r.text, "abc|");
	fixture_free(f);
}
END_TEST

START_TEST(a_fin_that_nothing_came_in_front_of_is_handed_out_in_the_end)
{
	struct fixture *f = fixture_new_middle();

	tcp_stream_set_hint(&f->s, 2); /* it was acknowledged before it was captured */
	add_fin(f, 1);
	f->r.next = -1;
	tcp_stream_flush(&f->s, &f->budget, &recorder_sink, &f->r);
	ck_assert_str_eq(f->r.text, "|");
	fixture_free(f);
}
END_TEST

START_TEST(a_fin_alone_does_not_wait_beyond_the_budget)
{
	struct fixture *f = fixture_new_middle();

	f->budget.max_held_len = 1;
	add_fin(f, 1);
	ck_assert_str_eq(f->r.text, "|");
	ck_assert_uint_eq(f->budget.held_len, 0);
	fixture_free(f);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_script_gives_what_it_should, 0, ROWS(scripts));
	tcase_add_loop_test(tc, what_is_still_to_be_handed_out_is_told, 0, ROWS(waiting));
	tcase_add_loop_test(tc, a_listener_may_stop_the_stream_in_any_call, 0, ROWS(scripts));
	tcase_add_test(tc, five_segments_in_every_order_give_the_same);
	tcase_add_test(tc, overlapping_segments_in_every_order_give_the_same);
	tcase_add_test(tc, a_segment_out_of_the_window_is_counted_and_changes_nothing);
	tcase_add_test(tc, the_windows_last_offset_is_inside);
	tcase_add_test(tc, a_stream_may_be_longer_than_the_sequence_numbers);
	tcase_add_test(tc, times_at_both_ends_of_the_range_are_survived);
	tcase_add_test(tc, a_mark_tells_of_the_segment_that_brought_the_byte);
	tcase_add_test(tc, what_is_seen_is_counted);
	tcase_add_test(tc, a_segment_that_claims_less_than_it_has_is_ignored);
	tcase_add_test(tc, without_a_syn_the_first_segment_is_the_beginning);
	tcase_add_test(tc, zeros_are_no_beginning);
	tcase_add_test(tc, without_a_syn_a_hint_tells_the_beginning);
	tcase_add_loop_test(tc, a_hint_far_off_is_none, 0, 3);
	tcase_add_test(tc, what_comes_in_front_of_a_hint_is_below_zero);
	tcase_add_test(tc, a_fin_alone_waits_for_the_beginning);
	tcase_add_test(tc, a_fin_alone_does_not_wait_beyond_the_budget);
	tcase_add_test(tc, a_fin_that_nothing_came_in_front_of_is_handed_out_in_the_end);
}

SUITE_MAIN("flow_tcp_stream")
