/*
 * flow_world - a flow table, packets for it, and a log of what it tells.
 *
 * Connections are named A, B, C, ... in the order in which they open.  The log has a word for each
 * call: "A+c" opened (by the client, the server, or '?'), "Ac:text" data from the client, "As(3)" a
 * gap, "As|" a FIN, "As!" a reset, "A.idle" its end.  Zero bytes are shown as '.'.
 *
 * What the listener does is in the bytes: an 'S' settles the connection, a 'W' settles and watches
 * it, an 'L' lets it linger, an 'H' gives it the rank of a handshake.  The end of a watch is
 * "A=3,5c|1": bytes of client and server, by what it ended, '|' a FIN, '!' a reset, '?' not seen,
 * and the seconds since the world began.
 */
#ifndef TLSTALLY_TESTS_FLOW_WORLD_H
#define TLSTALLY_TESTS_FLOW_WORLD_H

#include <stdio.h>
#include <string.h>

#include "suite.h"

#include "flow/flow_table.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define WORLD_BEGIN_US INT64_C(1700000000000000)
#define WORLD_SECOND INT64_C(1000000)
#define WORLD_CLIENT_PORT 49152
#define WORLD_SERVER_PORT 993

struct world {
	struct flow_table *table;
	char log[65536];
	size_t log_len;
	unsigned opened, alive, watched;
	struct flow *last;   /* opened */
	int64_t peer_offset; /* of the latest data's mark */
	int64_t time_us;
	unsigned version;     /* 4 or 6 */
	bool client_is_lower; /* whose address comes first in order */
	bool quiet;           /* nothing is logged */
};

struct world_user {
	struct world *world;
	struct flow *flow;
	char name;
	bool has_fin[2];
	unsigned closed_by; /* where it has one: of the first */
	int64_t closed_us, closed_ack;
	int64_t next[2];
};

static inline void
world_note(struct world_user *u, const char *text)
{
	struct world *w = u->world;
	int n;

	if (w->quiet)
		return;
	n = snprintf(w->log + w->log_len, sizeof(w->log) - w->log_len, "%s%c%s",
	    w->log_len == 0 ? "" : " ", u->name, text);
	ck_assert_int_gt(n, 0);
	w->log_len += (size_t)n;
	ck_assert_uint_lt(w->log_len, sizeof(w->log));
}

static inline char
world_role(const struct world_user *u, unsigned dir)
{
	return flow_connection(u->flow)->port[dir] == WORLD_SERVER_PORT ? 's' : 'c';
}

static inline void *
world_open(void *arg, struct flow *flow)
{
	struct world *w = arg;
	struct world_user *u = calloc(1, sizeof(*u));
	int8_t opener = flow_connection(flow)->opener;
	char text[3] = "+?";

	ck_assert_ptr_nonnull(u);
	u->world = w;
	u->flow = w->last = flow;
	u->name = (char)('A' + w->opened++ % 26);
	w->alive++;
	if (opener >= 0)
		text[1] = world_role(u, (unsigned)opener);
	world_note(u, text);
	return u;
}

/*
 * Offsets of a direction go on where they stopped, and nothing but data follows a FIN, which then
 * was none.  Below zero is what a SYN carries that comes behind its answer.
 */
static inline void
world_follow(struct world_user *u, unsigned dir, int64_t len, const struct mark *mark)
{
	if (mark->offset < 0 && u->next[dir] == 0)
		u->next[dir] = mark->offset;
	ck_assert_int_eq(mark->offset, u->next[dir]);
	ck_assert(!u->has_fin[dir]);
	u->next[dir] += len;
}

static inline void
world_settle(struct world_user *u)
{
	flow_settle(u->world->table, u->flow);
	u->world->alive--;
	free(u);
}

struct world_watch {
	struct flow_watch watch;
	struct world_user user;
};

static inline void
world_start_watch(struct world_user *u)
{
	struct world_watch *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->user = *u;
	w->watch.from[0] = w->watch.from[1] = -1;
	if (u->has_fin[0] || u->has_fin[1]) {
		w->watch.close = FLOW_CLOSE_FIN;
		w->watch.closed_by = (uint8_t)u->closed_by;
		w->watch.closed_us = u->closed_us;
		w->watch.closed_ack = (uint32_t)u->closed_ack;
	}
	flow_settle(u->world->table, u->flow);
	flow_watch(u->flow, &w->watch, true);
	u->world->watched++;
	u->world->alive--;
	free(u);
}

static inline void
world_watched(void *arg, const struct flow *flow, struct flow_watch *watch, int64_t now_us)
{
	struct world_watch *w = (struct world_watch *)watch;
	bool client_is_0 = flow_connection(flow)->port[0] != WORLD_SERVER_PORT;
	char text[96], end[24] = "?";

	ck_assert_ptr_eq(arg, w->user.world);
	ck_assert_int_ge(now_us, WORLD_BEGIN_US);
	if (watch->close != FLOW_CLOSE_NONE)
		(void)snprintf(end, sizeof(end), "%c%c%lld", world_role(&w->user, watch->closed_by),
		    watch->close == FLOW_CLOSE_FIN ? '|' : '!',
		    (long long)((watch->closed_us - WORLD_BEGIN_US) / WORLD_SECOND));
	(void)snprintf(text, sizeof(text), "=%lld,%lld%s", (long long)watch->len[!client_is_0],
	    (long long)watch->len[client_is_0], end);
	world_note(&w->user, text);
	w->user.world->watched--;
	free(w);
}

static inline void
world_data(void *user, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct world_user *u = user;
	char text[4096];
	size_t n = 0;

	u->has_fin[dir] = false;
	world_follow(u, dir, (int64_t)bytes.len, mark);
	u->world->peer_offset = mark->peer_offset;
	text[n++] = world_role(u, dir);
	text[n++] = ':';
	for (size_t i = 0; i < bytes.len && n < sizeof(text) - 1; i++)
		text[n++] = bytes.data[i] == 0 ? '.' : (char)bytes.data[i];
	text[n] = '\0';
	world_note(u, text);
	if (memchr(bytes.data, 'S', bytes.len) != NULL)
		world_settle(u);
	else if (memchr(bytes.data, 'W', bytes.len) != NULL)
		world_start_watch(u);
	else if (memchr(bytes.data, 'L', bytes.len) != NULL)
		flow_linger(u->world->table, u->flow);
	else if (memchr(bytes.data, 'H', bytes.len) != NULL)
		flow_set_rank(u->world->table, u->flow, FLOW_RANK_HANDSHAKE);
}

static inline void
world_gap(void *user, unsigned dir, int64_t len, const struct mark *mark)
{
	struct world_user *u = user;
	char text[32];

	world_follow(u, dir, len, mark);
	(void)snprintf(text, sizeof(text), "%c(%lld)", world_role(u, dir), (long long)len);
	world_note(u, text);
}

static inline void
world_fin(void *user, unsigned dir, const struct mark *mark)
{
	struct world_user *u = user;
	char text[3] = { world_role(u, dir), '|', '\0' };

	world_follow(u, dir, 0, mark);
	if (!u->has_fin[0] && !u->has_fin[1]) {
		u->closed_by = dir;
		u->closed_us = mark->time_us;
		u->closed_ack = mark->peer_offset;
	}
	u->has_fin[dir] = true;
	world_note(u, text);
}

static inline void
world_reset(void *user, unsigned dir, const struct mark *mark)
{
	struct world_user *u = user;
	char text[3] = { world_role(u, dir), '!', '\0' };

	(void)mark;
	world_note(u, text);
}

static inline void
world_end(void *user, enum flow_end why, int64_t time_us)
{
	static const char *const names[] = {
		[FLOW_END_REUSED] = ".reused",
		[FLOW_END_IDLE] = ".idle",
		[FLOW_END_LINGERED] = ".lingered",
		[FLOW_END_EVICTED] = ".evicted",
		[FLOW_END_FINISHED] = ".finished",
	};
	struct world_user *u = user;

	(void)time_us;
	world_note(u, names[why]);
	u->world->alive--;
	free(u);
}

static enum flow_words
world_words(struct span payload)
{
	uint8_t last = payload.len > 0 ? payload.data[payload.len - 1] : 0;

	if (last == '?')
		return FLOW_WORDS_ASK;
	return last == '#' ? FLOW_WORDS_END : FLOW_WORDS_GO_ON;
}

static const struct flow_handler world_handler = {
	.open = world_open,
	.data = world_data,
	.gap = world_gap,
	.fin = world_fin,
	.reset = world_reset,
	.end = world_end,
	.words = world_words,
	.watched = world_watched,
};

static inline struct world *
world_new(const struct flow_options *options)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->table = flow_table_new(options, &world_handler, w);
	w->time_us = WORLD_BEGIN_US;
	w->version = 4;
	return w;
}

static inline struct world *
world_new_default(void)
{
	struct flow_options options;

	flow_options_init(&options);
	return world_new(&options);
}

static inline void
world_finish(struct world *w)
{
	flow_table_finish(w->table);
	ck_assert_uint_eq(flow_table_count(w->table), 0);
	ck_assert_uint_eq(flow_table_unsettled_count(w->table), 0);
	ck_assert_uint_eq(flow_table_counters(w->table)->streams.held_len, 0);
	ck_assert_uint_eq(w->alive, 0);
	ck_assert_uint_eq(w->watched, 0);
}

static inline void
world_free(struct world *w)
{
	world_finish(w);
	flow_table_free(w->table);
	free(w);
}

/* A packet without flags, from the client (or the server) of connection `n`. */
static inline struct packet
world_packet(const struct world *w, bool from_client, unsigned n)
{
	struct packet p = { .vlan = -1, .time_us = w->time_us };
	struct addr ends[2] = { { .family = (uint8_t)w->version },
		{ .family = (uint8_t)w->version } };
	bool lower_sends = from_client == w->client_is_lower;

	ends[0].bytes[0] = 10;
	ends[1].bytes[0] = 192;
	p.src = lower_sends ? ends[0] : ends[1];
	p.dst = lower_sends ? ends[1] : ends[0];
	p.src_port = (uint16_t)(from_client ? WORLD_CLIENT_PORT + n : WORLD_SERVER_PORT);
	p.dst_port = (uint16_t)(from_client ? WORLD_SERVER_PORT : WORLD_CLIENT_PORT + n);
	return p;
}

static inline void
world_add(struct world *w, struct packet *p, struct span payload)
{
	/* A copy of its own, so that a sanitizer sees what is kept without being copied. */
	uint8_t *copy = malloc(payload.len + (payload.len == 0));

	ck_assert_ptr_nonnull(copy);
	if (payload.len > 0)
		memcpy(copy, payload.data, payload.len);
	p->payload = span_from(copy, payload.len);
	if (p->payload_len < payload.len)
		p->payload_len = (uint32_t)payload.len;
	flow_table_add(w->table, p);
	free(copy);
}

/* "c[N].FLAGS@SEQ[/ACK][:TEXT]" or the same with 's'; FLAGS of S, A, F, R; '.' is a zero byte. */
static inline void
world_add_word(struct world *w, const char *word)
{
	char *rest;
	unsigned n = (unsigned)strtoul(word + 1, &rest, 10);
	struct packet p = world_packet(w, word[0] == 'c', n);
	uint8_t bytes[64];
	size_t len = 0;

	ck_assert_msg((word[0] == 'c' || word[0] == 's') && *rest == '.', "%s", word);
	for (rest++; *rest != '@' && *rest != '\0'; rest++)
		p.flags |= *rest == 'S'   ? TCP_SYN
			   : *rest == 'A' ? TCP_ACK
			   : *rest == 'F' ? TCP_FIN
					  : TCP_RST;
	ck_assert_msg(*rest == '@', "%s", word);
	p.seq = (uint32_t)strtoul(rest + 1, &rest, 10);
	if (*rest == '/')
		p.ack = (uint32_t)strtoul(rest + 1, &rest, 10);
	if (*rest == ':') {
		for (rest++; *rest != '\0'; rest++)
			bytes[len++] = *rest == '.' ? 0 : (uint8_t)*rest;
	}
	world_add(w, &p, span_from(bytes, len));
}

/* Packets, "+N" for N seconds, "!" for the capture's end. */
static inline void
world_run(struct world *w, const char *script)
{
	char copy[1024], *word, *rest = copy;

	ck_assert_uint_lt(strlen(script), sizeof(copy));
	memcpy(copy, script, strlen(script) + 1);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] == '+')
			w->time_us += strtol(word + 1, NULL, 10) * WORLD_SECOND;
		else if (word[0] == '!')
			world_finish(w);
		else if (word[0] != '\0')
			world_add_word(w, word);
	}
}

#endif
