/*
 * mark - when a byte of a TCP stream was seen, where it stands, and what its sender knew by then.
 *
 * `peer_offset` orders what the two sides did where packet times cannot (a mirror may deliver the
 * directions out of step): an act whose sender had already received the peer's act came second.
 */
#ifndef TLSTALLY_BASE_MARK_H
#define TLSTALLY_BASE_MARK_H

#include <stdbool.h>
#include <stdint.h>

/* Of `peer_offset`: not known. */
#define MARK_NO_PEER INT64_MIN

struct mark {
	int64_t time_us; /* packet time */
	/*
	 * Of the byte in its stream, from the first byte after the SYN, or else from the first
	 * number that was seen of the stream: what is in front of that, and came later, has
	 * offsets below zero.
	 */
	int64_t offset;
	int64_t peer_offset; /* so far the sender has acknowledged the other stream */
};

/*
 * The same moment at another place of its stream.  Made of its members in one go: one that was
 * copied and then changed in part, and is read again as a whole at once, makes the processor wait
 * for it.
 */
static inline struct mark
mark_at(const struct mark *mark, int64_t offset)
{
	return (struct mark){ mark->time_us, offset, mark->peer_offset };
}

/* True when `a` was certainly or, by packet time, probably sent before `b` of the other side. */
static inline bool
mark_is_before(const struct mark *a, const struct mark *b)
{
	if (b->peer_offset > a->offset)
		return true;
	if (a->peer_offset > b->offset)
		return false;
	return a->time_us <= b->time_us;
}

#endif
