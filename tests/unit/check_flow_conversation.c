#include "flow_world.h"
#include "stream_recorder.h"

#include "base/banned.h"

/* Two sides' bytes, and packets that carry them in some way. */
#define TALK_LEN 900
struct talk {
	char text[2][TALK_LEN];
	uint32_t isn[2];
	struct {
		unsigned dir;
		size_t offset, len;
	} packets[4 * TALK_LEN];
	unsigned count;
};

/* What the listener heard, joined. */
struct heard {
	char text[2][TALK_LEN + 1];
	size_t len[2];
	unsigned fins, gaps, opened;
	struct flow *flow;
};

static void *
heard_open(void *arg, struct flow *flow)
{
	struct heard *h = arg;

	h->opened++;
	h->flow = flow;
	return h;
}

static void
heard_data(void *user, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct heard *h = user;
	unsigned side = flow_connection(h->flow)->port[dir] == WORLD_SERVER_PORT ? 1 : 0;

	ck_assert_int_eq(mark->offset, (int64_t)h->len[side]);
	ck_assert_uint_le(h->len[side] + bytes.len, TALK_LEN);
	memcpy(h->text[side] + h->len[side], bytes.data, bytes.len);
	h->len[side] += bytes.len;
}

static void
heard_gap(void *user, unsigned dir, int64_t len, const struct mark *mark)
{
	struct heard *h = user;

	(void)dir;
	(void)len;
	(void)mark;
	h->gaps++;
}

static void
heard_fin(void *user, unsigned dir, const struct mark *mark)
{
	struct heard *h = user;

	(void)dir;
	(void)mark;
	h->fins++;
}

static void
heard_end(void *user, enum flow_end why, int64_t time_us)
{
	(void)user;
	(void)time_us;
	ck_assert_int_eq(why, FLOW_END_FINISHED);
}

static const struct flow_handler heard_handler = {
	.open = heard_open,
	.data = heard_data,
	.gap = heard_gap,
	.fin = heard_fin,
	.reset = heard_fin,
	.end = heard_end,
};

/* Alternating turns of both sides, in pieces of at most `piece_max` bytes. */
static void
talk_cut(struct talk *talk, uint32_t *state, uint32_t piece_max, bool twice)
{
	size_t at[2] = { 0, 0 };

	talk->count = 0;
	while (at[0] < TALK_LEN || at[1] < TALK_LEN) {
		unsigned dir = random_below(state, 2);
		size_t len = 1 + random_below(state, piece_max);

		len = len > TALK_LEN - at[dir] ? TALK_LEN - at[dir] : len;
		for (unsigned i = 0; i < (twice ? 2u : 1u) && len > 0; i++) {
			talk->packets[talk->count].dir = dir;
			talk->packets[talk->count].offset = at[dir];
			talk->packets[talk->count++].len = len;
		}
		at[dir] += len;
	}
}

static void
talk_shuffle(struct talk *talk, uint32_t *state, uint32_t window)
{
	for (unsigned i = 0; i < talk->count; i++) {
		unsigned other = i + random_below(state, window);

		if (other < talk->count) {
			size_t offset = talk->packets[i].offset, len = talk->packets[i].len;
			unsigned dir = talk->packets[i].dir;

			talk->packets[i] = talk->packets[other];
			talk->packets[other].dir = dir;
			talk->packets[other].offset = offset;
			talk->packets[other].len = len;
		}
	}
}

static void
talk_packet(struct flow_table *table, const struct world *w, const struct talk *talk, unsigned dir,
    uint8_t flags, size_t offset, size_t len)
{
	struct packet p = world_packet(w, dir == 0, 0);

	p.flags = flags;
	p.seq = talk->isn[dir] + ((flags & TCP_SYN) != 0 ? 0 : 1 + (uint32_t)offset);
	p.ack = talk->isn[1 - dir] + 1;
	p.payload = span_from(talk->text[dir] + offset, len);
	p.payload_len = (uint32_t)len;
	flow_table_add(table, &p);
}

static void
talk_play(const struct talk *talk, const struct world *w, struct heard *heard)
{
	struct flow_options options;
	struct flow_table *table;

	memset(heard, 0, sizeof(*heard));
	flow_options_init(&options);
	table = flow_table_new(&options, &heard_handler, heard);
	talk_packet(table, w, talk, 0, TCP_SYN, 0, 0);
	talk_packet(table, w, talk, 1, TCP_SYN | TCP_ACK, 0, 0);
	for (unsigned i = 0; i < talk->count; i++)
		talk_packet(table, w, talk, talk->packets[i].dir, TCP_ACK, talk->packets[i].offset,
		    talk->packets[i].len);
	for (unsigned dir = 0; dir < 2; dir++)
		talk_packet(table, w, talk, dir, TCP_ACK | TCP_FIN, TALK_LEN, 0);
	flow_table_free(table);
}

/* Whole, byte by byte, shuffled, with duplicates, or all of it. */
START_TEST(a_conversation_comes_out_the_same_however_it_is_cut)
{
	static const struct {
		uint32_t piece_max, window;
		bool twice;
	} ways[] = { { TALK_LEN, 1, false }, { 1, 1, false }, { 40, 30, false }, { 100, 1, true },
		{ 1, 200, true }, { 60, 100, true } };
	uint32_t state = 0x2545f491u ^ (uint32_t)(_i * 7919);
	struct world w = { .version = _i % 2 ? 4 : 6, .client_is_lower = _i % 3 == 0 };
	struct talk *talk = calloc(1, sizeof(*talk));
	struct heard *heard = calloc(1, sizeof(*heard));

	ck_assert(talk != NULL && heard != NULL);
	for (unsigned dir = 0; dir < 2; dir++) {
		talk->isn[dir] =
		    _i % 4 == 0 ? 0u - random_below(&state, TALK_LEN) : next_random(&state);
		for (size_t i = 0; i < TALK_LEN; i++)
			talk->text[dir][i] = (char)random_below(&state, 256);
	}
	for (int i = 0; i < ROWS(ways); i++) {
		talk_cut(talk, &state, ways[i].piece_max, ways[i].twice);
		talk_shuffle(talk, &state, ways[i].window);
		talk_play(talk, &w, heard);
		ck_assert_uint_eq(heard->opened, 1);
		ck_assert_uint_eq(heard->gaps, 0);
		ck_assert_uint_eq(heard->fins, 2);
		ck_assert_mem_eq(heard->text[0], talk->text[0], TALK_LEN);
		ck_assert_mem_eq(heard->text[1], talk->text[1], TALK_LEN);
	}
	free(heard);
	free(talk);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_conversation_comes_out_the_same_however_it_is_cut, 0, 60);
}

SUITE_MAIN("flow_conversation")
