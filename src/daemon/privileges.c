#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/library.h"
#include "base/log.h"

#include "base/banned.h"

#define CAPABILITIES_LIBRARY "libcap-ng.so.0"
#define CAPABILITIES_FUNCTIONS(f) f(capng_apply) f(capng_clear)
#define CALLS_LIBRARY "libseccomp.so.2"
#define CALLS_FUNCTIONS(f)                                                                         \
	f(seccomp_attr_set) f(seccomp_init) f(seccomp_load) f(seccomp_release) f(seccomp_rule_add) \
	    f(seccomp_rule_add_array)

struct capabilities_library {
	CAPABILITIES_FUNCTIONS(LIBRARY_POINTER)
};

struct calls_library {
	CALLS_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(capabilities_library, CAPABILITIES_FUNCTIONS);
LIBRARY_NAMES(calls_library, CALLS_FUNCTIONS);

/* From privileges_drop on: what is loaded later, a confined process may not execute. */
static struct capabilities_library capabilities;
static struct calls_library calls;

static int
load_libraries(struct error *err)
{
	if (LIBRARY_LOAD(CAPABILITIES_LIBRARY, capabilities_library, &capabilities, err) == 0 &&
	    LIBRARY_LOAD(CALLS_LIBRARY, calls_library, &calls, err) == 0)
		return 0;
	error_prefix(err, "cannot give up privileges");
	return -1;
}

/* That there is no such user has many an errno, none among them (getpwnam(3)). */
static bool
could_not_look(void)
{
	return errno == EIO || errno == EINTR || errno == EMFILE || errno == ENFILE ||
	       errno == ENOMEM;
}

int
privileges_find_user(
    const char *name, bool may_fall_back, struct privileges_user *out, struct error *err)
{
	const struct passwd *entry;

	*out = (struct privileges_user){ .uid = getuid(), .gid = getgid() };
	if (geteuid() != 0)
		return 0;
	errno = 0;
	entry = getpwnam(name);
	if (entry == NULL && may_fall_back && !could_not_look()) {
		log_notice("there is no user %s: running as nobody", name);
		errno = 0;
		entry = getpwnam("nobody");
	}
	if (entry == NULL && could_not_look()) {
		error_set(err, "cannot look for the user %s: %s", name, strerror(errno));
		return -1;
	}
	if (entry == NULL) {
		error_set(err, "there is no user %s to run as: make it, or name another one", name);
		return -1;
	}
	out->change = entry->pw_uid != 0;
	out->uid = entry->pw_uid;
	out->gid = entry->pw_gid;
	(void)snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
	return 0;
}

void
privileges_give_file(const struct privileges_user *user, const char *path)
{
	struct stat st;

	/*
	 * A device or a pipe serves others, too, and what a symbolic link leads to is not ours to
	 * give: the user may have made it.
	 */
	if (!user->change || (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		return;
	if (lchown(path, user->uid, user->gid) != 0 && errno != ENOENT)
		log_warning("cannot give %s to %s: %s", path, user->name, strerror(errno));
}

static int
become(const struct privileges_user *user, struct error *err)
{
	if (!user->change)
		return 0;
	if (initgroups(user->name, user->gid) == 0 && setgid(user->gid) == 0 &&
	    setuid(user->uid) == 0)
		return 0;
	error_set(err, "cannot become user %s: %s", user->name, strerror(errno));
	return -1;
}

int
privileges_drop(const struct privileges_user *user, struct error *err)
{
	if (load_libraries(err) != 0)
		return -1;
	/* The bounding set can only be cleared while the capability for it is still there. */
	capabilities.capng_clear(CAPNG_SELECT_BOTH);
	(void)capabilities.capng_apply(CAPNG_SELECT_BOUNDS);
	if (become(user, err) != 0)
		return -1;
	capabilities.capng_clear(CAPNG_SELECT_BOTH);
	if (capabilities.capng_apply(CAPNG_SELECT_CAPS) != 0) {
		error_set(err, "cannot drop the capabilities");
		return -1;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		error_set(err, "cannot give up gaining privileges: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* What the running daemon needs: files, the ring, timers, threads that end. */
static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(lseek),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(stat),
	SCMP_SYS(fstat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(fcntl),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(eventfd2),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(connect),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(bind),
	SCMP_SYS(getsockname),
	/* Where the kernel's clock cannot be read without a call. */
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* The same on 32 bits, where files are large, times reach beyond 2038 and ids are wide. */
	SCMP_SYS(_llseek),
	SCMP_SYS(stat64),
	SCMP_SYS(fstat64),
	SCMP_SYS(lstat64),
	SCMP_SYS(fstatat64),
	SCMP_SYS(fcntl64),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fchown32),
	SCMP_SYS(getuid32),
	SCMP_SYS(geteuid32),
	SCMP_SYS(getgid32),
	SCMP_SYS(getegid32),
	SCMP_SYS(futex_time64),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(timerfd_settime64),
	SCMP_SYS(sigreturn),
	/* libc's where sockets have one call for all they do. */
	SCMP_SYS(recv),
	SCMP_SYS(send),
};

/* Calls that are allowed where an argument, without the bits of `ignored`, is `value`. */
static const struct {
	int call;
	unsigned argument;
	uint64_t ignored, value;
} allowed_forms[] = {
	/* Nothing that is mapped from now on can be executed. */
	{ SCMP_SYS(mmap), 2, ~(uint64_t)PROT_EXEC, 0 },
	{ SCMP_SYS(mmap2), 2, ~(uint64_t)PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, ~(uint64_t)PROT_EXEC, 0 },
	/* The system's log, systemd, and what asks for an interface's number and name. */
	/* (libc of i386 and s390x has one call for all sockets, whose family cannot be seen.) */
	{ SCMP_SYS(socket), 0, 0, AF_UNIX },
	{ SCMP_SYS(ioctl), 1, 0, SIOCGIFINDEX },
	{ SCMP_SYS(ioctl), 1, 0, SIOCGIFNAME },
	{ SCMP_SYS(ioctl), 1, 0, SIOCGIFFLAGS },
	{ SCMP_SYS(ioctl), 1, 0, SIOCGIFHWADDR },
	{ SCMP_SYS(ioctl), 1, 0, TCGETS },
};

static int
allow_calls(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(allowed_calls) / sizeof(allowed_calls[0]); i++) {
		if (calls.seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(allowed_forms) / sizeof(allowed_forms[0]); i++) {
		const struct scmp_arg_cmp form = {
			.arg = allowed_forms[i].argument,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = ~allowed_forms[i].ignored,
			.datum_b = allowed_forms[i].value,
		};

		if (calls.seccomp_rule_add_array(
			filter, SCMP_ACT_ALLOW, allowed_forms[i].call, 1, &form) != 0)
			return -1;
	}
	return 0;
}

int
privileges_confine(struct error *err)
{
	scmp_filter_ctx filter = calls.seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int status = -1;

	if (filter != NULL && calls.seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
	    allow_calls(filter) == 0)
		status = calls.seccomp_load(filter);
	calls.seccomp_release(filter);
	if (status == 0)
		return 0;
	error_set(err, "cannot confine the program to its system calls: %s", strerror(-status));
	return -1;
}
