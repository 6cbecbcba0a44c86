#include "sink/event_flush.h"

#include <inttypes.h>

#include "base/log.h"

#include "base/banned.h"

void
event_flush_try(struct event_flush *f)
{
	struct error err;
	uint64_t lost;
	bool failing;

	if (f->writer == NULL)
		return;
	failing = event_writer_flush(f->writer, &err) != 0;
	if (failing && !f->failing)
		log_error("%s; events are kept in memory for a while", err.text);
	else if (!failing && f->failing)
		log_notice("events are written again");
	f->failing = failing;
	lost = event_writer_lost(f->writer);
	if (failing || lost == f->lost_told)
		return;
	log_error("%" PRIu64 " events were not written: there was no room to keep them",
	    lost - f->lost_told);
	f->lost_told = lost;
}
