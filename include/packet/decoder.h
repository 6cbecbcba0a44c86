/*
 * decoder - packet_decode with a memory: joins IP fragments, and knows the ports of tunnels that
 * are not the usual ones.
 *
 * Memory:  the fragments' bytes, the tables that hold them included, stay within
 *          `fragment_bytes_max`, plus one datagram of at most 64 KiB per nesting level.
 * Threads: one per decoder.
 */
#ifndef TLSTALLY_PACKET_DECODER_H
#define TLSTALLY_PACKET_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/port_list.h"
#include "base/service.h"
#include "packet/packet.h"

/* All zero: the defaults. */
struct packet_options {
	struct port_list vxlan_ports;  /* UDP ports that carry VXLAN besides 4789, 4790 and 8472 */
	size_t fragment_bytes_max;     /* 0: 4 MiB */
	size_t fragment_datagrams_max; /* 0: 4096 */
	int64_t fragment_patience_us;  /* 0: 30 seconds of packet time */
	bool names; /* PACKET_NAMES is asked for; else it is PACKET_OTHER or PACKET_OTHER_PORT */
};

struct packet_fragment_counters {
	uint64_t seen;        /* fragments of protocols that may carry TCP */
	uint64_t duplicates;  /* fragments that were there already, byte for byte: mirror copies */
	uint64_t reassembled; /* datagrams */
	uint64_t overlapping; /* datagrams dropped because two fragments claim the same bytes */
	uint64_t too_many;    /* datagrams dropped because they come in too many pieces */
	uint64_t timed_out;   /* datagrams of which a part did not come in time */
	uint64_t evicted;     /* datagrams given up because a budget was reached */
};

struct packet_decoder; /* opaque */

/*
 * `services` (ports of interest; NULL: all ports) is borrowed for the decoder's life, `options`
 * (NULL: the defaults) for the call.
 */
struct packet_decoder *packet_decoder_new(
    const struct service_set *services, const struct packet_options *options);
void packet_decoder_free(struct packet_decoder *decoder);

/*
 * As packet_decode().  For PACKET_NAMES `out` has all but what is TCP's alone, and is_tcp tells TCP
 * from UDP.  The fragment that completes a datagram gives the whole of it; the others are
 * PACKET_FRAGMENT.  What `out` borrows stays valid until the next call.
 */
enum packet_kind packet_decoder_decode(
    struct packet_decoder *decoder, const struct frame *frame, struct packet *out);

/* The same, for a frame that packet_decode_quick leaves. */
enum packet_kind packet_decoder_walk(
    struct packet_decoder *decoder, const struct frame *frame, struct packet *out);

/* The capture is over: datagrams that are not complete count as timed out. */
void packet_decoder_finish(struct packet_decoder *decoder);

const struct packet_fragment_counters *packet_decoder_fragments(
    const struct packet_decoder *decoder);
/* Packets behind the first one of a wireless frame, which are not read. */
uint64_t packet_decoder_unread(const struct packet_decoder *decoder);

#endif
