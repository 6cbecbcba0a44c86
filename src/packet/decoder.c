#include "packet/decoder.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "packet/fragments.h"
#include "packet/packet_internal.h"

#include "base/banned.h"

struct packet_decoder {
	const struct service_set *services;
	struct packet_options options;
	struct port_set tunnel_ports;
	struct fragment_table *fragments;
	uint64_t unread;
};

struct packet_decoder *
packet_decoder_new(const struct service_set *services, const struct packet_options *options)
{
	struct packet_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->services = services;
	if (options != NULL)
		decoder->options = *options;
	udp_add_tunnel_ports(&decoder->options, &decoder->tunnel_ports);
	decoder->fragments = fragment_table_new(&decoder->options);
	return decoder;
}

void
packet_decoder_free(struct packet_decoder *decoder)
{
	if (decoder == NULL)
		return;
	fragment_table_free(decoder->fragments);
	free(decoder);
}

static bool
may_be_tunnel(const struct packet_decoder *decoder, const struct quick_udp *udp)
{
	return port_set_has(&decoder->tunnel_ports, udp->src) ||
	       port_set_has(&decoder->tunnel_ports, udp->dst);
}

enum packet_kind
packet_decoder_walk(struct packet_decoder *decoder, const struct frame *frame, struct packet *out)
{
	struct walk w = {
		.services = decoder->services,
		.options = &decoder->options,
		.fragments = decoder->fragments,
		.unread = &decoder->unread,
		.out = out,
	};
	struct quick_udp udp;

	/* On a mirror most of what is not TCP is UDP: of no use here, or a DNS answer. */
	if (quick_udp_find(frame, &udp) && !may_be_tunnel(decoder, &udp)) {
		if (!decoder->options.names || !udp_tells_names(udp.src, udp.dst))
			return PACKET_OTHER;
		quick_udp_take(frame, &udp, out);
		return PACKET_NAMES;
	}
	fragment_table_forget_joined(decoder->fragments);
	return walk_frame(&w, frame);
}

enum packet_kind
packet_decoder_decode(struct packet_decoder *decoder, const struct frame *frame, struct packet *out)
{
	enum packet_kind kind;

	if (packet_decode_quick(frame, decoder->services, out, &kind))
		return kind;
	return packet_decoder_walk(decoder, frame, out);
}

void
packet_decoder_finish(struct packet_decoder *decoder)
{
	fragment_table_finish(decoder->fragments);
}

const struct packet_fragment_counters *
packet_decoder_fragments(const struct packet_decoder *decoder)
{
	return fragment_table_counters(decoder->fragments);
}

uint64_t
packet_decoder_unread(const struct packet_decoder *decoder)
{
	return decoder->unread;
}
