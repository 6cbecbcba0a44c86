#define _GNU_SOURCE /* sched_getaffinity; NOLINT(bugprone-reserved-identifier) */
#include "replay/threads.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/whole_file.h"

#include "base/banned.h"

/* Less is read before a second thread has begun. */
#define LEN_MIN ((uint64_t)8 << 20)
/* Of three parts of the work each is one thread's at a time: so many share it, and hardly more. */
#define USEFUL_MAX 4

/* Returns how many there are in that file of the folder, `max` at most; other words end them. */
static size_t
read_numbers(const char *folder, const char *name, uint64_t *out, size_t max)
{
	struct buf path = { 0 }, text = { 0 };
	size_t count = 0;

	buf_addf(&path, "%s/%s", folder, name);
	if (whole_file_read(buf_text(&path), 100, &text) == 0) {
		const char *p = buf_text(&text);

		for (char *end; count < max; p = end) {
			uint64_t number = strtoull(p, &end, 10);

			if (end == p)
				break;
			out[count++] = number;
		}
	}
	buf_release(&path);
	buf_release(&text);
	return count;
}

unsigned
replay_quota(const char *cgroups)
{
	uint64_t n[2]; /* so much time in so much; -1, or no number, is no quota */

	if (read_numbers(cgroups, "cpu.max", n, 2) != 2 &&
	    (read_numbers(cgroups, "cpu/cpu.cfs_quota_us", &n[0], 1) != 1 ||
		read_numbers(cgroups, "cpu/cpu.cfs_period_us", &n[1], 1) != 1))
		return UINT_MAX;
	if (n[1] == 0 || n[0] / n[1] > UINT_MAX)
		return UINT_MAX;
	return n[0] < n[1] ? 1 : (unsigned)(n[0] / n[1]);
}

/* Those that this process may use: a container has fewer of them than the machine. */
static unsigned
processor_count(void)
{
	unsigned quota = replay_quota("/sys/fs/cgroup"), count;
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	count = (unsigned)CPU_COUNT(&set);
	return count < quota ? count : quota;
}

unsigned
replay_useful_threads(const struct saved *saved)
{
	unsigned count = processor_count();

	/* What comes through a pipe comes slowly, and to read it may have to be broken off. */
	if (saved_bytes_total(saved) < LEN_MIN || count < 1)
		return 1;
	return count < USEFUL_MAX ? count : USEFUL_MAX;
}

unsigned
replay_threads_start(pthread_t *threads, unsigned count, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	unsigned started = 0;
	int status = 0;

	(void)sigfillset(&all);
	/* Who touches a map takes this one itself: blocked, it would end the process. */
	(void)sigdelset(&all, SIGBUS);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started < count && status == 0) {
		status = pthread_create(&threads[started], NULL, run, arg);
		if (status == 0)
			started++;
		else
			log_warning("cannot start a thread: %s", strerror(status));
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return started;
}
