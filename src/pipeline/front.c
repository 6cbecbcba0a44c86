#include "pipeline/front.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "flow/flow_clock.h"
#include "packet/decoder.h"
#include "pipeline/pipeline_internal.h"

#include "base/banned.h"

struct front {
	const struct service_set *services;
	void (*name)(void *arg, const struct name_seen *seen);
	void *arg;
	struct packet_decoder *decoder;
	struct front_counters counters;
	struct pipeline_unknown_link unknown_links[PIPELINE_UNKNOWN_LINKS_MAX];
	size_t unknown_link_count;

	/* The epoch. */
	struct flow_clock clock;
	int64_t set_back_us; /* at its end */
	size_t packet_count, payload_len, name_count;
};

struct front *
front_new(const struct pipeline_options *options)
{
	struct front *f = xcalloc(1, sizeof(*f));
	struct packet_options packets = options->packets;

	f->services = options->services;
	f->name = options->name;
	f->arg = options->arg;
	mirror_clock_init(&f->counters.clock);
	f->clock.packet_us = INT64_MIN;
	packets.names = options->name != NULL;
	f->decoder = packet_decoder_new(options->services, &packets);
	return f;
}

void
front_free(struct front *f)
{
	if (f == NULL)
		return;
	packet_decoder_free(f->decoder);
	free(f);
}

static void
count_unknown_link(struct front *f, const struct frame *frame, uint32_t link_type)
{
	size_t i = 0;

	while (i < f->unknown_link_count && f->unknown_links[i].link_type != link_type)
		i++;
	if (i == PIPELINE_UNKNOWN_LINKS_MAX)
		return;
	if (i == f->unknown_link_count) {
		f->unknown_link_count++;
		f->unknown_links[i] = (struct pipeline_unknown_link){
			.link_type = link_type,
			.source = frame->source,
		};
	}
	f->unknown_links[i].frame_count++;
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct front *f = arg;

	f->counters.names_seen++;
	f->name_count++;
	f->name(f->arg, seen);
}

static void
observe_names(struct front *f, const struct packet *packet)
{
	const struct name_packet names = {
		.src = packet->src,
		.dst = packet->dst,
		.src_port = packet->src_port,
		.dst_port = packet->dst_port,
		.tcp = packet->is_tcp,
		.payload = packet->payload,
		.time_us = packet->time_us,
	};

	names_observe(&names, on_name, f);
}

/* A frame whose headers have to be walked through: out of the way of those that need none. */
static __attribute__((noinline)) enum packet_kind
walk(struct front *f, const struct frame *frame, struct packet *packet)
{
	enum packet_kind kind = packet_decoder_walk(f->decoder, frame, packet);

	f->counters.kinds[kind]++;
	if (kind == PACKET_NAMES)
		observe_names(f, packet);
	else if (kind == PACKET_UNKNOWN_LINK)
		count_unknown_link(f, frame, packet->unknown_link);
	return kind;
}

/* False where the payload is in the decoder's memory, until the next frame: a joined datagram. */
static bool
borrows_from(const struct packet *packet, const struct frame *frame)
{
	return packet->payload.data >= frame->bytes.data &&
	       packet->payload.data <= frame->bytes.data + frame->bytes.len;
}

/*
 * Takes usual frames, counting them in local variables.  Stops at the first other frame, where
 * there is no more room, or where the epoch is over, which it is not at the call.  Returns how many
 * it took.
 */
static size_t
take_usual(struct front *f, const struct frame *frames, size_t count, struct packet *out,
    size_t max, size_t *out_count)
{
	int64_t last_us = f->counters.clock.last_us, packet_us = f->clock.packet_us;
	const struct frame *frame = frames, *end = frames + count;
	struct packet *packet = out;
	size_t payload_len = f->payload_len, found;
	enum packet_kind kind;

	for (; frame < end && mirror_clock_goes_on(last_us, frame->time_us); frame++) {
		if (!packet_decode_quick(frame, f->services, packet, &kind))
			break;
		last_us = frame->time_us;
		if (kind != PACKET_TCP)
			continue;
		/* A clock that goes back is followed one packet after the other. */
		if (last_us < packet_us)
			break;
		packet_us = last_us;
		payload_len += packet->payload.len;
		packet++;
		if (packet == out + max || payload_len >= FRONT_EPOCH_LEN) {
			frame++;
			break;
		}
	}
	found = (size_t)(packet - out);
	count = (size_t)(frame - frames);
	if (count > 0)
		mirror_clock_set(&f->counters.clock, frame - 1);
	if (found > 0)
		f->clock = (struct flow_clock){ .packet_us = packet_us };
	f->payload_len = payload_len;
	f->counters.kinds[PACKET_TCP] += found;
	f->counters.kinds[PACKET_OTHER_PORT] += count - found;
	*out_count = found;
	return count;
}

/* Any frame.  True for a packet of interest. */
static bool
take_any(struct front *f, const struct frame *frame, struct packet *packet)
{
	mirror_clock_add(&f->counters.clock, frame);
	if (walk(f, frame, packet) != PACKET_TCP)
		return false;
	f->payload_len += packet->payload.len;
	f->set_back_us = flow_clock_add(&f->clock, packet->time_us);
	return true;
}

size_t
front_read(struct front *f, const struct frame *frames, size_t count, struct packet *out,
    size_t max, size_t *out_count)
{
	size_t room = FRONT_EPOCH_PACKETS - f->packet_count;
	size_t found = 0, i = 0;
	bool go_on = true;

	if (max > room)
		max = room;
	while (i < count && found < max && go_on && !front_epoch_is_over(f)) {
		size_t usual_count;

		i += take_usual(f, frames + i, count - i, out + found, max - found, &usual_count);
		found += usual_count;
		if (i == count || found == max || front_epoch_is_over(f))
			break;
		if (take_any(f, &frames[i], &out[found])) {
			go_on = borrows_from(&out[found], &frames[i]);
			found++;
		}
		i++;
	}
	f->packet_count += found;
	*out_count = found;
	return i;
}

bool
front_epoch_is_over(const struct front *f)
{
	return f->packet_count >= FRONT_EPOCH_PACKETS || f->payload_len >= FRONT_EPOCH_LEN ||
	       f->name_count >= FRONT_EPOCH_NAMES || f->set_back_us != 0;
}

int64_t
front_now(const struct front *f)
{
	int64_t now_us;

	/* What is far behind may come from a clock that was set back: by the old one it is idle. */
	if (f->clock.behind_count > 0)
		return INT64_MIN;
	/* The clock is set back already; a file can put packet times anywhere. */
	if (__builtin_add_overflow(f->clock.packet_us, f->set_back_us, &now_us))
		return INT64_MAX;
	return now_us;
}

int64_t
front_next_epoch(struct front *f)
{
	int64_t set_back_us = f->set_back_us;

	f->packet_count = f->payload_len = f->name_count = 0;
	f->set_back_us = 0;
	return set_back_us;
}

void
front_finish(struct front *f)
{
	packet_decoder_finish(f->decoder);
}

const struct front_counters *
front_counters(const struct front *f)
{
	return &f->counters;
}

const struct packet_fragment_counters *
front_fragments(const struct front *f)
{
	return packet_decoder_fragments(f->decoder);
}

uint64_t
front_unread(const struct front *f)
{
	return packet_decoder_unread(f->decoder);
}

size_t
front_unknown_links(
    const struct front *f, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX])
{
	for (size_t i = 0; i < f->unknown_link_count; i++)
		out[i] = f->unknown_links[i];
	return f->unknown_link_count;
}
