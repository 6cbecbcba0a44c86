/*
 * Fragments of a few datagrams, as the input says, against a slow model that compares every
 * fragment with every other one: nothing is joined that overlaps, nothing is joined wrongly, and
 * the budget holds.
 *
 * Input: one byte that chooses the budget, then operations of 6 bytes: datagram and flags, seconds,
 * offset, length (2), bytes that the capture cut.
 */
#include <stdlib.h>

#include "packet/fragments.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS 4
#define OP_LEN 6
#define OPS_MAX 600
#define CONTENT_LEN 4096

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

struct model_piece {
	uint32_t offset, wire_len, captured_len;
	bool more;
	unsigned content;
};

struct model {
	enum { OPEN, JOINED, SPOILED } state;
	struct model_piece pieces[OPS_MAX];
	size_t count;
};

static const uint8_t *
content_at(unsigned content, uint32_t offset)
{
	/* Two texts that differ here and there. */
	static uint8_t bytes[2][CONTENT_LEN + 2048 * 8];

	if (bytes[1][1] == 0) {
		for (size_t i = 0; i < sizeof(bytes[0]); i++) {
			bytes[0][i] = (uint8_t)(i + i / 256 + 1);
			bytes[1][i] = (uint8_t)(bytes[0][i] ^ (i % 64 == 1));
		}
	}
	return bytes[content] + offset % CONTENT_LEN;
}

static bool
same(const struct model_piece *a, const struct model_piece *b)
{
	uint32_t len = a->captured_len < b->captured_len ? a->captured_len : b->captured_len;

	if (a->offset != b->offset || a->wire_len != b->wire_len || a->more != b->more)
		return false;
	return memcmp(content_at(a->content, a->offset), content_at(b->content, b->offset), len) ==
	       0;
}

static bool
contradict(const struct model_piece *a, const struct model_piece *b)
{
	uint32_t a_end = a->offset + a->wire_len, b_end = b->offset + b->wire_len;

	return (a->offset < b_end && b->offset < a_end) || (!a->more && b_end > a_end) ||
	       (!b->more && a_end > b_end) || (!a->more && !b->more);
}

/* Returns true when the piece completes its datagram. */
static bool
model_add(struct model *m, const struct model_piece *p)
{
	uint32_t sum = p->wire_len, end = p->more ? 0 : p->offset + p->wire_len;

	if (m->state == SPOILED)
		return false;
	for (size_t i = 0; i < m->count; i++) {
		struct model_piece *q = &m->pieces[i];

		if (m->state == JOINED && q->offset == p->offset && q->wire_len == p->wire_len &&
		    q->more == p->more && q->captured_len != p->captured_len)
			return false;
		if (same(q, p)) {
			if (m->state == OPEN && p->captured_len > q->captured_len)
				*q = *p;
			return false;
		}
	}
	if (m->state == JOINED)
		*m = (struct model){ .state = OPEN };
	for (size_t i = 0; i < m->count; i++) {
		if (contradict(&m->pieces[i], p) || m->count == DATAGRAM_PIECES_MAX) {
			m->state = SPOILED;
			return false;
		}
		sum += m->pieces[i].wire_len;
		if (!m->pieces[i].more)
			end = m->pieces[i].offset + m->pieces[i].wire_len;
	}
	m->pieces[m->count++] = *p;
	if (end == 0 || sum != end)
		return false;
	m->state = JOINED;
	return true;
}

/* Every byte that came out came from a piece that covers it; none is missing before the end. */
static void
check_whole(const struct model *m, const struct fragment_whole *whole)
{
	uint32_t at = 0;
	bool cut = false;

	while (at < whole->wire_len && !cut) {
		const struct model_piece *p = NULL;

		for (size_t i = 0; i < m->count; i++)
			if (m->pieces[i].offset == at)
				p = &m->pieces[i];
		CHECK(p != NULL);
		CHECK(at + p->captured_len <= whole->bytes.len);
		CHECK(memcmp(whole->bytes.data + at, content_at(p->content, at), p->captured_len) ==
		      0);
		cut = p->captured_len < p->wire_len;
		at += cut ? p->captured_len : p->wire_len;
	}
	CHECK(whole->bytes.len == at);
	CHECK(cut || at == whole->wire_len);
}

static struct fragment
fragment_of(const uint8_t op[OP_LEN], struct model_piece *p, int64_t time_us)
{
	struct fragment f = { .time_us = time_us };
	uint32_t cut = op[5];

	p->more = (op[0] & 4) != 0;
	p->content = (op[0] & 8) != 0;
	p->offset = op[2] * ((op[0] & 16) != 0 ? 8u : 256u);
	p->wire_len = 1 + (op[3] | (op[4] & 7u) << 8);
	if (p->more)
		p->wire_len *= 8;
	if (p->wire_len > DATAGRAM_LEN_MAX - p->offset)
		p->wire_len = 8;
	p->captured_len = cut < p->wire_len ? p->wire_len - cut : 0;
	f.src.family = f.dst.family = (op[0] & 1) != 0 ? 6 : 4;
	f.id = op[0] & 3;
	f.proto = 6;
	f.more = p->more;
	f.offset = p->offset;
	f.wire_len = p->wire_len;
	f.bytes = span_from(content_at(p->content, p->offset), p->captured_len);
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool small = size > 0 && (data[0] & 1) != 0;
	struct packet_options options = {
		.fragment_bytes_max = small ? 512 + data[0] * 64u : 64u << 20,
		.fragment_datagrams_max = small ? 1 + (data[0] >> 1) % 3 : 100,
	};
	struct fragment_table *table = fragment_table_new(&options);
	struct model *models = calloc(KEYS, sizeof(*models));
	struct fragment_whole whole;
	int64_t time_us = 0;

	CHECK(models != NULL);
	for (size_t at = 1; at + OP_LEN <= size && at < OP_LEN * OPS_MAX; at += OP_LEN) {
		const uint8_t *op = data + at;
		struct model *m = &models[op[0] & 3];
		struct model_piece p;
		struct fragment f;
		bool joined;

		if (small) /* time stands still where the model does not know it */
			time_us += (int64_t)(op[1] - 20) * 500000;
		f = fragment_of(op, &p, time_us);
		joined = fragment_table_add(table, &f, &whole);
		if (!small) {
			CHECK(joined == model_add(m, &p));
			if (joined)
				check_whole(m, &whole);
		}
		CHECK(!joined || whole.bytes.len <= whole.wire_len);
		CHECK(!joined || whole.wire_len <= DATAGRAM_LEN_MAX);
		CHECK(fragment_table_held_len(table) <= options.fragment_bytes_max);
		if ((op[0] & 32) != 0)
			fragment_table_forget_joined(table);
	}
	fragment_table_finish(table);
	CHECK(fragment_table_held_len(table) == 0);
	fragment_table_free(table);
	free(models);
	return 0;
}
