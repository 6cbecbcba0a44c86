/*
 * capture_internal - how a saved capture is read: input, decompressor, source, reader.
 *
 *   input    bytes as they lie in the file or come through the pipe
 *   map      the same for a large file, where they are, not copied
 *   decompressor  the same without their compression
 *   source   a window over either, from which the parsers take
 *   reader   pcap or pcapng over a source: one frame after the other
 *
 * Everything above `input` only reads; what a file looks like is decided by its content.
 */
#ifndef TLSTALLY_CAPTURE_INTERNAL_H
#define TLSTALLY_CAPTURE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/frame.h"
#include "base/span.h"
#include "base/xalloc.h"
#include "capture/map.h"
#include "capture/map_choice.h"

/* Longer packets do not exist (the largest jumbograms in use, and offload, stay below 256 KiB). */
#define PACKET_LEN_MAX (1024u * 1024)
/* A pcapng block that is kept: a packet with its options. */
#define BLOCK_LEN_MAX (PACKET_LEN_MAX + 128u * 1024)
/* Measured: larger windows leave the processor's cache, smaller ones pay for more calls. */
#define WINDOW_LEN (128u * 1024)
#define WINDOW_LEN_SMALL (32u * 1024)
/* ... where it is a choice to read. */
#define WINDOW_LEN_CHOSEN (512u * 1024)
/*
 * Files of this length and more are mapped.  A map is reached and dropped in steps that begin at
 * multiples of MAPPED_STEP, because the page cache holds most of a large file in pieces of that
 * length (huge pages), which then come and go as one; a piece of which only a part is dropped is
 * mapped anew, page by page.
 */
#define MAPPED_LEN_MIN (4u * 1024 * 1024)
#define MAPPED_STEP (2u * 1024 * 1024)
/* So far ahead of the reader the bytes of a map are prefetched. */
#define MAPPED_AHEAD 4096
/* How much of a file is read before it is known whether it is compressed. */
#define SNIFF_LEN (16u * 1024)
/* Enough to tell pcap, pcapng and every compression apart. */
#define MAGIC_LEN 12

/* ---- input.c */

struct input {
	const char *path;   /* borrowed; "-" is standard input; NULL with `memory` */
	int fd;             /* -1: closed for now */
	bool is_stream;     /* a pipe, a socket, a terminal: read once, from front to back */
	uint64_t start;     /* where standard input stood, when it is a file */
	uint64_t offset;    /* bytes read from it so far, counted from `start` */
	uint64_t size;      /* when it was opened; 0 for a stream */
	dev_t device;       /* with `inode`: to be sure of the file when it is opened again */
	ino_t inode;        /* (see there) */
	struct span memory; /* for tests: the bytes themselves */
};

/* What a sentence calls it: the path, or "standard input". */
const char *input_label(const struct input *in);
/* Opens `path`, borrowed until input_close.  A folder is an error here. */
int input_open(struct input *in, const char *path, struct error *err);
void input_open_memory(struct input *in, struct span bytes);
void input_close(struct input *in);
/*
 * Reads up to `room` bytes, fewer only where there are no more for now.  0: the end; -1: `err`.  A
 * stream also ends when the program is to stop (saved_interrupt).
 */
ssize_t input_read(struct input *in, uint8_t *out, size_t room, struct error *err);
/* Passes over `len` bytes unread; false where that is impossible.  The end is not noticed here. */
bool input_skip(struct input *in, uint64_t len);
/* Gives the file descriptor back until the next read; does nothing for a stream. */
void input_rest(struct input *in);

/* ---- decompressor.c */

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_BZIP2,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
	COMPRESSION_LZ4,
};

enum compression compression_detect(struct span head);

struct decompressor; /* opaque */

/* `head`: what was read from `in` before; copied.  `in` is borrowed for the object's life. */
struct decompressor *decompressor_new(
    enum compression compression, struct input *in, struct span head);
void decompressor_free(struct decompressor *d);
/* As input_read, of decompressed bytes.  Bytes in front of damage are handed out before the -1. */
ssize_t decompressor_read(struct decompressor *d, uint8_t *out, size_t room, struct error *err);

/* ---- source.c */

struct source {
	struct input input;
	struct decompressor *decompressor; /* NULL: the source is not compressed */
	struct ahead *ahead; /* the thread that has the decompressor and the input; NULL: none */
	struct map map;      /* in use: the window is the file, and moves through it */
	struct map_choice *choice;     /* borrowed; NULL: what was mapped stays so */
	uint64_t chosen_at;            /* the place in the file up to which it knows */
	uint8_t *own;                  /* owned, `window_len` long: what is read */
	uint8_t *window;               /* that, or the map */
	size_t window_len, begin, end; /* what waits is window[begin..end) */
	uintptr_t asked;               /* of a map: what lies before it was prefetched */
	bool at_end;                   /* behind `end` there is nothing more */
	bool failed;                   /* ... because reading failed: `error` says why */
	struct error error;
};

/* Both leave a source that source_close takes.  -1: cannot be opened or read at all. */
int source_open(struct source *s, const char *path, size_t window_len, struct error *err);
void source_open_memory(struct source *s, struct span bytes, size_t window_len);
void source_close(struct source *s);
/* Puts a decompressor in between where the bytes are compressed; maps what is large. */
void source_sniff(struct source *s);
/* Lets `choice` decide between mapping and reading from now on, where both are possible. */
void source_choose(struct source *s, struct map_choice *choice);
/* Where it is worth it, takes the compression off in a thread of its own from now on. */
void source_read_ahead(struct source *s);
/* Bytes of the input, compressed ones as such, behind what was read of it. */
uint64_t source_offset(const struct source *s);
/* As input_rest, where nothing else reads the input. */
void source_spare_descriptor(struct source *s);
/*
 * Reads until `len` bytes wait in the window, or the end is reached; takes what else comes with the
 * same read.  Moves the window, so what was borrowed from it is gone.  A stream may block.
 */
void source_fill(struct source *s, size_t len);
/* Passes over up to `len` bytes; over more than the window holds only where input_skip can. */
uint64_t source_skip(struct source *s, uint64_t len);

/* What waits in the window; borrowed until source_fill. */
static inline struct span
source_rest(const struct source *s)
{
	return span_from(s->window + s->begin, s->end - s->begin);
}

/*
 * Prefetches all bytes of a map in order while it is read, because the processor sees no pattern in
 * where headers are.  Returns the address up to which that is done, for a reader that is at `at`.
 * An address behind the window does no harm: it is not fetched, and is asked for again later.
 */
static inline uintptr_t
ask_ahead(uintptr_t asked, const uint8_t *at)
{
	for (; asked < (uintptr_t)at + MAPPED_AHEAD; asked += 4 * CACHE_LINE) {
		const uint8_t *lines = (const uint8_t *)asked;

		__builtin_prefetch(lines, 0, 2);
		__builtin_prefetch(lines + CACHE_LINE, 0, 2);
		__builtin_prefetch(lines + 2 * CACHE_LINE, 0, 2);
		__builtin_prefetch(lines + 3 * CACHE_LINE, 0, 2);
	}
	return asked;
}

/* What waits begins at `at` now; `asked`: as ask_ahead returned it. */
static inline void
source_take_asked(struct source *s, const uint8_t *at, uintptr_t asked)
{
	s->begin = (size_t)(at - s->window);
	s->asked = asked;
}

static inline void
source_take(struct source *s, size_t len)
{
	const uint8_t *at = s->window + s->begin + len;

	source_take_asked(s, at, ask_ahead(s->asked, at));
}

/* ---- reader.c */

enum reader_answer {
	READER_FRAME,
	READER_MORE, /* reader_fill first; frames of this reader so far lose their bytes by that */
	READER_END,
	READER_BAD, /* as READER_END, and `error` says why it is one */
};

enum capture_format { FORMAT_NONE, FORMAT_PCAP, FORMAT_PCAPNG };

struct pcap_state {
	bool little;        /* byte order of the file */
	bool nanoseconds;   /* unit of the times' fraction */
	bool swapped;       /* before version 2.3 the two lengths stood the other way round */
	bool maybe_swapped; /* version 2.3: both ways exist */
	size_t header_len;  /* of a record */
	uint32_t link_type;
};

/* What a file says of packets that were lost while it was written. */
struct reader_loss {
	uint64_t count;
	size_t interface_count; /* that many interfaces told theirs */
};

/* What an interface told last: its counters go on from the capture's begin. */
struct pcapng_loss {
	uint64_t count;
	bool is_told;
};

/* One pcapng interface.  It counts time in ticks of 10^-decimal or 2^-binary seconds. */
struct pcapng_interface {
	uint32_t link_type;
	uint32_t snap_len;  /* 0: no limit */
	bool binary;        /* the exponent's base is two, not ten */
	uint8_t exponent;   /* ticks per second: base^exponent */
	int64_t offset_s;   /* seconds to add */
	uint64_t ticks_per; /* decimal: ticks in a microsecond, or microseconds in a tick */
	struct pcapng_loss by_interface, by_kernel;
};

struct pcapng_state {
	bool little;                         /* byte order of the section */
	struct pcapng_interface *interfaces; /* owned; of the section */
	size_t interface_count, interface_room;
	int64_t last_us;    /* for packets that carry no time */
	bool in_block;      /* the rest of a block is being passed over: */
	uint64_t skip_len;  /* bytes up to its second length */
	uint32_t block_len; /* its length as given in front */
};

struct reader {
	struct source source;
	enum capture_format format;
	struct pcap_state pcap;
	struct pcapng_state pcapng;
	uint32_t number;         /* frame->source, once the opener has set it */
	size_t want;             /* with READER_MORE: bytes that must wait before it goes on */
	uint64_t packet_count;   /* frames given so far */
	uint64_t left_out_count; /* pcapng packets that cannot be read, while those behind can */
	size_t interface_count;  /* pcapng, of all sections */
	struct reader_loss by_interface, by_kernel;
	uint32_t snap_len; /* largest of the header(s) so far; 0: none given */
	struct error error;
};

enum reader_open_answer {
	READER_OPEN,
	READER_NO_CAPTURE, /* readable, but no capture, or empty */
	READER_UNREADABLE, /* cannot be opened, or its header cannot be read */
};

/* Whatever it answers, reader_close takes it afterwards; `error` is set unless READER_OPEN. */
enum reader_open_answer reader_open(struct reader *r, const char *path, size_t window_len);
enum reader_open_answer reader_open_memory(struct reader *r, struct span bytes, size_t window_len);
void reader_close(struct reader *r);
/* The next frame; its bytes are borrowed until reader_fill. */
enum reader_answer reader_next(struct reader *r, struct frame *frame);
/*
 * As many of the next frames as are there and earlier than `before_us`, at most `max`; why there
 * are no more, reader_next says.
 */
size_t reader_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us);
/* Reads what READER_MORE asked for. */
void reader_fill(struct reader *r);
/* reader_next and reader_fill until there is a frame or no more; never READER_MORE. */
enum reader_answer reader_advance(struct reader *r, struct frame *frame);

/* For the two parsers: fewer than `len` bytes wait; asks for them, or says how the file ends. */
enum reader_answer reader_need(struct reader *r, size_t len);
/* Stops reading: `what` is wrong with the packet or block behind those read. */
enum reader_answer reader_bad(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Counts a packet that cannot be read; of the first, `error` keeps what is wrong with the file. */
void reader_leave_out(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- pcap_file.c, pcapng_file.c: reader's two formats */

bool pcap_detect(struct span head);
enum reader_open_answer pcap_open(struct reader *r);
enum reader_answer pcap_next(struct reader *r, struct frame *frame);
size_t pcap_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us);
/* LINKTYPE_ of the link type field, where systems have written their own DLT_ values. */
uint32_t link_type_from_file(uint32_t field);

bool pcapng_detect(struct span head);
enum reader_open_answer pcapng_open(struct reader *r);
enum reader_answer pcapng_next(struct reader *r, struct frame *frame);
size_t pcapng_next_many(struct reader *r, struct frame *frames, size_t max, int64_t before_us);
void pcapng_close(struct pcapng_state *p);

/* ---- folder.c */

struct path_list {
	char **paths; /* owned, as are the strings */
	size_t count, room;
};

void path_list_add(struct path_list *list, const char *folder, const char *name);
void path_list_take(struct path_list *list, char *path);
void path_list_release(struct path_list *list);
/* Adds the files of a folder that are not hidden, by name.  -1: not readable. */
int folder_list(const char *path, struct path_list *out, struct error *err);
bool folder_is(const char *path);

/* ---- a number in the byte order of the file; as the reads in base/span.h */

MUST_CHECK static inline bool
file_read_u32(struct span *s, bool little, uint32_t *out)
{
	uint32_t value;

	if (!span_read_u32(s, &value))
		return false;
	*out = little ? __builtin_bswap32(value) : value;
	return true;
}

MUST_CHECK static inline bool
file_read_u16(struct span *s, bool little, uint16_t *out)
{
	uint16_t value;

	if (!span_read_u16(s, &value))
		return false;
	*out = little ? __builtin_bswap16(value) : value;
	return true;
}

#endif
