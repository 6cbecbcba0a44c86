#define _GNU_SOURCE /* sched_getaffinity; NOLINT(bugprone-reserved-identifier) */
#include "replay/threads.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"

#include "base/banned.h"

/* Less is read before a second thread has begun. */
#define LEN_MIN ((uint64_t)8 << 20)
/* Of three parts of the work each is one thread's at a time: so many share it, and hardly more. */
#define USEFUL_MAX 4

/* Those that this process may use: a container has fewer of them than the machine. */
static unsigned
processor_count(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

unsigned
replay_useful_threads(const struct replay *replay)
{
	unsigned count = processor_count();

	/* What comes through a pipe comes slowly, and to read it may have to be broken off. */
	if (replay_bytes_total(replay) < LEN_MIN || count < 1)
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
