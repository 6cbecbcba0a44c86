#include "app/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "policy/printable.h"

#include "base/banned.h"

#define LINE_SHOWN_MAX 1024

/* Reads one byte more than allowed at most, which shows that the file is too long. */
static int
read_whole(int fd, size_t max, struct buf *out)
{
	size_t end = out->len + max + 1;

	while (out->len < end) {
		ssize_t len = read(fd, buf_reserve(out, end - out->len), end - out->len);

		if (len == 0)
			return 0;
		if (len > 0)
			out->len += (size_t)len;
		else if (errno != EINTR)
			return -1;
	}
	errno = EFBIG;
	return -1;
}

int
text_file_read(const char *path, size_t max, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result, why;

	if (fd < 0)
		return -1;
	result = read_whole(fd, max, out);
	why = errno;
	(void)close(fd);
	errno = why;
	return result;
}

bool
text_file_is_stream(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void
text_file_log_fault(void *arg, unsigned line, const char *text)
{
	struct text_file_faults *faults = arg;
	struct buf raw = { 0 }, shown = { 0 };

	if (faults->count++ >= TEXT_FILE_FAULTS_SHOWN)
		return;
	buf_addf(&raw, "%s:%u: %s", faults->path, line, text);
	printable_add(&shown, span_from(raw.data, raw.len), LINE_SHOWN_MAX);
	log_error("%s", buf_text(&shown));
	buf_release(&raw);
	buf_release(&shown);
}
