#include "suite.h"

#include <string.h>

#include "replay/epoch.h"

#include "base/banned.h"

static const uint8_t file_bytes[64] = "kept: payload, and two addresses";
static const struct span kept = { file_bytes, sizeof(file_bytes) };

/* Its payload and addresses lie in `bytes`. */
static struct packet
packet_in(const uint8_t *bytes)
{
	return (struct packet){
		.payload = { bytes + 6, 7 },
		.payload_len = 7,
		.src_mac = bytes + 20,
		.dst_mac = bytes + 26,
	};
}

static void
add(struct epoch *e, size_t group, const struct packet *packet, struct span lasting)
{
	e->packets[e->packet_count] = *packet;
	epoch_add(e, group, lasting);
}

static void
check_packet(const struct epoch *e, size_t group, size_t index, const uint8_t *bytes)
{
	const struct packet *packet = e->lists[group].items[index];

	ck_assert_uint_eq(packet->payload.len, 7);
	ck_assert_mem_eq(packet->payload.data, bytes + 6, 7);
	ck_assert_mem_eq(packet->src_mac, bytes + 20, 6);
	ck_assert_mem_eq(packet->dst_mac, bytes + 26, 6);
}

START_TEST(what_is_kept_is_borrowed)
{
	struct epoch e = { 0 };
	struct packet packet = packet_in(file_bytes);

	epoch_begin(&e, 0, true);
	add(&e, 1, &packet, kept);
	ck_assert_uint_eq(e.lists[1].count, 1);
	ck_assert_ptr_eq(e.lists[1].items[0]->payload.data, file_bytes + 6);
	ck_assert_ptr_eq(e.lists[1].items[0]->src_mac, file_bytes + 20);
	ck_assert_uint_eq(e.copies_len, 0);
	epoch_release(&e);
}
END_TEST

START_TEST(what_is_not_kept_is_copied)
{
	struct epoch e = { 0 };
	uint8_t bytes[64];
	struct packet packet = packet_in(bytes);

	memcpy(bytes, file_bytes, sizeof(bytes));
	epoch_begin(&e, 0, true);
	add(&e, 0, &packet, kept);
	memset(bytes, 0, sizeof(bytes));
	check_packet(&e, 0, 0, file_bytes);
	epoch_release(&e);
}
END_TEST

START_TEST(addresses_in_the_order_of_ethernet_are_copied_in_that_order)
{
	struct epoch e = { 0 };
	uint8_t bytes[64];
	struct packet packet = packet_in(bytes);
	const struct packet *copy;

	packet.dst_mac = bytes + 20;
	packet.src_mac = bytes + 26;
	memcpy(bytes, file_bytes, sizeof(bytes));
	epoch_begin(&e, 0, false);
	add(&e, 0, &packet, kept);
	memset(bytes, 0, sizeof(bytes));
	copy = e.lists[0].items[0];
	ck_assert_mem_eq(copy->dst_mac, file_bytes + 20, 6);
	ck_assert_mem_eq(copy->src_mac, file_bytes + 26, 6);
	epoch_release(&e);
}
END_TEST

START_TEST(an_epoch_that_does_not_borrow_copies_what_is_kept)
{
	struct epoch e = { 0 };
	struct packet packet = packet_in(file_bytes);

	epoch_begin(&e, 0, false);
	add(&e, 0, &packet, kept);
	ck_assert_ptr_ne(e.lists[0].items[0]->payload.data, file_bytes + 6);
	check_packet(&e, 0, 0, file_bytes);
	epoch_release(&e);
}
END_TEST

START_TEST(an_epoch_that_stops_borrowing_has_copies_of_all_its_packets)
{
	struct epoch e = { 0 };
	uint8_t borrowed[64], others[64];
	struct packet first = packet_in(borrowed), second = packet_in(others);

	memcpy(borrowed, file_bytes, sizeof(borrowed));
	memcpy(others, file_bytes, sizeof(others));
	epoch_begin(&e, 3, true);
	add(&e, 0, &first, span_from(borrowed, sizeof(borrowed)));
	add(&e, 1, &second, span_from(borrowed, sizeof(borrowed)));
	epoch_stop_borrowing(&e);
	add(&e, 0, &first, span_from(borrowed, sizeof(borrowed)));
	memset(borrowed, 0, sizeof(borrowed));
	memset(others, 0, sizeof(others));
	ck_assert(!e.borrows);
	check_packet(&e, 0, 0, file_bytes);
	check_packet(&e, 1, 0, file_bytes);
	check_packet(&e, 0, 1, file_bytes);
	epoch_release(&e);
}
END_TEST

START_TEST(packets_without_payload_or_addresses_need_nothing)
{
	struct epoch e = { 0 };
	struct packet packet = { .seq = 7 };

	epoch_begin(&e, 0, true);
	add(&e, 0, &packet, kept);
	epoch_stop_borrowing(&e);
	ck_assert_uint_eq(e.lists[0].items[0]->seq, 7);
	ck_assert_ptr_null(e.lists[0].items[0]->src_mac);
	ck_assert_uint_eq(e.copies_len, 0);
	epoch_release(&e);
}
END_TEST

START_TEST(a_new_epoch_has_nothing_of_the_one_before)
{
	struct epoch e = { 0 };
	struct packet packet = packet_in(file_bytes);
	struct name_seen seen = { 0 };

	epoch_begin(&e, 0, false);
	add(&e, 2, &packet, kept);
	name_list_add(&e.names, &seen);
	ck_assert_uint_eq(e.names.count, 1);
	e.followed_count = 1;
	epoch_begin(&e, 5, true);
	ck_assert_uint_eq(e.lists[2].count, 0);
	ck_assert_uint_eq(e.names.count, 0);
	ck_assert_uint_eq(e.copies_len, 0);
	ck_assert_uint_eq(e.followed_count, 0);
	ck_assert_uint_eq(e.mark, 5);
	ck_assert(e.borrows);
	epoch_release(&e);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_kept_is_borrowed);
	tcase_add_test(tc, what_is_not_kept_is_copied);
	tcase_add_test(tc, addresses_in_the_order_of_ethernet_are_copied_in_that_order);
	tcase_add_test(tc, an_epoch_that_does_not_borrow_copies_what_is_kept);
	tcase_add_test(tc, an_epoch_that_stops_borrowing_has_copies_of_all_its_packets);
	tcase_add_test(tc, packets_without_payload_or_addresses_need_nothing);
	tcase_add_test(tc, a_new_epoch_has_nothing_of_the_one_before);
}

SUITE_MAIN("replay_epoch")
