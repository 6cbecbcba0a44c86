/*
 * saved - saved captures, read as one stream of frames in time order.
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
#ifndef TLSTALLY_CAPTURE_SAVED_H
#define TLSTALLY_CAPTURE_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/frame.h"
#include "base/span.h"

struct saved; /* opaque */

/*
 * What identifies a capture's content, whatever its file is called and however it is compressed:
 * the packets themselves.  `head_hash` is the stream hash after the first packet alone, so it
 * never changes while a capture grows; `stream_hash` covers all `packet_count` of them.
 */
struct saved_identity {
	uint64_t head_hash;
	uint64_t packet_count; /* 0: no packet, and no identity to remember */
	uint64_t stream_hash;
};

/* Packets that a file says were lost while it was written. */
struct saved_loss {
	uint64_t count;
	bool is_known; /* each of its interfaces tells it; else there may be more */
};

struct saved_file {
	const char *path; /* as given or found; "-" for standard input */
	const char
	    *name;     /* for people and for the event's `source`: the path's last part, or "-" */
	uint64_t size; /* bytes of the file; 0 where it is not known (a pipe) */
	/* All that was read so far, the skipped packets included: */
	uint64_t packet_count;
	uint64_t byte_count; /* captured bytes of these packets */
	struct saved_identity identity;
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
	struct saved_loss interface_loss, kernel_loss;
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
typedef bool (*saved_known_fn)(void *arg, const struct saved_file *file, uint64_t head_hash,
    size_t index, struct saved_identity *known);

struct saved_options {
	saved_known_fn known; /* NULL: nothing is known */
	void *known_arg;
};

/*
 * Finds what is named, and reads the first packet's time of what is no pipe.  A path that cannot
 * be used does not stop the others: its saved_file says why.  `options` may be NULL; `paths` is
 * copied.  Returns NULL only when `path_count` is 0.
 */
struct saved *saved_open(
    const char *const *paths, size_t path_count, const struct saved_options *options);
void saved_free(struct saved *r);

/*
 * The next frames in time order, up to `max` (more than 0).  Their bytes stay valid until the next
 * call.  Returns how many: fewer than `max` wherever more would have to be waited for; 0 only at
 * the end.
 */
size_t saved_read(struct saved *r, struct frame *frames, size_t max);

/*
 * For a signal's handler: whoever waits for a pipe's next bytes, in any thread, waits no longer,
 * and every pipe ends where it is.  Cannot be undone, and holds for all replays of the process;
 * files are still read to their end.
 */
void saved_interrupt(void);

/*
 * For a caller that still looks at frames while the next ones are read, also in other threads:
 * frames that lie in a mapped file then need not be copied.  To be called before the first
 * saved_read.
 */
void saved_keep(struct saved *r);
/*
 * Frames of the latest saved_read that lie inside this span stay valid until saved_release, those
 * outside do not.  The span may be empty.
 */
struct span saved_kept(const struct saved *r);
/* Where reading is: grows by one with each 2 MiB or so that are passed and kept. */
uint64_t saved_mark(const struct saved *r);
/* The next saved_read may go on in another 2 MiB, and then takes the bytes of these away. */
bool saved_is_at_border(const struct saved *r);
/*
 * Says that what was handed out before reading was at `mark` is no longer looked at.  At a border
 * `mark` may be the next one: then nothing of what was read last is kept by the next saved_read.
 */
void saved_release(struct saved *r, uint64_t mark);

/*
 * Files known so far, in the order of frame.source: as given, and inside a folder by name.  Their
 * addresses and order do not change.
 */
size_t saved_file_count(const struct saved *r);
const struct saved_file *saved_file_at(const struct saved *r, size_t index);
/* Files in the named folders that are no captures, and were passed over. */
size_t saved_passed_over_count(const struct saved *r);
const char *saved_passed_over_at(const struct saved *r, size_t index);
/* Folders in the named folders, which are not read. */
size_t saved_inner_folder_count(const struct saved *r);

/* For a progress bar: bytes of input consumed (compressed ones as such), and in all (0: unknown).
 */
uint64_t saved_bytes_done(const struct saved *r);
uint64_t saved_bytes_total(const struct saved *r);

#endif
