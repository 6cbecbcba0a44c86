#include "capture/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture/saved.h"

#include "base/banned.h"

#define NOT_OPEN (-1)

static atomic_int bell = NOT_OPEN; /* readable, and never read, once it was rung */
static atomic_bool raised;

void
saved_interrupt(void)
{
	const uint64_t one = 1;
	int kept_errno = errno, fd;

	/* In this order: who has found nothing raised finds the bell. */
	atomic_store(&raised, true);
	fd = atomic_load(&bell);
	if (fd != NOT_OPEN && write(fd, &one, sizeof(one)) < 0)
		errno = kept_errno; /* it rings already */
}

void
interrupt_prepare(void)
{
	int fd, none = NOT_OPEN;

	if (atomic_load(&bell) != NOT_OPEN)
		return;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd >= 0 && !atomic_compare_exchange_strong(&bell, &none, fd))
		(void)close(fd);
}

bool
interrupt_wait(int fd)
{
	struct pollfd either[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = atomic_load(&bell), .events = POLLIN }, /* poll passes over -1 */
	};

	while (!atomic_load(&raised)) {
		int count = poll(either, sizeof(either) / sizeof(either[0]), -1);

		/* What cannot be polled is read, which says what is wrong with it. */
		if (count >= 0 ? either[0].revents != 0 : errno != EINTR)
			return true;
	}
	return false;
}

bool
interrupt_was_raised(void)
{
	return atomic_load(&raised);
}
