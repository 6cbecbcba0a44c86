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
count_unknown_link(struct front *f, const struct frame *frame)
{
	size_t i = 0;

	while (i < f->unknown_link_count && f->unknown_links[i].link_type != frame->link_type)
		i++;
	if (i == PIPELINE_UNKNOWN_LINKS_MAX)
		return;
	if (i == f->unknown_link_count) {
		f->unknown_link_count++;
		f->unknown_links[i] = (struct pipeline_unknown_link){
			.link_type = frame->link_type,
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

/* A frame whose headers have to be walked through. */
static enum packet_kind
walk(struct front *f, const struct frame *frame, struct packet *packet)
{
	enum packet_kind kind = packet_decoder_walk(f->decoder, frame, packet);

	f->counters.kinds[kind]++;
	if (kind == PACKET_NAMES)
		observe_names(f, packet);
	else if (kind == PACKET_UNKNOWN_LINK)
		count_unknown_link(f, frame);
	return kind;
}

/* Else it borrows from the decoder, up to the next frame: a datagram that was joined. */
static bool
borrows_from(const struct packet *packet, const struct frame *frame)
{
	return packet->payload.data >= frame->bytes.data &&
	       packet->payload.data <= frame->bytes.data + frame->bytes.len;
}

/* Returns whether the epoch goes on, but for the number of packets. */
static inline bool
add_to_epoch(struct front *f, const struct packet *packet)
{
	f->payload_len += packet->payload.len;
	f->set_back_us = flow_clock_add(&f->clock, packet->time_us);
	return f->payload_len < FRONT_EPOCH_LEN && f->set_back_us == 0;
}

size_t
front_read(struct front *f, const struct frame *frames, size_t count, struct packet *out,
    size_t max, size_t *out_count)
{
	size_t room = FRONT_EPOCH_PACKETS - f->packet_count;
	size_t found = 0, i = 0;
	bool go_on = !front_epoch_is_over(f);

	if (max > room)
		max = room;
	while (i < count && found < max && go_on) {
		const struct frame *frame = &frames[i++];
		struct packet *packet = &out[found];
		enum packet_kind kind;
		bool quick = packet_decode_quick(frame, f->services, packet, &kind);

		mirror_clock_add(&f->counters.clock, frame);
		if (quick) {
			f->counters.kinds[kind]++;
		} else {
			kind = walk(f, frame, packet);
			go_on = f->name_count < FRONT_EPOCH_NAMES;
		}
		if (kind != PACKET_TCP)
			continue;
		found++;
		go_on = add_to_epoch(f, packet) && (quick || borrows_from(packet, frame));
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

size_t
front_unknown_links(
    const struct front *f, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX])
{
	for (size_t i = 0; i < f->unknown_link_count; i++)
		out[i] = f->unknown_links[i];
	return f->unknown_link_count;
}
