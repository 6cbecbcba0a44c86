/*
 * Loaded in front of a program (LD_PRELOAD), lets its Nth call of one kind fail.
 *
 * FAIL_CALL   KIND:N:ERRNO, or KIND:N:ERRNO+ for that call and all later ones of the kind; with
 *             "short" for ERRNO, half of what was asked for is read or written instead
 * FAIL_COUNT  a file for the number of calls of the kind; N then is best 0, and nothing fails
 *
 * Calls count from main() on.  What the C library calls inside of itself does not pass here: the
 * reading of a FILE, for one.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* dlsym() takes memory itself, so these are reached without it. */
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *old, size_t len);

static char wanted[16]; /* the kind; empty before main() */
static unsigned long which;
static int fault;
static bool and_later, is_short;
static atomic_ulong count;

/* True where this call is to fail; errno says how. */
static bool
fails(const char *kind)
{
	unsigned long number;

	if (strcmp(kind, wanted) != 0)
		return false;
	number = atomic_fetch_add(&count, 1) + 1;
	if (number != which && !(and_later && number > which))
		return false;
	errno = fault;
	return true;
}

/* POSIX: what dlsym gives is a function's address too; ISO C has no cast for it. */
static void
find(const char *name, void *pointer)
{
	void *function = dlsym(RTLD_NEXT, name);

	memcpy(pointer, &function, sizeof(function));
}

#define REAL(result, name, params)                                                                 \
	static result(*real) params;                                                               \
	if (real == NULL)                                                                          \
	find(#name, &real)

#define FAILING(kind, result, failed, name, params, args)                                          \
	result name params                                                                         \
	{                                                                                          \
		REAL(result, name, params);                                                        \
		return fails(kind) ? (failed) : real args;                                         \
	}

/* What hands over `len` bytes. */
#define MOVING(kind, name, params, args)                                                           \
	ssize_t name params                                                                        \
	{                                                                                          \
		REAL(ssize_t, name, params);                                                       \
		if (fails(kind)) {                                                                 \
			if (!is_short)                                                             \
				return -1;                                                         \
			len -= len / 2;                                                            \
		}                                                                                  \
		return real args;                                                                  \
	}

void *
malloc(size_t len)
{
	return fails("memory") ? NULL : __libc_malloc(len);
}

void *
calloc(size_t item_count, size_t len)
{
	return fails("memory") ? NULL : __libc_calloc(item_count, len);
}

void *
realloc(void *old, size_t len)
{
	return fails("memory") ? NULL : __libc_realloc(old, len);
}

int
open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	REAL(int, open, (const char *, int, mode_t));

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails("open") ? -1 : real(path, flags, mode);
}

int
fcntl(int fd, int command, ...)
{
	va_list args;
	void *argument;
	REAL(int, fcntl, (int, int, void *));

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	return fails("lock") ? -1 : real(fd, command, argument);
}

/* One that is not installed: dlerror() has to say why. */
void *
dlopen(const char *file, int flags)
{
	REAL(void *, dlopen, (const char *, int));

	return real(fails("library") ? "libthat.is.not.installed" : file, flags);
}

/* The descriptor is gone all the same, as close(2) says. */
int
close(int fd)
{
	bool failed = fails("close");
	int why = errno;
	REAL(int, close, (int));

	if (real(fd) != 0)
		return -1;
	errno = why;
	return failed ? -1 : 0;
}

MOVING("read", read, (int fd, void *data, size_t len), (fd, data, len))
MOVING("read", pread, (int fd, void *data, size_t len, off_t at), (fd, data, len, at))
MOVING("write", write, (int fd, const void *data, size_t len), (fd, data, len))
MOVING("write", pwrite, (int fd, const void *data, size_t len, off_t at), (fd, data, len, at))
FAILING("open", DIR *, NULL, opendir, (const char *path), (path))
FAILING("open", int, -1, mkstemp, (char *path), (path))
FAILING("names", struct dirent *, NULL, readdir, (DIR * folder), (folder))
FAILING("sync", int, -1, fsync, (int fd), (fd))
FAILING("sync", int, -1, fdatasync, (int fd), (fd))
FAILING("size", int, -1, ftruncate, (int fd, off_t len), (fd, len))
FAILING("rename", int, -1, rename, (const char *from, const char *to), (from, to))
FAILING("unlink", int, -1, unlink, (const char *path), (path))
FAILING("unlink", int, -1, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
FAILING("look", int, -1, stat, (const char *path, struct stat *out), (path, out))
FAILING("look", int, -1, fstat, (int fd, struct stat *out), (fd, out))
FAILING("user", struct passwd *, NULL, getpwnam, (const char *name), (name))
FAILING("wake", int, -1, eventfd, (unsigned value, int flags), (value, flags))
FAILING("watch", int, -1, epoll_ctl, (int fd, int action, int of, struct epoll_event *event),
    (fd, action, of, event))
FAILING("wait", int, -1, epoll_wait, (int fd, struct epoll_event *events, int max, int timeout),
    (fd, events, max, timeout))
FAILING("thread", int, fault, pthread_create,
    (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),
    (thread, attr, run, arg))

static void
write_count(void)
{
	FILE *out;

	wanted[0] = '\0';
	out = fopen(getenv("FAIL_COUNT"), "we");
	if (out == NULL)
		return;
	(void)fprintf(out, "%lu\n", atomic_load(&count));
	(void)fclose(out);
}

static int (*real_main)(int, char **, char **);

static int
counted_main(int argc, char **argv, char **environment)
{
	const char *text = getenv("FAIL_CALL");
	char kind[sizeof(wanted)], how[16];

	if (text != NULL && sscanf(text, "%15[a-z]:%lu:%15s", kind, &which, how) == 3) {
		is_short = strcmp(how, "short") == 0;
		fault = is_short ? EIO : (int)strtol(how, NULL, 10);
		and_later = strchr(how, '+') != NULL;
		if (getenv("FAIL_COUNT") != NULL)
			(void)atexit(write_count);
		memcpy(wanted, kind, sizeof(kind));
	}
	return real_main(argc, argv, environment);
}

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
    void (*begin)(void), void (*end)(void), void (*loader_end)(void), void *stack_end);

int
__libc_start_main(int (*program)(int, char **, char **), int argc, char **argv, void (*begin)(void),
    void (*end)(void), void (*loader_end)(void), void *stack_end)
{
	REAL(int, __libc_start_main,
	    (int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		void (*)(void), void *));

	real_main = program;
	return real(counted_main, argc, argv, begin, end, loader_end, stack_end);
}
