/*
 * measure - runs a command and writes what it took: wall seconds, processor seconds, peak KiB.
 *
 * usage: measure REPORT COMMAND [ARG...]
 *
 * A small program, because the peak of a process counts from before its exec: that of a large one
 * which starts a small one is its own.  The exit status is the command's.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/banned.h"

extern char **environ;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int
write_report(const char *path, double wall, const struct rusage *used)
{
	FILE *out = fopen(path, "w");

	if (out == NULL) {
		perror(path);
		return 2;
	}
	(void)fprintf(out, "%.6f %.6f %ld\n", wall,
	    seconds(used->ru_utime) + seconds(used->ru_stime), used->ru_maxrss);
	return fclose(out) == 0 ? 0 : 2;
}

int
main(int argc, char **argv)
{
	struct rusage used;
	double begin = now(), wall;
	int status, result;
	pid_t pid;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: measure REPORT COMMAND [ARG...]\n");
		return 2;
	}
	if (posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0) {
		perror(argv[2]);
		return 2;
	}
	if (wait4(pid, &status, 0, &used) != pid) {
		perror("measure");
		return 2;
	}
	wall = now() - begin;
	result = write_report(argv[1], wall, &used);
	if (result != 0)
		return result;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
