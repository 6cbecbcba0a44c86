/* What of a side was not captured. */
#include "session/session_internal.h"

#include "base/banned.h"

void
session_note_hole(struct session_side *side, int64_t begin, int64_t end)
{
	if (!side->evidence.lost)
		side->lost_begin = begin;
	side->lost_end = end;
	side->gap = side->evidence.lost = true;
}

void
session_note_loss(struct session_side *side, int64_t end)
{
	session_note_hole(side, session_end_offset(side), end);
	side->evidence.hole = side->evidence.hole || side->stage == STAGE_TLS;
}

bool
session_lacks_before_reset(const struct session_side *side)
{
	/* A FIN counts as a byte, and is the last one: nothing lies between it and a reset. */
	return side->evidence.rst && !side->evidence.fin &&
	       side->evidence.rst_mark.offset > session_end_offset(side) + 1;
}
