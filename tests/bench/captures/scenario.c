#include "scenario.h"

#include <assert.h>

#include "mail.h"
#include "network.h"
#include "other.h"
#include "server.h"

#include "base/banned.h"

#define MEGABYTE 1e6
#define SECOND_NS INT64_C(1000000000)
#define STREAMS_MAX 4

/* At scale 1. */
#define MIRROR_LEN (1900 * MEGABYTE)
#define MIRROR_LEN_PER_SECOND (110 * MEGABYTE)
#define MIRROR_MAIL 24000
#define MIRROR_LEN_PER_QUESTION 21000
#define MAIL_LEN (1900 * MEGABYTE)
#define MAIL_LEN_PER_SECOND (100 * MEGABYTE)
#define MAIL_CLIENTS 3000
#define STORM_CONNECTIONS 500000
#define STORM_CLIENTS 50000
#define STORM_GAP_NS 140000
#define FLOOD_SYNS 5000000
#define FLOOD_GAP_NS 6000
#define FLOOD_CONNECTIONS 5000

/* What connections come to, on the average. */
#define SHORT_MAIL_LEN 6200
#define LONG_LEN_LEAST 12000.0
#define LONG_LEN_MOST 12000000
#define OTHER_MEAN_LEN 820000
#define LONG_MAIL_PER_MILLE 400
#define LONG_MAIL_LEAST 60000
#define LONG_MAIL_MOST 2500000
#define MAIL_MEAN_LEN 152000
/* Everything waits until the names of all mail servers have been asked for. */
#define NAMES_GAP_NS 1000000
#define NAMES_DONE_NS (SECOND_NS / 5)

struct scenario;

/* New connections of one kind, at random distances. */
struct stream {
	void (*write)(struct scenario *s, struct conversation *c, uint64_t left);
	uint64_t left;
	int64_t next_ns, mean_gap_ns;
};

struct scenario {
	struct dice *dice;
	struct servers *servers;
	struct network network;
	bool is_faulty, has_names, has_long_mail;
	struct stream streams[STREAMS_MAX];
	size_t stream_count;
};

static uint32_t
draw_client(struct scenario *s)
{
	return dice_below(s->dice, s->network.client_count);
}

/* Most are short; few have most of the bytes. */
static uint32_t
draw_long_len(struct dice *dice, uint32_t most)
{
	double share = (dice_below(dice, 1 << 24) + 1.0) / (1 << 24);
	double len = LONG_LEN_LEAST / (share * share);

	return len < most ? (uint32_t)len : most;
}

static void
write_mail(struct scenario *s, struct conversation *c, uint64_t left)
{
	struct mail_plan plan = { .may_fail = true, .is_named = s->has_names };
	struct endpoints ends;

	(void)left;
	plan.service = mail_service_draw(s->dice);
	plan.server = &s->servers->mail[dice_below(s->dice, MAIL_SERVERS)];
	plan.client = draw_client(s);
	if (s->has_long_mail && dice_chance(s->dice, LONG_MAIL_PER_MILLE))
		plan.bulk_len =
		    LONG_MAIL_LEAST + draw_long_len(s->dice, LONG_MAIL_MOST - LONG_MAIL_LEAST);
	network_connect(&s->network, plan.client, plan.server->number, plan.service->port, &ends);
	conversation_begin(c, s->dice, &ends);
	c->is_faulty = s->is_faulty;
	mail_write(c, &plan);
}

static void
write_other(struct scenario *s, struct conversation *c, uint64_t left)
{
	const struct server *server = &s->servers->web[dice_below(s->dice, WEB_SERVERS)];
	uint32_t len = draw_long_len(s->dice, LONG_LEN_MOST), client = draw_client(s);
	uint16_t port = other_port_draw(s->dice);
	struct endpoints ends;

	(void)left;
	network_connect(&s->network, client, server->number, port, &ends);
	conversation_begin(c, s->dice, &ends);
	other_write(c, server, len);
}

static void
ask_for(struct scenario *s, struct conversation *c, const struct server *server, bool is_v6)
{
	struct endpoints ends;
	uint8_t address[16];

	network_connect(&s->network, draw_client(s), NETWORK_RESOLVER, DNS_PORT, &ends);
	conversation_begin(c, s->dice, &ends);
	other_write_dns(c, server->name, network_server(server->number, is_v6, address));
}

static void
write_question(struct scenario *s, struct conversation *c, uint64_t left)
{
	bool is_mail = dice_chance(s->dice, 150);
	const struct server *server = is_mail ? &s->servers->mail[dice_below(s->dice, MAIL_SERVERS)]
					      : &s->servers->web[dice_below(s->dice, WEB_SERVERS)];

	(void)left;
	ask_for(s, c, server, dice_chance(s->dice, 300));
}

/* Each mail server's two addresses, once. */
static void
write_first_question(struct scenario *s, struct conversation *c, uint64_t left)
{
	ask_for(s, c, &s->servers->mail[left / 2], left % 2);
}

static void
write_syn(struct scenario *s, struct conversation *c, uint64_t left)
{
	struct endpoints ends;

	(void)left;
	network_connect_stranger(s->dice, dice_below(s->dice, MAIL_SERVERS), 993, &ends);
	conversation_begin(c, s->dice, &ends);
	conversation_syn(c);
}

static void
add_stream(struct scenario *s,
    void (*write)(struct scenario *s, struct conversation *c, uint64_t left), double count,
    int64_t start_ns, int64_t mean_gap_ns)
{
	s->streams[s->stream_count++] = (struct stream){ .write = write,
		.left = (uint64_t)(count + 0.5),
		.next_ns = start_ns,
		.mean_gap_ns = mean_gap_ns };
}

static void
set_mirror(struct scenario *s, double scale)
{
	double len = MIRROR_LEN * scale, mail = MIRROR_MAIL * scale,
	       questions = len / MIRROR_LEN_PER_QUESTION,
	       others = (len - mail * SHORT_MAIL_LEN) / OTHER_MEAN_LEN;
	int64_t whole_ns = (int64_t)(len / MIRROR_LEN_PER_SECOND * SECOND_NS);

	network_init(&s->network, (uint32_t)(mail / 6) + 64);
	s->has_names = true;
	add_stream(s, write_first_question, 2 * MAIL_SERVERS, 0, NAMES_GAP_NS);
	add_stream(s, write_mail, mail, NAMES_DONE_NS, (int64_t)((double)whole_ns / mail));
	add_stream(
	    s, write_question, questions, NAMES_DONE_NS, (int64_t)((double)whole_ns / questions));
	add_stream(s, write_other, others, NAMES_DONE_NS, (int64_t)((double)whole_ns / others));
}

static void
set_mail(struct scenario *s, double scale)
{
	double len = MAIL_LEN * scale, count = len / MAIL_MEAN_LEN;

	network_init(&s->network, (uint32_t)(MAIL_CLIENTS * scale) + 16);
	s->has_long_mail = true;
	add_stream(
	    s, write_mail, count, 0, (int64_t)(len / MAIL_LEN_PER_SECOND * SECOND_NS / count));
}

static void
set_storm(struct scenario *s, double scale)
{
	network_init(&s->network, (uint32_t)(STORM_CLIENTS * scale) + 16);
	s->is_faulty = true;
	add_stream(s, write_mail, STORM_CONNECTIONS * scale, 0, STORM_GAP_NS);
}

static void
set_flood(struct scenario *s, double scale)
{
	network_init(&s->network, (uint32_t)(FLOOD_CONNECTIONS / 4 * scale) + 16);
	add_stream(s, write_syn, FLOOD_SYNS * scale, 0, FLOOD_GAP_NS);
	add_stream(s, write_mail, FLOOD_CONNECTIONS * scale, 0,
	    (int64_t)FLOOD_GAP_NS * FLOOD_SYNS / FLOOD_CONNECTIONS);
}

static const struct {
	const char *name;
	void (*set)(struct scenario *s, double scale);
} scenarios[SCENARIO_COUNT] = {
	{ "mirror", set_mirror },
	{ "mail", set_mail },
	{ "handshakes", set_storm },
	{ "synflood", set_flood },
};

const char *
scenario_name(int scenario)
{
	return scenarios[scenario].name;
}

/* The stream whose turn it is; NULL: all are at their ends. */
static struct stream *
next_stream(struct scenario *s)
{
	struct stream *next = NULL;

	for (struct stream *stream = s->streams; stream < s->streams + s->stream_count; stream++) {
		if (stream->left > 0 && (next == NULL || stream->next_ns < next->next_ns))
			next = stream;
	}
	return next;
}

static int64_t
next_us(void *arg)
{
	const struct stream *next = next_stream(arg);

	return next == NULL ? PLAYER_NEVER : next->next_ns / 1000;
}

static void
write_next(void *arg, struct conversation *c)
{
	struct scenario *s = arg;
	struct stream *stream = next_stream(s);

	assert(stream != NULL); /* or next_us() had said so */
	stream->left--;
	stream->next_ns += dice_below(s->dice, (uint32_t)(2 * stream->mean_gap_ns));
	stream->write(s, c, stream->left);
}

bool
scenario_make(int scenario, const char *folder, const struct scenario_options *options,
    struct player_counts *counts)
{
	struct dice dice;
	struct scenario s = { .dice = &dice };
	struct player_source source = { .next_us = next_us, .write = write_next, .arg = &s };
	bool is_good;

	dice_seed(&dice, options->seed * SCENARIO_COUNT + (uint64_t)scenario);
	s.servers = servers_new(&dice);
	scenarios[scenario].set(&s, options->scale);
	is_good = player_run(folder, scenarios[scenario].name, &dice, &source, counts);
	servers_free(s.servers);
	network_release(&s.network);
	return is_good;
}
