#include "conversation.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define ETHERNET_MTU 1500
#define IP_LEN(is_v6) ((is_v6) ? 40 : 20)
#define TCP_LEN 20
#define TIMESTAMPS_LEN 12

void
conversation_begin(struct conversation *c, struct dice *dice, const struct endpoints *ends)
{
	struct conversation kept = {
		.bytes = c->bytes, .steps = c->steps, .step_room = c->step_room
	};

	*c = kept;
	buf_clear(&c->bytes);
	c->dice = dice;
	c->ends = *ends;
	c->has_timestamps = dice_chance(dice, 600);
	c->segment_max = (uint16_t)(ETHERNET_MTU - IP_LEN(ends->is_v6) - TCP_LEN -
				    (c->has_timestamps ? TIMESTAMPS_LEN : 0));
	c->rtt_us = dice_between(dice, 6000, 60000);
	for (int side = CLIENT; side <= SERVER; side++) {
		c->isn[side] = (uint32_t)dice_roll(dice);
		c->clock[side] = (uint32_t)dice_roll(dice);
		c->ip_id[side] = (uint16_t)dice_roll(dice);
	}
}

void
conversation_release(struct conversation *c)
{
	buf_release(&c->bytes);
	free(c->steps);
}

uint32_t
conversation_half_rtt(struct conversation *c)
{
	return c->rtt_us / 2 + dice_below(c->dice, c->rtt_us / 4);
}

static struct step *
add_step(struct conversation *c, enum step_kind kind, enum side side, uint32_t delay_us)
{
	struct step *step;

	if (c->step_count == c->step_room) {
		c->step_room = c->step_room == 0 ? 64 : c->step_room * 2;
		c->steps = xreallocarray(c->steps, c->step_room, sizeof(*c->steps));
	}
	step = &c->steps[c->step_count++];
	*step = (struct step){ .kind = kind,
		.side = side,
		.delay_us = delay_us,
		.seq = c->sent[side],
		.ack = c->sent[!side] };
	return step;
}

void
conversation_syn(struct conversation *c)
{
	add_step(c, STEP_SYN, CLIENT, 0);
}

void
conversation_open(struct conversation *c)
{
	conversation_syn(c);
	add_step(c, STEP_SYN_ACK, SERVER, conversation_half_rtt(c));
	add_step(c, STEP_ACK, CLIENT, conversation_half_rtt(c));
}

static uint32_t
segment_len(struct conversation *c, bool is_split, bool is_tiny)
{
	if (is_tiny)
		return dice_between(c->dice, 1, 24);
	return is_split ? dice_between(c->dice, 1, 700) : c->segment_max;
}

void
conversation_say(struct conversation *c, enum side side, const struct buf *bytes)
{
	bool is_split = c->is_faulty && dice_chance(c->dice, 300);
	bool is_tiny = c->has_tiny_hello && c->marks_next;
	uint32_t base = (uint32_t)c->bytes.len, len = (uint32_t)bytes->len;
	uint32_t delay_us = conversation_half_rtt(c);

	buf_add(&c->bytes, bytes->data, bytes->len);
	for (uint32_t done = 0, n; done < len; done += n) {
		struct step *step = add_step(c, STEP_DATA, side, delay_us);

		n = segment_len(c, is_split, is_tiny);
		n = n < len - done ? n : len - done;
		step->at = base + done;
		step->len = n;
		step->has_push = done + n == len;
		step->is_first_byte = c->marks_next;
		c->marks_next = false;
		c->sent[side] += n;
		delay_us = dice_between(c->dice, 4, 28);
	}
}

void
conversation_sayf(struct conversation *c, enum side side, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	conversation_say(c, side, &(struct buf){ .data = text, .len = (size_t)len });
}

void
conversation_ack(struct conversation *c, enum side side, uint32_t delay_us)
{
	add_step(c, STEP_ACK, side, delay_us);
}

void
conversation_bulk(struct conversation *c, enum side side, uint32_t len)
{
	add_step(c, STEP_BULK, side, conversation_half_rtt(c))->len = len;
	c->sent[side] += len;
}

void
conversation_fin(struct conversation *c, enum side side)
{
	add_step(c, STEP_FIN, side, conversation_half_rtt(c));
	c->sent[side]++;
}

void
conversation_reset(struct conversation *c, enum side side)
{
	add_step(c, STEP_RESET, side, conversation_half_rtt(c));
}

void
conversation_finish(struct conversation *c, enum side first)
{
	conversation_fin(c, first);
	conversation_fin(c, !first);
	conversation_ack(c, first, conversation_half_rtt(c));
}

void
conversation_close(struct conversation *c, enum side first)
{
	if (dice_chance(c->dice, 100))
		conversation_reset(c, first);
	else
		conversation_finish(c, first);
}

void
conversation_repeat(struct conversation *c, size_t from, uint32_t delay_us)
{
	size_t end = c->step_count;

	for (size_t i = from; i < end; i++) {
		struct step copy = c->steps[i];

		copy.is_first_byte = false;
		copy.delay_us = i == from ? delay_us : 20;
		*add_step(c, copy.kind, copy.side, 0) = copy;
	}
}

void
conversation_datagram(
    struct conversation *c, enum side side, const struct buf *bytes, uint32_t delay_us)
{
	struct step *step = add_step(c, STEP_DATAGRAM, side, delay_us);

	step->at = (uint32_t)c->bytes.len;
	step->len = (uint32_t)bytes->len;
	buf_add(&c->bytes, bytes->data, bytes->len);
}
