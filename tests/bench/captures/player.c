#include "player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "frame.h"
#include "handshake.h"
#include "hello.h"
#include "queue.h"
#include "wire.h"

#include "base/banned.h"

#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_SNAPLEN 262144u
#define LINKTYPE_ETHERNET 1u
#define SECOND_US 1000000
#define OUTPUT_BUFFER_LEN ((size_t)1 << 20)
/* Ciphertext that all share. */
#define BULK_RECORDS 64
/* Segments of a bulk come at this distance, in bursts. */
#define BULK_GAP_US 14
#define BULK_BURST 16
/* Of a faulty conversation's frames, per mille. */
#define REORDERED 10
#define DUPLICATED 10
#define RETRANSMITTED 7

struct player {
	struct dice *dice;
	FILE *capture, *truth;
	struct player_counts *counts;
	struct queue queue;
	struct conversation *unused;
	struct buf bulk;
	int64_t now_us;
	bool is_resent; /* the frame being made is a retransmission: no new time stamp */
};

static FILE *
open_output(const char *folder, const char *name, const char *suffix)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	file = fopen(path, "wb");
	if (file == NULL)
		(void)fprintf(stderr, "make_captures: %s: %s\n", path, strerror(errno));
	else
		(void)setvbuf(file, NULL, _IOFBF, OUTPUT_BUFFER_LEN);
	return file;
}

/* False: what was written is not all there. */
static bool
close_output(FILE *file)
{
	bool is_good;

	if (file == NULL)
		return false;
	is_good = !ferror(file);
	is_good = fclose(file) == 0 && is_good;
	if (!is_good)
		(void)fprintf(stderr, "make_captures: cannot write: %s\n", strerror(errno));
	return is_good;
}

/* One record, continued at its end, so that a segment may begin anywhere in it. */
static void
make_bulk(struct player *p)
{
	for (int i = 0; i < BULK_RECORDS; i++)
		record_random(&p->bulk, p->dice, RECORD_DATA, TLS_1_2, BULK_RECORD_LEN - 5);
	(void)buf_reserve(&p->bulk, FRAME_LEN_MAX);
	buf_add(&p->bulk, p->bulk.data, FRAME_LEN_MAX);
}

static void
write_frame(struct player *p, int64_t time_us, const uint8_t *frame, size_t len)
{
	int64_t at = PLAYER_START_US + time_us;
	uint32_t head[4] = { (uint32_t)(at / SECOND_US), (uint32_t)(at % SECOND_US), (uint32_t)len,
		(uint32_t)len };

	(void)fwrite(head, sizeof(head), 1, p->capture);
	(void)fwrite(frame, len, 1, p->capture);
	p->counts->packets++;
	p->counts->bytes += sizeof(head) + len;
}

static void
write_later(struct player *p, int64_t time_us, const uint8_t *frame, size_t len)
{
	uint8_t *copy = xmalloc(len);

	memcpy(copy, frame, len);
	queue_put(&p->queue, (struct due){ .time_us = time_us, .frame = copy, .frame_len = len });
}

/*
 * Writes a frame, or has it come late, or twice.  Late is less than half of the shortest round
 * trip, so that no cause comes after its effect.  Returns when the first copy comes.
 */
static int64_t
send_frame(
    struct player *p, const struct conversation *c, const uint8_t *frame, size_t len, bool has_data)
{
	int64_t first_us = p->now_us, copy_us;

	if (c->is_faulty && has_data && dice_chance(p->dice, REORDERED)) {
		p->counts->reordered++;
		first_us += dice_chance(p->dice, 800) ? dice_between(p->dice, 1, 300)
						      : dice_between(p->dice, 500, 2400);
		write_later(p, first_us, frame, len);
	} else {
		write_frame(p, first_us, frame, len);
	}
	if (c->is_faulty && dice_chance(p->dice, DUPLICATED)) {
		p->counts->duplicated++;
		copy_us = p->now_us + dice_between(p->dice, 1, 40);
		write_later(p, copy_us, frame, len);
		first_us = copy_us < first_us ? copy_us : first_us;
	}
	return first_us;
}

static size_t
make_segment(struct player *p, struct conversation *c, const struct step *step, uint8_t flags,
    struct span payload, uint8_t *frame)
{
	enum side side = step->side;
	struct segment segment = { .side = side,
		.flags = flags,
		.seq = c->isn[side] + step->seq + !(flags & TCP_SYN),
		.ack = c->isn[!side] + 1 + step->ack,
		.payload = payload };
	size_t len = frame_segment(c, &segment, p->now_us, frame);

	if (!p->is_resent)
		c->echo[side] = c->clock[side] + (uint32_t)(p->now_us / 1000);
	return len;
}

static int64_t
send_segment(struct player *p, struct conversation *c, const struct step *step, uint8_t flags,
    struct span payload)
{
	uint8_t frame[FRAME_LEN_MAX];
	size_t len = make_segment(p, c, step, flags, payload, frame);

	return send_frame(p, c, frame, len, payload.len > 0);
}

/* What was sent comes once more, as a whole or as its beginning, up to a timeout later. */
static void
retransmit(struct player *p, struct conversation *c, const struct step *step, struct span payload)
{
	int64_t now_us = p->now_us, later_us = now_us + dice_between(p->dice, 3000, 220000);
	uint8_t frame[FRAME_LEN_MAX];
	size_t len;

	if (payload.len > 1 && dice_chance(p->dice, 400))
		payload.len = dice_between(p->dice, 1, (uint32_t)payload.len);
	p->counts->retransmitted++;
	p->is_resent = true;
	p->now_us = later_us;
	len = make_segment(p, c, step, TCP_PSH | TCP_ACK, payload, frame);
	p->now_us = now_us;
	p->is_resent = false;
	write_later(p, later_us, frame, len);
}

static void
play_data(struct player *p, struct conversation *c, const struct step *step)
{
	struct span payload = span_from(c->bytes.data + step->at, step->len);
	uint8_t flags = step->has_push ? TCP_PSH | TCP_ACK : TCP_ACK;
	int64_t first_us = send_segment(p, c, step, flags, payload);

	if (step->is_first_byte)
		c->truth.time_us = PLAYER_START_US + first_us;
	if (c->is_faulty && dice_chance(p->dice, RETRANSMITTED))
		retransmit(p, c, step, payload);
}

/* One segment, and for each second one an acknowledgement.  Returns the wait for the next; 0: done.
 */
static uint32_t
play_bulk(struct player *p, struct conversation *c, const struct step *step)
{
	size_t whole = (size_t)BULK_RECORDS * BULK_RECORD_LEN;
	size_t at = (c->bulk_offset + c->bulk_done) % whole;
	uint32_t left = step->len - c->bulk_done,
		 len = left < c->segment_max ? left : c->segment_max;
	struct step part = *step, answer = { .side = !step->side, .seq = step->ack };

	part.seq += c->bulk_done;
	send_segment(p, c, &part, len == left ? TCP_PSH | TCP_ACK : TCP_ACK,
	    span_from(p->bulk.data + at, len));
	c->bulk_done += len;
	if (++c->bulk_count % 2 == 0) {
		answer.ack = step->seq + c->bulk_done;
		send_segment(p, c, &answer, TCP_ACK, span_from(NULL, 0));
	}
	if (c->bulk_done < step->len)
		return c->bulk_count % BULK_BURST != 0 ? BULK_GAP_US
						       : dice_between(p->dice, 300, 2500);
	c->bulk_done = c->bulk_count = 0;
	return 0;
}

static void
play_datagram(struct player *p, struct conversation *c, const struct step *step)
{
	uint8_t frame[FRAME_LEN_MAX];
	size_t len =
	    frame_datagram(c, step->side, span_from(c->bytes.data + step->at, step->len), frame);

	send_frame(p, c, frame, len, false);
}

/* Plays the step that is due.  Returns the wait until it, or the next, is due. */
static uint32_t
play_step(struct player *p, struct conversation *c)
{
	static const uint8_t flags[] = {
		[STEP_SYN] = TCP_SYN,
		[STEP_SYN_ACK] = TCP_SYN | TCP_ACK,
		[STEP_ACK] = TCP_ACK,
		[STEP_FIN] = TCP_FIN | TCP_ACK,
		[STEP_RESET] = TCP_RST | TCP_ACK,
	};
	const struct step *step = &c->steps[c->next_step];
	uint32_t wait_us = 0;

	switch (step->kind) {
	case STEP_SYN:
	case STEP_SYN_ACK:
	case STEP_ACK:
	case STEP_FIN:
	case STEP_RESET:
		send_segment(p, c, step, flags[step->kind], span_from(NULL, 0));
		break;
	case STEP_DATA:
		play_data(p, c, step);
		break;
	case STEP_BULK:
		wait_us = play_bulk(p, c, step);
		break;
	case STEP_DATAGRAM:
		play_datagram(p, c, step);
		break;
	}
	if (wait_us > 0)
		return wait_us;
	c->next_step++;
	return c->next_step < c->step_count ? c->steps[c->next_step].delay_us : 0;
}

static void
begin_conversation(struct player *p, const struct player_source *source, int64_t time_us)
{
	struct conversation *c = p->unused;

	if (c == NULL)
		c = xcalloc(1, sizeof(*c));
	else
		p->unused = c->next_unused;
	source->write(source->arg, c);
	p->counts->conversations++;
	queue_put(&p->queue, (struct due){ .time_us = time_us, .conversation = c });
}

static void
end_conversation(struct player *p, struct conversation *c)
{
	truth_write(p->truth, &c->truth, &c->ends);
	p->counts->events += c->truth.is_event;
	c->next_unused = p->unused;
	p->unused = c;
}

static void
play_next(struct player *p)
{
	struct due due = queue_take(&p->queue);
	uint32_t wait_us;

	p->now_us = due.time_us;
	if (due.frame != NULL) {
		write_frame(p, due.time_us, due.frame, due.frame_len);
		free(due.frame);
		return;
	}
	wait_us = play_step(p, due.conversation);
	due.time_us += wait_us;
	if (due.conversation->next_step < due.conversation->step_count)
		queue_put(&p->queue, due);
	else
		end_conversation(p, due.conversation);
}

static void
play_all(struct player *p, const struct player_source *source)
{
	const uint32_t head[6] = { PCAP_MAGIC, 2 | 4u << 16, 0, 0, PCAP_SNAPLEN,
		LINKTYPE_ETHERNET };

	(void)fwrite(head, sizeof(head), 1, p->capture);
	p->counts->bytes += sizeof(head);
	truth_write_head(p->truth);
	while (!ferror(p->capture)) {
		int64_t next_us = source->next_us(source->arg);
		bool is_due = p->queue.count > 0 && p->queue.heap[0].time_us < next_us;

		if (is_due)
			play_next(p);
		else if (next_us != PLAYER_NEVER)
			begin_conversation(p, source, next_us);
		else
			break;
	}
}

static void
release(struct player *p)
{
	while (p->queue.count > 0) { /* where writing failed */
		struct due due = queue_take(&p->queue);

		free(due.frame);
		if (due.conversation != NULL) {
			due.conversation->next_unused = p->unused;
			p->unused = due.conversation;
		}
	}
	queue_release(&p->queue);
	while (p->unused != NULL) {
		struct conversation *c = p->unused;

		p->unused = c->next_unused;
		conversation_release(c);
		free(c);
	}
	buf_release(&p->bulk);
}

bool
player_run(const char *folder, const char *name, struct dice *dice,
    const struct player_source *source, struct player_counts *counts)
{
	struct player p = { .dice = dice,
		.capture = open_output(folder, name, ".pcap"),
		.truth = open_output(folder, name, ".truth.csv"),
		.counts = counts };
	bool is_good;

	make_bulk(&p);
	if (p.capture != NULL && p.truth != NULL)
		play_all(&p, source);
	release(&p);
	is_good = close_output(p.capture);
	return close_output(p.truth) && is_good;
}
