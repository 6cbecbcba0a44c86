#include "handshake_internal.h"

#include <string.h>

#include "wire.h"

#include "base/banned.h"

#define CERTIFICATE 11
#define SERVER_KEY_EXCHANGE 12
#define SERVER_HELLO_DONE 14
#define CLIENT_KEY_EXCHANGE 16
#define MESSAGE_HEADER_LEN 4
#define FINISHED_LEN 40 /* an encrypted Finished, up to TLS 1.2 */
#define SIGNATURE_LEN 256
#define POINT_LEN 65
#define FIRST_ECDHE_SUITE 0xc000
#define RETRY_PER_MILLE 30
#define RESUMED_PER_MILLE 450
#define SECOND_US 1000000

void
handshake_send(struct writing *w, enum side side)
{
	conversation_say(w->c, side, &w->flight);
	buf_clear(&w->flight);
}

static void
send_client_hello(struct writing *w)
{
	size_t first;

	hello_client(&w->flight, w->dice, &w->hello, false);
	w->c->marks_next = true;
	first = w->c->step_count;
	handshake_send(w, CLIENT);
	if (w->fate != FATE_SILENCE && w->fate != FATE_SILENCE_CLOSED) {
		conversation_ack(w->c, SERVER, dice_between(w->dice, 200, 900));
		return;
	}
	conversation_repeat(w->c, first, 3 * SECOND_US / 10);
	w->c->truth.outcome = "unanswered";
	if (w->fate == FATE_SILENCE_CLOSED)
		conversation_finish(w->c, CLIENT);
}

static void
add_message_record(struct writing *w, struct buf *message)
{
	size_t record = record_open(&w->flight, RECORD_HANDSHAKE, w->record_version);

	buf_add(&w->flight, message->data, message->len);
	wire_close_u16(&w->flight, record);
	buf_clear(message);
}

static void
add_server_hello(struct writing *w, bool is_retry)
{
	size_t record = record_open(&w->flight, RECORD_HANDSHAKE, w->record_version);

	hello_server(&w->flight, w->dice, &w->hello, is_retry);
	wire_close_u16(&w->flight, record);
}

static void
send_retry(struct writing *w)
{
	add_server_hello(w, true);
	record_change_cipher_spec(&w->flight, TLS_1_2);
	handshake_send(w, SERVER);
	record_change_cipher_spec(&w->flight, TLS_1_2);
	hello_client(&w->flight, w->dice, &w->hello, true);
	handshake_send(w, CLIENT);
}

/* RFC 8446, section 2: all behind the ServerHello is protected. */
static void
write_13(struct writing *w)
{
	const struct server *s = w->plan->server;

	if (w->hello.has_retry)
		send_retry(w);
	add_server_hello(w, false);
	if (!w->hello.has_retry)
		record_change_cipher_spec(&w->flight, TLS_1_2);
	record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2, 24 + INNER_LEN);
	if (!w->hello.is_resumed) {
		record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2,
		    s->chain.len + MESSAGE_HEADER_LEN + INNER_LEN);
		record_random(
		    &w->flight, w->dice, RECORD_DATA, TLS_1_2, SIGNATURE_LEN + 8 + INNER_LEN);
	}
	record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2, 36 + INNER_LEN);
	handshake_send(w, SERVER);
	if (refusal_by_client(w))
		return;
	if (!w->hello.has_retry)
		record_change_cipher_spec(&w->flight, TLS_1_2);
	record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2, 36 + INNER_LEN);
	handshake_send(w, CLIENT);
	for (int tickets = 0; tickets < 2; tickets++)
		record_random(&w->flight, w->dice, RECORD_DATA, TLS_1_2, 233 + INNER_LEN);
	handshake_send(w, SERVER);
}

static void
add_finished(struct writing *w)
{
	record_change_cipher_spec(&w->flight, w->record_version);
	record_random(&w->flight, w->dice, RECORD_HANDSHAKE, w->record_version, FINISHED_LEN);
}

static void
add_point(struct writing *w, struct buf *message)
{
	wire_u8(message, POINT_LEN);
	wire_u8(message, 4);
	wire_random(message, w->dice, POINT_LEN - 1);
}

static void
add_server_key_exchange(struct writing *w, struct buf *message)
{
	size_t body;

	wire_u8(message, SERVER_KEY_EXCHANGE);
	body = wire_open_u24(message);
	wire_u8(message, 3); /* a named curve: P-256 */
	wire_u16(message, 23);
	add_point(w, message);
	if (w->hello.version == TLS_1_2)
		wire_u16(message, 0x0401);
	wire_u16(message, SIGNATURE_LEN);
	wire_random(message, w->dice, SIGNATURE_LEN);
	wire_close_u24(message, body);
}

/* RFC 5246, section 7.3: Certificate to ServerHelloDone, in one record or each in its own. */
static void
add_server_messages(struct writing *w)
{
	const struct server *s = w->plan->server;
	struct buf message = { 0 };

	hello_server(&message, w->dice, &w->hello, false);
	if (!s->has_one_record)
		add_message_record(w, &message);
	wire_u8(&message, CERTIFICATE);
	wire_u24(&message, (unsigned)s->chain.len);
	buf_add(&message, s->chain.data, s->chain.len);
	if (!s->has_one_record)
		add_message_record(w, &message);
	if (w->hello.suite >= FIRST_ECDHE_SUITE) {
		add_server_key_exchange(w, &message);
		if (!s->has_one_record)
			add_message_record(w, &message);
	}
	wire_u8(&message, SERVER_HELLO_DONE);
	wire_u24(&message, 0);
	add_message_record(w, &message);
	buf_release(&message);
}

static void
add_client_key_exchange(struct writing *w)
{
	struct buf message = { 0 };
	size_t body;

	wire_u8(&message, CLIENT_KEY_EXCHANGE);
	body = wire_open_u24(&message);
	if (w->hello.suite >= FIRST_ECDHE_SUITE) {
		add_point(w, &message);
	} else {
		if (w->hello.version > SSL_3)
			wire_u16(&message, SIGNATURE_LEN);
		wire_random(&message, w->dice, SIGNATURE_LEN);
	}
	wire_close_u24(&message, body);
	add_message_record(w, &message);
	buf_release(&message);
}

static void
write_12(struct writing *w)
{
	if (w->hello.is_resumed) {
		add_server_hello(w, false);
		add_finished(w);
	} else {
		add_server_messages(w);
	}
	handshake_send(w, SERVER);
	if (refusal_by_client(w))
		return;
	if (!w->hello.is_resumed)
		add_client_key_exchange(w);
	add_finished(w);
	handshake_send(w, CLIENT);
	if (!w->hello.is_resumed) {
		add_finished(w);
		handshake_send(w, SERVER);
	}
}

static void
write_session(struct writing *w)
{
	const struct handshake_plan *plan = w->plan;
	struct conversation *c = w->c;
	bool is_13 = w->hello.version == TLS_1_3;

	for (uint32_t rounds = dice_between(w->dice, 1, 3); rounds > 0; rounds--) {
		record_random(&w->flight, w->dice, RECORD_DATA, w->record_version,
		    dice_between(w->dice, 30, 90));
		handshake_send(w, CLIENT);
		record_random(&w->flight, w->dice, RECORD_DATA, w->record_version,
		    dice_between(w->dice, 60, 420));
		handshake_send(w, SERVER);
	}
	if (plan->bulk_len > 0) {
		conversation_ack(c, CLIENT, 100);
		conversation_bulk(
		    c, plan->bulk_from, (plan->bulk_len / BULK_RECORD_LEN + 1) * BULK_RECORD_LEN);
		conversation_ack(c, !plan->bulk_from, 80);
	}
	record_random(&w->flight, w->dice, is_13 ? RECORD_DATA : RECORD_ALERT, w->record_version,
	    is_13 ? 2 + INNER_LEN : 2 + 8 + TAG_LEN); /* close_notify */
	handshake_send(w, CLIENT);
	conversation_close(c, CLIENT);
}

static bool
draw_resumed(struct dice *dice, const struct hello *h)
{
	return h->version != 0 && (h->kind->has & HELLO_TICKET) &&
	       (h->version >= TLS_1_2 || h->kind->best < TLS_1_2) &&
	       dice_chance(dice, RESUMED_PER_MILLE);
}

/* Draws what the hellos will say, and says it in `truth` as far as nothing goes wrong. */
static void
choose(struct writing *w, struct truth *truth)
{
	const struct client_kind *kind = w->plan->kind;
	struct hello *h = &w->hello;

	h->kind = kind;
	dice_fill(w->dice, h->client_random, sizeof(h->client_random));
	dice_fill(w->dice, h->session_id, sizeof(h->session_id));
	h->server_name =
	    (kind->has & HELLO_SNI) && dice_chance(w->dice, 960) ? w->plan->server->name : "";
	h->version = server_choose_version(w->plan->server, kind);
	h->suite = h->version == 0 ? 0 : server_choose_suite(w->plan->server, kind, h->version);
	h->server_has_1_3 = w->plan->server->best == TLS_1_3;
	h->has_fallback_scsv =
	    kind->best > SSL_3 && kind->best < TLS_1_3 && dice_chance(w->dice, 10);
	h->is_resumed = draw_resumed(w->dice, h);
	h->has_retry = h->version == TLS_1_3 && !(kind->has & HELLO_MLKEM) && !h->is_resumed &&
		       dice_chance(w->dice, RETRY_PER_MILLE);
	w->record_version = h->version == TLS_1_3 ? TLS_1_2 : h->version;
	truth->is_event = true;
	truth->offered = kind->best;
	truth->outcome = "established";
	truth->fallback_scsv = h->has_fallback_scsv;
	if (h->server_name[0] != '\0') {
		(void)snprintf(
		    truth->server_name, sizeof(truth->server_name), "%s", h->server_name);
		truth->server_name_source = "sni";
	}
}

void
handshake_write(struct conversation *c, const struct handshake_plan *plan)
{
	struct writing w = { .c = c, .dice = c->dice, .plan = plan };

	choose(&w, &c->truth);
	w.fate = plan->may_fail ? refusal_draw(c->dice) : FATE_NONE;
	c->has_tiny_hello = c->is_faulty && dice_chance(c->dice, 15);
	send_client_hello(&w);
	if (w.fate == FATE_SILENCE || w.fate == FATE_SILENCE_CLOSED || refusal_by_server(&w))
		goto out;
	c->truth.version = w.hello.version;
	c->truth.cipher = w.hello.suite;
	c->truth.resumed = w.hello.is_resumed;
	c->truth.hello_retry = w.hello.has_retry;
	if (w.hello.version == TLS_1_3)
		write_13(&w);
	else
		write_12(&w);
	if (strcmp(c->truth.outcome, "established") == 0)
		write_session(&w);
out:
	buf_release(&w.flight);
}
