/*
 * Loaded in front of a program, lets its clock be set while it runs, and nobody else's:
 *
 *   CLOCK_FILE=clock LD_PRELOAD=set_clock.so program
 *
 * The file has the number of microseconds, eight bytes, by which the clock is ahead (int64_t).  It
 * is mapped at the start, so that who writes to it sets the clock at once, also of a program that
 * is confined.  Clocks that nobody sets are left alone.  A ring's packets keep the kernel's times;
 * what NFLOG gives is dated with gettimeofday.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_us;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

static void __attribute__((constructor)) set_up(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *memory = MAP_FAILED;

	*(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd >= 0)
		memory = mmap(NULL, sizeof(*ahead_us), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || real_clock_gettime == NULL)
		abort();
	ahead_us = memory;
	(void)close(fd);
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int status = real_clock_gettime(clock, out);
	int64_t ns;

	if (status != 0 || clock != CLOCK_REALTIME)
		return status;
	ns = (int64_t)out->tv_nsec + *ahead_us % 1000000 * 1000;
	out->tv_sec += (time_t)(*ahead_us / 1000000 + (ns < 0 ? -1 : ns / 1000000000));
	out->tv_nsec = (long)((ns + 1000000000) % 1000000000);
	return 0;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
