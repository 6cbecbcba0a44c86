/* How much a record stream keeps, and where. */
#include "tls/record_stream.h"

#include "record_log.h"
#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

START_TEST(of_the_longest_message_the_beginning_is_kept)
{
	static struct writer w;
	struct fixture f;
	static const size_t lens[] = { TLS_MESSAGE_MAX - 1, TLS_MESSAGE_MAX, TLS_MESSAGE_MAX + 1,
		TLS_MESSAGE_MAX * 4 };
	static const char *const said[] = { "message 11:65535@", "message 11:65536@",
		"message 11:cut 65536@", "message 11:cut 65536@" };

	w.len = 0; /* static: with CK_FORK=no it still holds the row before */
	begin(&f);
	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 16384);
	put_message_header(&w, TLS_HANDSHAKE_CERTIFICATE, lens[_i]);
	put_fill(&w, 0x5a, 16380);
	feed(&f, written(&w));
	for (size_t left = lens[_i] - 16380; left > 0;) {
		size_t len = left < 16384 ? left : 16384;

		w.len = 0;
		put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, len);
		put_fill(&w, 0x5a, len);
		left -= len;
		ck_assert(!log_has(&f, "message"));
		feed(&f, written(&w));
	}
	ck_assert(log_has(&f, said[_i]));
	ck_assert_ptr_null(f.stream.kept);
	end(&f);
}
END_TEST

/* Whatever is kept is given back, and a message that finds no room is handed out cut. */
START_TEST(budget_bounds_what_all_streams_keep)
{
	struct tls_record_budget budget = { .max_kept_len = 4096 };
	struct writer w = { 0 };
	struct fixture a, b;

	put_message(&w, TLS_HANDSHAKE_CERTIFICATE, 3000);
	begin(&a);
	begin(&b);
	a.stream.budget = b.stream.budget = &budget;
	feed(&a, span_first(written(&w), 2900));
	ck_assert_uint_eq(budget.kept_len, 4096);
	feed(&b, span_first(written(&w), 1500));
	ck_assert_uint_eq(budget.exceeded_count, 1);
	feed(&b, span_from(w.data + 1500, w.len - 1500));
	ck_assert(log_has(&b, "message 11:cut 0@"));
	feed(&a, span_from(w.data + 2900, w.len - 2900));
	ck_assert(log_has(&a, "message 11:3000@"));
	ck_assert_uint_eq(budget.kept_len, 0);
	feed_pieces(&b, written(&w), 100);
	ck_assert(log_has(&b, "message 11:3000@"));
	feed(&b, span_first(written(&w), 1500));
	ck_assert_uint_gt(budget.kept_len, 0);
	end(&a);
	end(&b);
	ck_assert_uint_eq(budget.kept_len, 0);
	ck_assert_uint_eq(budget.exceeded_count, 1);
}
END_TEST

/* A message tells its length beforehand, but is believed up to that of a usual one only. */
START_TEST(a_message_has_its_room_from_the_beginning)
{
	struct tls_record_budget budget = { .max_kept_len = 65536 };
	struct writer usual = { 0 }, long_one = { 0 };
	struct fixture a, b;

	put_message(&usual, TLS_HANDSHAKE_CERTIFICATE, 3000);
	put_message(&long_one, TLS_HANDSHAKE_CERTIFICATE, 16000);
	begin(&a);
	begin(&b);
	a.stream.budget = b.stream.budget = &budget;
	feed(&a, span_first(written(&usual), 100));
	ck_assert_uint_eq(budget.kept_len, 4096);
	feed(&b, span_first(written(&long_one), 100));
	ck_assert_uint_eq(budget.kept_len, 4096 + 4096);
	feed(&b, span_from(long_one.data + 100, 8000));
	ck_assert_uint_eq(budget.kept_len, 4096 + 8192);
	feed(&b, span_from(long_one.data + 8100, long_one.len - 8100));
	ck_assert(log_has(&b, "message 11:16000@"));
	end(&a);
	end(&b);
	ck_assert_uint_eq(budget.kept_len, 0);
}
END_TEST

/* A room from the pool or, larger ones, from malloc, and back: the sanitizers look on. */
START_TEST(a_room_goes_back_where_it_came_from)
{
	struct pool rooms[TLS_MESSAGE_POOLS];
	struct tls_record_budget budget = { .max_kept_len = 16384, .rooms = rooms };
	struct writer small = { 0 }, large = { 0 };
	struct fixture a, b;

	tls_message_pools_init(rooms);
	put_message(&small, TLS_HANDSHAKE_CERTIFICATE, 700);
	put_message(&large, TLS_HANDSHAKE_CERTIFICATE, 3000);
	for (int i = 0; i < 2; i++) {
		begin(&a);
		begin(&b);
		a.stream.budget = b.stream.budget = &budget;
		feed_pieces(&a, written(&large), 100);
		feed(&b, span_first(written(&small), 600));
		ck_assert_uint_eq(budget.kept_len, TLS_MESSAGE_ROOM);
		feed(&a, span_first(written(&large), 2900));
		ck_assert_uint_eq(budget.kept_len, 4096 + TLS_MESSAGE_ROOM);
		feed(&b, span_from(small.data + 600, small.len - 600));
		ck_assert(log_has(&a, "message 11:3000@"));
		ck_assert(log_has(&b, "message 11:700@"));
		end(&a);
		end(&b);
		ck_assert_uint_eq(budget.kept_len, 0);
	}
	tls_message_pools_release(rooms);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, of_the_longest_message_the_beginning_is_kept, 0, 4);
	tcase_add_test(tc, budget_bounds_what_all_streams_keep);
	tcase_add_test(tc, a_message_has_its_room_from_the_beginning);
	tcase_add_test(tc, a_room_goes_back_where_it_came_from);
}

SUITE_MAIN("tls_record_stream_room")
