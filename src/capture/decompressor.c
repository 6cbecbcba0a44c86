/*
 * decompressor - takes the compression off a capture.
 *
 * gzip goes through zlib itself: a capture that is still being compressed, or was cut off, ends in
 * mid-stream, and libarchive keeps its last 64 KiB to itself then.  xz goes through liblzma, which
 * can be told how much memory a capture may ask for.  The others go through libarchive, one layer
 * only, so that nothing unfolds twice; their formats, and libarchive, bound what they need (128 MiB
 * for zstd).  It is loaded for them, and not with the program: with what it is linked with, from
 * ICU to XML, that takes longer than to read a small capture.
 */
#define ZLIB_CONST
#include "capture/capture_internal.h"

#include <archive.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/library.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define RAW_LEN (64u * 1024)
/* zlib: a window of 32 KiB (15 bits), and a gzip header around the data (+ 16). */
#define GZIP_WINDOW_BITS (15 + 16)
/* `xz -9` asks for 65 MiB; a file may ask for 4 GiB. */
#define XZ_MEMORY_MAX (UINT64_C(96) << 20)
/* What zstd itself allows, and `zstd -d` without --memory; `zstd --long=31` makes 2 GiB of it. */
#define ZSTD_MEMORY_MAX (UINT64_C(128) << 20)
#define ZSTD_MAGIC 0x28b52ffdu
#define ZSTD_SINGLE_SEGMENT 0x20

#define ARCHIVE_LIBRARY "libarchive.so.13"
#define ARCHIVE_FUNCTIONS(f)                                                                       \
	f(archive_errno) f(archive_error_string) f(archive_filter_bytes)                           \
	    f(archive_read_append_filter) f(archive_read_data_block) f(archive_read_free)          \
		f(archive_read_new) f(archive_read_next_header) f(archive_read_open)               \
		    f(archive_read_support_format_raw) f(archive_set_error)

struct archive_library {
	ARCHIVE_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(archive_library, ARCHIVE_FUNCTIONS);

#define XZ_LIBRARY "liblzma.so.5"
#define XZ_FUNCTIONS(f) f(lzma_code) f(lzma_end) f(lzma_memusage) f(lzma_stream_decoder)

struct xz_library {
	XZ_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(xz_library, XZ_FUNCTIONS);

struct decompressor {
	enum compression compression;
	struct input *in; /* borrowed */
	struct span rest; /* of `raw`: not decompressed yet */
	z_stream gzip;
	bool gzip_begun;
	bool gzip_full;       /* the last call ran out of room: there may be more inside zlib */
	bool between_members; /* gzip: a member is complete */
	struct xz_library xz_lib;
	lzma_stream xz;
	bool xz_begun;
	lzma_ret xz_result; /* of the last call */
	struct archive_library lib;
	struct archive *archive;   /* NULL before the first read, and where it is not to be had */
	struct span block;         /* libarchive: decompressed, not handed out yet */
	struct error *input_error; /* libarchive: where its callback may explain itself */
	bool input_ended;          /* libarchive: it was told that there is no more */
	struct span fed;           /* libarchive: it was given last */
	uint8_t raw[RAW_LEN];
};

static const struct {
	enum compression compression;
	const char *name;
	int filter; /* libarchive's number, where it is the one that reads it */
	const char *magic;
	size_t magic_len;
} kinds[] = {
	{ COMPRESSION_GZIP, "gzip", ARCHIVE_FILTER_NONE, "\x1f\x8b\x08", 3 },
	{ COMPRESSION_BZIP2, "bzip2", ARCHIVE_FILTER_BZIP2, "BZh", 3 },
	{ COMPRESSION_XZ, "xz", ARCHIVE_FILTER_NONE,
	    "\xfd"
	    "7zXZ\0",
	    6 },
	{ COMPRESSION_ZSTD, "zstd", ARCHIVE_FILTER_ZSTD, "\x28\xb5\x2f\xfd", 4 },
	/* pzstd begins with a skippable frame (RFC 8878, section 3.1.2), which holds a length. */
	{ COMPRESSION_ZSTD, "zstd", ARCHIVE_FILTER_ZSTD, "\x50\x2a\x4d\x18", 4 },
	{ COMPRESSION_LZ4, "lz4", ARCHIVE_FILTER_LZ4, "\x04\x22\x4d\x18", 4 },
};

enum compression
compression_detect(struct span head)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (span_equals(span_first(head, kinds[i].magic_len),
			span_from(kinds[i].magic, kinds[i].magic_len)))
			return kinds[i].compression;
	return COMPRESSION_NONE;
}

static const char *
name_of(enum compression compression)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].compression == compression)
			return kinds[i].name;
	return "";
}

struct decompressor *
decompressor_new(enum compression compression, struct input *in, struct span head)
{
	struct decompressor *d = xcalloc(1, sizeof(*d));

	d->compression = compression;
	d->in = in;
	head = span_first(head, RAW_LEN);
	memcpy(d->raw, head.data, head.len);
	d->rest = span_from(d->raw, head.len);
	return d;
}

void
decompressor_free(struct decompressor *d)
{
	if (d == NULL)
		return;
	if (d->gzip_begun)
		(void)inflateEnd(&d->gzip);
	if (d->xz_begun)
		d->xz_lib.lzma_end(&d->xz);
	if (d->archive != NULL)
		(void)d->lib.archive_read_free(d->archive);
	free(d);
}

/* 1 when there is something in `rest`, 0 at the end of the input, -1. */
static int
refill(struct decompressor *d, struct error *err)
{
	ssize_t len;

	if (d->rest.len > 0)
		return 1;
	len = input_read(d->in, d->raw, RAW_LEN, err);
	if (len <= 0)
		return (int)len;
	d->rest = span_from(d->raw, (size_t)len);
	return 1;
}

static void
explain_damage(const struct decompressor *d, uint64_t offset, const char *why, struct error *err)
{
	error_set(err, "%s is damaged near byte %llu of its %s data (%s)", input_label(d->in),
	    (unsigned long long)offset, name_of(d->compression), why);
}

static void
explain_end(const struct decompressor *d, struct error *err)
{
	error_set(err, "%s ends too early: its %s data are cut off at byte %llu",
	    input_label(d->in), name_of(d->compression), (unsigned long long)d->in->offset);
}

static void
explain_greed(const struct decompressor *d, uint64_t asked, uint64_t max, struct error *err)
{
	error_set(err,
	    "cannot decompress %s: its %s data ask for %llu MiB of memory, and %llu MiB are the "
	    "most",
	    input_label(d->in), name_of(d->compression), (unsigned long long)(asked >> 20),
	    (unsigned long long)(max >> 20));
}

static void
explain_no_memory(const struct decompressor *d, struct error *err)
{
	error_set(err, "cannot decompress %s: out of memory", input_label(d->in));
}

/* 1 to go on, 0 at the end, -1. */
static int
gzip_begin_member(struct decompressor *d, struct error *err)
{
	int answer = refill(d, err);

	if (answer <= 0) {
		if (answer == 0 && !d->between_members)
			explain_end(d, err);
		return answer < 0 || !d->between_members ? -1 : 0;
	}
	if (!d->gzip_begun) {
		if (inflateInit2(&d->gzip, GZIP_WINDOW_BITS) != Z_OK) {
			error_set(
			    err, "cannot decompress %s: zlib does not start", input_label(d->in));
			return -1;
		}
		d->gzip_begun = true;
	} else if (d->between_members) {
		/* RFC 1952, section 2.2: members follow each other; padding may follow them. */
		if (d->rest.data[0] == 0)
			return 0;
		(void)inflateReset(&d->gzip);
	}
	d->between_members = false;
	return 1;
}

static ssize_t
gzip_read(struct decompressor *d, uint8_t *out, size_t room, struct error *err)
{
	size_t len = 0;

	while (len == 0) {
		int answer = d->gzip_full ? 1 : gzip_begin_member(d, err);
		int result;

		if (answer <= 0)
			return answer;
		d->gzip.next_in = d->rest.data;
		d->gzip.avail_in = (uInt)d->rest.len; /* RAW_LEN at most */
		d->gzip.next_out = out;
		d->gzip.avail_out = (uInt)room; /* a window at most */
		result = inflate(&d->gzip, Z_NO_FLUSH);
		d->rest = span_from(d->gzip.next_in, d->gzip.avail_in);
		len = room - d->gzip.avail_out;
		d->gzip_full = d->gzip.avail_out == 0;
		if (result == Z_STREAM_END) {
			d->between_members = true;
		} else if (result == Z_MEM_ERROR) {
			explain_no_memory(d, err);
			return -1;
		} else if (result != Z_OK && result != Z_BUF_ERROR && len == 0) {
			/* With len > 0 zlib says so again in the next call. */
			explain_damage(d, d->in->offset - d->rest.len,
			    d->gzip.msg != NULL ? d->gzip.msg : "no valid data", err);
			return -1;
		}
	}
	return (ssize_t)len;
}

static ssize_t
xz_failed(const struct decompressor *d, struct error *err)
{
	if (d->xz_result == LZMA_BUF_ERROR)
		explain_end(d, err);
	else if (d->xz_result == LZMA_MEMLIMIT_ERROR)
		explain_greed(d, d->xz_lib.lzma_memusage(&d->xz), XZ_MEMORY_MAX, err);
	else if (d->xz_result == LZMA_MEM_ERROR)
		explain_no_memory(d, err);
	else
		explain_damage(d, d->in->offset - d->rest.len, "no valid data", err);
	return -1;
}

static int
xz_begin(struct decompressor *d, struct error *err)
{
	if (LIBRARY_LOAD(XZ_LIBRARY, xz_library, &d->xz_lib, err) != 0) {
		error_prefix(err, "cannot decompress %s", input_label(d->in));
		return -1;
	}
	d->xz = (lzma_stream)LZMA_STREAM_INIT;
	d->xz_result = d->xz_lib.lzma_stream_decoder(&d->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED);
	d->xz_begun = true;
	return 0;
}

static ssize_t
xz_read(struct decompressor *d, uint8_t *out, size_t room, struct error *err)
{
	if (!d->xz_begun && xz_begin(d, err) != 0)
		return -1;
	d->xz.next_out = out;
	d->xz.avail_out = room;
	while (d->xz.avail_out == room) {
		int answer = refill(d, err);

		if (answer < 0)
			return -1;
		/* What went wrong behind the bytes of the last call. */
		if (d->xz_result != LZMA_OK && d->xz_result != LZMA_STREAM_END)
			return xz_failed(d, err);
		d->xz.next_in = d->rest.data;
		d->xz.avail_in = d->rest.len;
		d->xz_result = d->xz_lib.lzma_code(&d->xz, answer == 0 ? LZMA_FINISH : LZMA_RUN);
		d->rest = span_from(d->xz.next_in, d->xz.avail_in);
		if (d->xz_result == LZMA_STREAM_END)
			break;
	}
	return (ssize_t)(room - d->xz.avail_out);
}

static la_ssize_t
feed_archive(struct archive *archive, void *arg, const void **out)
{
	struct decompressor *d = arg;
	int answer = refill(d, d->input_error);

	if (answer < 0)
		d->lib.archive_set_error(archive, EIO, "cannot read");
	*out = d->rest.data;
	d->input_ended = answer == 0;
	if (answer <= 0)
		return answer;
	answer = (int)d->rest.len; /* RAW_LEN at most */
	d->fed = d->rest;
	d->rest.len = 0;
	return answer;
}

/* RFC 8878, section 3.1.1.1: what the first frame asks for; 0 where that is its own length. */
static uint64_t
zstd_window_len(struct span head)
{
	uint32_t magic;
	uint8_t descriptor, window;
	uint64_t len;

	if (!span_read_u32(&head, &magic) || magic != ZSTD_MAGIC ||
	    !span_read_u8(&head, &descriptor) || (descriptor & ZSTD_SINGLE_SEGMENT) != 0 ||
	    !span_read_u8(&head, &window))
		return 0;
	len = UINT64_C(1) << (10 + (window >> 3));
	return len + len / 8 * (window & 7);
}

static int
archive_start(struct decompressor *d, struct error *err)
{
	struct archive_entry *entry; /* borrowed */
	int filter = ARCHIVE_FILTER_NONE;

	/* libarchive would say that it does not know the format. */
	if (d->compression == COMPRESSION_ZSTD && zstd_window_len(d->rest) > ZSTD_MEMORY_MAX) {
		explain_greed(d, zstd_window_len(d->rest), ZSTD_MEMORY_MAX, err);
		return ARCHIVE_FATAL;
	}
	if (LIBRARY_LOAD(ARCHIVE_LIBRARY, archive_library, &d->lib, err) != 0) {
		error_prefix(err, "cannot decompress %s", input_label(d->in));
		return ARCHIVE_FATAL;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].compression == d->compression)
			filter = kinds[i].filter;
	d->archive = d->lib.archive_read_new();
	if (d->archive == NULL)
		return ARCHIVE_FATAL;
	/* Anything but OK would mean that another program is started for it. */
	if (d->lib.archive_read_append_filter(d->archive, filter) != ARCHIVE_OK ||
	    d->lib.archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
	    d->lib.archive_read_open(d->archive, d, NULL, feed_archive, NULL) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return d->lib.archive_read_next_header(d->archive, &entry);
}

static ssize_t
archive_failed(struct decompressor *d, struct error *err)
{
	const char *why;

	if (err->text[0] != '\0')
		return -1; /* loading or reading failed, and said why */
	if (d->archive == NULL || d->lib.archive_errno(d->archive) == ENOMEM) {
		explain_no_memory(d, err);
		return -1;
	}
	why = d->lib.archive_error_string(d->archive);
	/* Data that are wrong, and not only short, fail before their end is asked for. */
	if (d->input_ended)
		explain_end(d, err);
	else
		explain_damage(d, d->in->offset, why != NULL ? why : "no valid data", err);
	return -1;
}

/* bzip2, lz4: it ends where no further stream begins, and leaves what is there: padding, or not. */
static ssize_t
archive_end(const struct decompressor *d, struct error *err)
{
	uint64_t taken = (uint64_t)d->lib.archive_filter_bytes(d->archive, -1);
	uint64_t left = d->in->offset - taken;

	if (left == 0 || left > d->fed.len || d->fed.data[d->fed.len - left] == 0)
		return 0;
	explain_damage(d, taken, "no valid data", err);
	return -1;
}

static ssize_t
archive_read(struct decompressor *d, uint8_t *out, size_t room, struct error *err)
{
	size_t len;

	err->text[0] = '\0';
	d->input_error = err;
	if (d->archive == NULL) {
		int result = archive_start(d, err);

		if (result == ARCHIVE_EOF)
			return 0;
		if (result != ARCHIVE_OK)
			return archive_failed(d, err);
	}
	/* Block by block: archive_read_data throws away what precedes an error. */
	while (d->block.len == 0) {
		const void *data;
		la_int64_t offset;
		int result = d->lib.archive_read_data_block(d->archive, &data, &len, &offset);

		if (result == ARCHIVE_EOF)
			return archive_end(d, err);
		if (result != ARCHIVE_OK)
			return archive_failed(d, err);
		d->block = span_from(data, len);
	}
	len = d->block.len < room ? d->block.len : room;
	memcpy(out, d->block.data, len);
	return span_skip(&d->block, len) ? (ssize_t)len : -1;
}

ssize_t
decompressor_read(struct decompressor *d, uint8_t *out, size_t room, struct error *err)
{
	if (d->compression == COMPRESSION_GZIP)
		return gzip_read(d, out, room, err);
	if (d->compression == COMPRESSION_XZ)
		return xz_read(d, out, room, err);
	return archive_read(d, out, room, err);
}
