/*
 * saved_internal - saved captures and whose turn it is; shared by saved.c (merging),
 * saved_open.c (finding) and known.c (what was counted before).
 */
#ifndef TLSTALLY_CAPTURE_SAVED_INTERNAL_H
#define TLSTALLY_CAPTURE_SAVED_INTERNAL_H

#include "capture/capture_internal.h"
#include "capture/saved.h"

/* Above this many files at once, each gives its descriptor back between two reads. */
#define OPEN_MAX_FILES 64
/* So many at once may have a thread for their compression. */
#define AHEAD_MAX_FILES 8

struct entry {
	struct saved_file file;
	char *path;            /* owned; file.path */
	size_t index;          /* frame.source */
	bool is_stream;        /* can be read only once */
	struct reader *reader; /* NULL: its turn has not come, or it is done */
	struct frame next;     /* the frame it would give next; not counted yet */
	int64_t first_us;      /* time of its first packet, known before its turn */
	int64_t last_us;       /* time of the last packet counted */
	uint64_t done_len;     /* its part of replay.done_len */
	/* What was told before, with the skipped packets. */
	uint64_t skipped_interface_loss, skipped_kernel_loss;
};

struct saved {
	struct saved_options options;
	struct entry **entries; /* owned, as are the entries */
	size_t count, room;
	struct path_list passed_over;
	size_t inner_folder_count;
	struct entry **waiting; /* borrowed entries, by time of their first packet ... */
	size_t waiting_count, waiting_next; /* ... of which waiting[waiting_next] is next */
	struct entry **heap;                /* borrowed entries with a frame, earliest on top */
	size_t heap_count;
	struct entry *stalled; /* has to read before anybody's next frame is certain, or NULL */
	size_t active_count;   /* entries with a reader */
	bool begun;            /* pipes are read from the first saved_read on, not before */
	uint64_t done_len, total_len;
	bool total_unknown; /* there is a pipe among them */
	bool keeps;         /* saved_keep */
	struct map_kept kept;
	struct map_choice choice; /* of all large files */
};

/* Finds and peeks: fills entries and waiting. */
void saved_find(struct saved *r, const char *const *paths, size_t path_count);

void entry_free(struct entry *e);
/* Opens the reader of `e`; on failure marks it and returns false.  Its memory is for its turn. */
bool entry_open(struct saved *r, struct entry *e);
/* The next frame into e->next, reading as needed; never READER_MORE. */
enum reader_answer entry_advance(struct saved *r, struct entry *e);
/* No more frames: keeps what the reader found out, and closes it. */
void entry_finish(struct saved *r, struct entry *e, enum reader_answer answer);
/* Keeps *err as what is wrong with the file. */
void entry_fail(struct entry *e, const struct error *err, bool unusable);
/* Packets between others could not be read, and that is said of the file. */
void entry_fail_for_left_out(struct entry *e, const struct reader *reader);
/* Counts frames of `e` that follow each other, as handed out or skipped. */
void entry_count(struct entry *e, const struct frame *frames, size_t count);

/*
 * For an entry whose first frame is in e->next: passes over what options.known knows of it.
 * Returns false when that leaves nothing; the entry is finished then.
 */
bool entry_skip_known(struct saved *r, struct entry *e);

#endif
