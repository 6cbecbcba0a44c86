#include "capture/capture_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

/* tar, zip; snoop, Network Monitor, ERF and others. */
#define WAY_OUT " (unpack archives; convert other forms with editcap)"

/* Neither format: which sentence helps depends on what is there. */
static enum reader_open_answer
explain_no_capture(struct reader *r)
{
	const struct source *s = &r->source;
	const char *label = input_label(&s->input);

	if (s->failed) {
		r->error = s->error;
		return READER_UNREADABLE;
	}
	if (s->decompressor == NULL && s->begin == s->end)
		error_set(&r->error, "%s is empty: it has not even the header of a capture", label);
	else if (s->decompressor != NULL)
		error_set(&r->error,
		    "%s is not a capture: what is compressed in it begins with neither a pcap nor "
		    "a pcapng header" WAY_OUT,
		    label);
	else
		error_set(&r->error,
		    "%s is not a capture: it begins with neither a pcap nor a pcapng "
		    "header" WAY_OUT,
		    label);
	return READER_NO_CAPTURE;
}

static enum reader_open_answer
start(struct reader *r)
{
	struct span head;

	source_sniff(&r->source);
	head = source_rest(&r->source);
	if (pcap_detect(head)) {
		r->format = FORMAT_PCAP;
		return pcap_open(r);
	}
	if (pcapng_detect(head)) {
		r->format = FORMAT_PCAPNG;
		return pcapng_open(r);
	}
	return explain_no_capture(r);
}

enum reader_open_answer
reader_open(struct reader *r, const char *path, size_t window_len)
{
	*r = (struct reader){ 0 };
	if (source_open(&r->source, path, window_len, &r->error) != 0)
		return READER_UNREADABLE;
	return start(r);
}

enum reader_open_answer
reader_open_memory(struct reader *r, struct span bytes, size_t window_len)
{
	*r = (struct reader){ 0 };
	source_open_memory(&r->source, bytes, window_len);
	return start(r);
}

void
reader_close(struct reader *r)
{
	pcapng_close(&r->pcapng);
	source_close(&r->source);
}

static enum reader_answer
next_of_format(struct reader *r, struct frame *frame)
{
	switch (r->format) {
	case FORMAT_PCAP:
		return pcap_next(r, frame);
	case FORMAT_PCAPNG:
		return pcapng_next(r, frame);
	case FORMAT_NONE:
		break;
	}
	return READER_END;
}

enum reader_answer
reader_next(struct reader *r, struct frame *frame)
{
	uint64_t packet_count = r->packet_count;
	enum reader_answer answer = next_of_format(r, frame);

	if (!map_was_cut(&r->source.map))
		return answer;
	r->packet_count = packet_count;
	return reader_bad(r, "was cut while it was being read");
}

/* Of the processor, by this thread. */
static int64_t
spent_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static size_t
next_many_of_format(struct reader *r, struct frame *frames, size_t max, int64_t before_us)
{
	return r->format == FORMAT_PCAP ? pcap_next_many(r, frames, max, before_us)
					: pcapng_next_many(r, frames, max, before_us);
}

static size_t
next_many_timed(struct reader *r, struct frame *frames, size_t max, int64_t before_us)
{
	int64_t begin_ns = spent_ns();
	size_t count = next_many_of_format(r, frames, max, before_us);

	map_choice_spend(
	    r->source.choice, (int64_t)r->source.choice->stride * (spent_ns() - begin_ns));
	return count;
}

size_t
reader_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us)
{
	uint64_t packet_count = r->packet_count;
	size_t count = map_choice_is_sampled(r->source.choice)
			   ? next_many_timed(r, frames, max, before_us)
			   : next_many_of_format(r, frames, max, before_us);

	if (!map_was_cut(&r->source.map))
		return count;
	r->packet_count = packet_count;
	return 0;
}

void
reader_fill(struct reader *r)
{
	bool is_trial = map_choice_is_trial(r->source.choice);
	int64_t begin_ns = is_trial ? spent_ns() : 0;

	source_fill(&r->source, r->want);
	if (is_trial)
		map_choice_spend(r->source.choice, spent_ns() - begin_ns);
}

enum reader_answer
reader_advance(struct reader *r, struct frame *frame)
{
	enum reader_answer answer;

	while ((answer = reader_next(r, frame)) == READER_MORE)
		reader_fill(r);
	return answer;
}

/* How many packets were read before the trouble, as part of a sentence. */
static void
add_position(struct reader *r)
{
	size_t len = strlen(r->error.text);
	char *out = r->error.text + len;
	size_t room = sizeof(r->error.text) - len;

	if (r->packet_count == 0)
		(void)snprintf(out, room, "; no packet could be read before");
	else if (r->packet_count == 1)
		(void)snprintf(out, room, "; the 1 packet before it was read");
	else
		(void)snprintf(out, room, "; the %llu packets before it were read",
		    (unsigned long long)r->packet_count);
}

enum reader_answer
reader_need(struct reader *r, size_t len)
{
	if (!r->source.at_end) {
		r->want = len;
		return READER_MORE;
	}
	if (r->source.failed) {
		r->error = r->source.error;
		add_position(r);
		return READER_BAD;
	}
	if (r->source.begin == r->source.end && !r->pcapng.in_block)
		return READER_END;
	if (r->pcapng.in_block)
		return reader_bad(r, "ends in the middle of a block");
	return reader_bad(
	    r, "ends in the middle of packet %llu", (unsigned long long)r->packet_count + 1);
}

static __attribute__((format(printf, 2, 0))) void
explain(struct reader *r, const char *format, va_list args)
{
	char what[ERROR_TEXT_LEN / 2];

	(void)vsnprintf(what, sizeof(what), format, args);
	error_set(&r->error, "%s %s", input_label(&r->source.input), what);
}

enum reader_answer
reader_bad(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	explain(r, format, args);
	va_end(args);
	add_position(r);
	return READER_BAD;
}

void
reader_leave_out(struct reader *r, const char *format, ...)
{
	va_list args;

	if (r->left_out_count++ > 0)
		return;
	va_start(args, format);
	explain(r, format, args);
	va_end(args);
}
