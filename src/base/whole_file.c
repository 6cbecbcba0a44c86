#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/banned.h"

#define READ_LEN ((size_t)16 << 10)

/* One byte more than allowed shows that the file is too long. */
static int
read_whole(int fd, size_t max, struct buf *out)
{
	size_t left = max + 1;

	while (left > 0) {
		size_t room = left < READ_LEN ? left : READ_LEN;
		ssize_t len = read(fd, buf_reserve(out, room), room);

		if (len == 0)
			return 0;
		if (len < 0 && errno != EINTR)
			return -1;
		if (len > 0) {
			out->len += (size_t)len;
			left -= (size_t)len;
		}
	}
	errno = EFBIG;
	return -1;
}

int
whole_file_read(const char *path, size_t max, struct buf *out)
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
