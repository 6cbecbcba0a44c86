/*
 * replay - saved captures, read as one stream of frames in time order.
 *
 * Takes files, folders (every file in them, not below; hidden ones not) and "-" (standard input);
 * pcap in all magics, pcapng with several sections and interfaces, either of them compressed by
 * gzip, zstd, lz4, xz or bzip2.  The content says which, not the name.  Files are merged by packet
 * time; inside one file the order of the file stands.  A pipe is handed on as it arrives.
 *
 * A file that ends in mid-packet gives all whole packets; what is wrong is kept per file.
 *
 * Source:  draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 * Memory:  a window of 128 KiB for each file that is open at the same time (32 KiB where there are
 *          many), up to 2 MiB where a packet is that large; of large files, which are mapped, two
 *          to four MiB, and what is kept; files whose time has not come are closed.
 *          Decompressors add what their format asks for; the first few large ones work in threads
 *          of their own, 1 MiB ahead.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_CAPTURE_REPLAY_H
#define TLSTALLY_CAPTURE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/frame.h"
#include "base/span.h"

struct replay; /* opaque */

/*
 * What identifies a capture's content, whatever its file is called and however it is compressed:
 * the packets themselves.  `head_hash` is the stream hash after the first packet alone, so it
 * never changes while a capture grows; `stream_hash` covers all `packet_count` of them.
 */
struct replay_identity {
	uint64_t head_hash;
	uint64_t packet_count; /* 0: no packet, and no identity to remember */
	uint64_t stream_hash;
};

/* Packets that a file says were lost while it was written. */
struct replay_loss {
	uint64_t count;
	bool is_known; /* each of its interfaces tells it; else there may be more */
};

struct replay_file {
	const char *path; /* as given or found; "-" for standard input */
	const char
	    *name;     /* for people and for the event's `source`: the path's last part, or "-" */
	uint64_t size; /* bytes of the file; 0 where it is not known (a pipe) */
	/* All that was read so far, the skipped packets included: */
	uint64_t packet_count;
	uint64_t byte_count; /* captured bytes of these packets */
	struct replay_identity identity;
	/* Packets passed over because they were counted before: */
	uint64_t skipped_count;
	uint64_t skipped_byte_count;
	/* Of the packets handed out, without the skipped: */
	int64_t begin_us, end_us; /* earliest and latest packet time; 0 with no packets */
	uint64_t snapped_count;   /* packets cut by the snapshot length */
	uint64_t unordered_count; /* packets with an earlier time than the one before in the file */

	/*
	 * pcapng packets of an interface that the file does not describe, or longer than their
	 * block; they are in no other count, and the file is `failed`.
	 */
	uint64_t left_out_count;
	/* pcapng, without what was told in front of the first packet that was not skipped: */
	struct replay_loss interface_loss, kernel_loss;
	uint32_t snap_len; /* the largest of the file header(s); 0: none given */
	bool failed;       /* something could not be read: `error` says what */
	bool unusable;     /* failed at the start: not a capture, no such file, empty, unreadable */
	struct error error; /* one sentence that names the file; set where failed */
};

/*
 * Which captures were counted before that begin with the same packet?  Called when the first
 * packet of a file is known, with `index` 0, 1, 2, ... until it returns false; fills *known with
 * one of them a call, in any order.  The largest of those whose packets all stand at the file's
 * beginning is skipped; where there is none, nothing is.
 */
typedef bool (*replay_known_fn)(void *arg, const struct replay_file *file, uint64_t head_hash,
    size_t index, struct replay_identity *known);

struct replay_options {
	replay_known_fn known; /* NULL: nothing is known */
	void *known_arg;
};

/*
 * Finds what is named, and reads the first packet's time of what is no pipe.  A path that cannot
 * be used does not stop the others: its replay_file says why.  `options` may be NULL; `paths` is
 * copied.  Returns NULL only when `path_count` is 0.
 */
struct replay *replay_open(
    const char *const *paths, size_t path_count, const struct replay_options *options);
void replay_free(struct replay *r);

/*
 * The next frames in time order, up to `max` (more than 0).  Their bytes stay valid until the next
 * call.  Returns how many: fewer than `max` wherever more would have to be waited for; 0 only at
 * the end.
 */
size_t replay_read(struct replay *r, struct frame *frames, size_t max);

/*
 * For a signal's handler: whoever waits for a pipe's next bytes, in any thread, waits no longer,
 * and every pipe ends where it is.  Cannot be undone, and holds for all replays of the process;
 * files are still read to their end.
 */
void replay_interrupt(void);

/*
 * For a caller that still looks at frames while the next ones are read, also in other threads:
 * frames that lie in a mapped file then need not be copied.  To be called before the first
 * replay_read.
 */
void replay_keep(struct replay *r);
/*
 * Frames of the latest replay_read that lie inside this span stay valid until replay_release, those
 * outside do not.  The span may be empty.
 */
struct span replay_kept(const struct replay *r);
/* Where reading is: grows by one with each 2 MiB or so that are passed and kept. */
uint64_t replay_mark(const struct replay *r);
/* The next replay_read may go on in another 2 MiB, and then takes the bytes of these away. */
bool replay_is_at_border(const struct replay *r);
/*
 * Says that what was handed out before reading was at `mark` is no longer looked at.  At a border
 * `mark` may be the next one: then nothing of what was read last is kept by the next replay_read.
 */
void replay_release(struct replay *r, uint64_t mark);

/*
 * Files known so far, in the order of frame.source: as given, and inside a folder by name.  Their
 * addresses and order do not change.
 */
size_t replay_file_count(const struct replay *r);
const struct replay_file *replay_file_at(const struct replay *r, size_t index);
/* Files in the named folders that are no captures, and were passed over. */
size_t replay_passed_over_count(const struct replay *r);
const char *replay_passed_over_at(const struct replay *r, size_t index);
/* Folders in the named folders, which are not read. */
size_t replay_inner_folder_count(const struct replay *r);

/* For a progress bar: bytes of input consumed (compressed ones as such), and in all (0: unknown).
 */
uint64_t replay_bytes_done(const struct replay *r);
uint64_t replay_bytes_total(const struct replay *r);

#endif
