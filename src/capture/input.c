#include "capture/capture_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/interrupt.h"

#include "base/banned.h"

/* Of a longer path the end is shown, so that the sentence around it is not cut off. */
#define LABEL_LEN_MAX 300

const char *
input_label(const struct input *in)
{
	size_t len;

	if (in->path == NULL)
		return "the capture";
	if (strcmp(in->path, "-") == 0)
		return "standard input";
	len = strlen(in->path);
	return len > LABEL_LEN_MAX ? in->path + len - LABEL_LEN_MAX : in->path;
}

static bool
is_standard_input(const struct input *in)
{
	return in->path != NULL && strcmp(in->path, "-") == 0;
}

static int
open_path(struct input *in, struct stat *st, struct error *err)
{
	in->fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0) {
		if (errno == ENOENT)
			error_set(err, "%s does not exist", input_label(in));
		else
			error_set(err, "cannot read %s: %s", input_label(in), strerror(errno));
		return -1;
	}
	if (fstat(in->fd, st) != 0) {
		error_set(err, "cannot read %s: %s", input_label(in), strerror(errno));
		return -1;
	}
	if (S_ISREG(st->st_mode))
		(void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int
open_standard_input(struct input *in, struct stat *st, struct error *err)
{
	off_t start;

	in->fd = STDIN_FILENO;
	if (fstat(in->fd, st) != 0) {
		error_set(err, "cannot read standard input: %s", strerror(errno));
		return -1;
	}
	if (isatty(in->fd)) {
		error_set(err, "standard input is a terminal: send a capture into it, as in "
			       "\"tcpdump -w - | tlstally replay -\"");
		return -1;
	}
	start = S_ISREG(st->st_mode) ? lseek(in->fd, 0, SEEK_CUR) : 0;
	in->start = start > 0 ? (uint64_t)start : 0;
	return 0;
}

int
input_open(struct input *in, const char *path, struct error *err)
{
	struct stat st;

	*in = (struct input){ .path = path, .fd = -1 };
	if ((is_standard_input(in) ? open_standard_input(in, &st, err) : open_path(in, &st, err)) !=
	    0)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		error_set(err, "%s is a folder", input_label(in));
		return -1;
	}
	in->is_stream = !S_ISREG(st.st_mode);
	if (in->is_stream)
		interrupt_prepare();
	in->device = st.st_dev;
	in->inode = st.st_ino;
	if (!in->is_stream && st.st_size > 0 && (uint64_t)st.st_size > in->start)
		in->size = (uint64_t)st.st_size - in->start;
	return 0;
}

void
input_open_memory(struct input *in, struct span bytes)
{
	*in = (struct input){ .fd = -1, .memory = bytes, .size = bytes.len };
}

void
input_close(struct input *in)
{
	if (in->fd >= 0 && !is_standard_input(in))
		(void)close(in->fd);
	in->fd = -1;
}

void
input_rest(struct input *in)
{
	if (!in->is_stream)
		input_close(in);
}

/* Between two reads the file may have been replaced; what is under its name now is another one. */
static int
reopen(struct input *in, struct error *err)
{
	struct stat st;

	if (is_standard_input(in)) {
		in->fd = STDIN_FILENO;
		return 0;
	}
	if (open_path(in, &st, err) != 0)
		return -1;
	if (st.st_dev != in->device || st.st_ino != in->inode) {
		error_set(err, "%s was replaced while it was being read", input_label(in));
		return -1;
	}
	return 0;
}

static ssize_t
read_memory(struct input *in, uint8_t *out, size_t room)
{
	size_t len = 0;

	if (in->offset < in->memory.len) {
		len = in->memory.len - (size_t)in->offset;
		len = len < room ? len : room;
		memcpy(out, in->memory.data + in->offset, len);
		in->offset += len;
	}
	return (ssize_t)len;
}

ssize_t
input_read(struct input *in, uint8_t *out, size_t room, struct error *err)
{
	ssize_t len;

	if (in->path == NULL)
		return read_memory(in, out, room);
	if (in->fd < 0 && reopen(in, err) != 0)
		return -1;
	if (in->is_stream && !interrupt_wait(in->fd))
		return 0;
	do {
		if (in->is_stream)
			len = read(in->fd, out, room);
		else
			len = pread(in->fd, out, room, (off_t)(in->start + in->offset));
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		error_set(err, "cannot read %s at byte %llu: %s", input_label(in),
		    (unsigned long long)in->offset, strerror(errno));
	else
		in->offset += (uint64_t)len;
	return len;
}

bool
input_skip(struct input *in, uint64_t len)
{
	/* Far behind any end of a file, and far from where off_t turns negative. */
	if (in->is_stream || len > UINT64_C(1) << 40 || in->offset > UINT64_C(1) << 60)
		return false;
	in->offset += len;
	return true;
}
