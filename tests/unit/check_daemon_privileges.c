#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/privileges.h"
#include "suite.h"

#include "base/banned.h"

/* The exit statuses of a child: what it found out. */
enum finding { FOUND_REFUSED, FOUND_ALLOWED, FOUND_OTHER_ERROR, FOUND_BROKEN = 99 };

static enum finding
finding_of(long result)
{
	if (result >= 0)
		return FOUND_ALLOWED;
	return errno == EPERM ? FOUND_REFUSED : FOUND_OTHER_ERROR;
}

/* --- what a confined process tries */

static enum finding
try_execve(void)
{
	char program[] = "/bin/true";
	char *const arguments[] = { program, NULL };

	return finding_of(execve(program, arguments, NULL));
}

static enum finding
try_fork(void)
{
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		_exit(0);
	return finding_of(child);
}

static enum finding
try_ptrace(void)
{
	return finding_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static enum finding
try_packet_socket(void)
{
	return finding_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static enum finding
try_internet_socket(void)
{
	return finding_of(socket(AF_INET, SOCK_STREAM, 0));
}

static enum finding
try_raw_socket(void)
{
	return finding_of(socket(AF_INET, SOCK_RAW, 1));
}

static enum finding
try_code(void)
{
	void *memory = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return finding_of(memory == MAP_FAILED ? -1 : 0);
}

static enum finding
try_code_later(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return FOUND_BROKEN;
	return finding_of(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

static enum finding
try_signal(void)
{
	return finding_of(kill(getppid(), 0));
}

static enum finding
try_root(void)
{
	return finding_of(setuid(0));
}

static enum finding
try_chmod(void)
{
	return finding_of(chmod("/tmp", 01777));
}

static enum finding
try_rename(void)
{
	return finding_of(
	    rename("/tmp/check_daemon_privileges.a", "/tmp/check_daemon_privileges.b"));
}

static enum finding
try_namespace(void)
{
	return finding_of(syscall(SYS_unshare, 0));
}

static enum finding
try_filter(void)
{
	return finding_of(syscall(SYS_seccomp, 1, 0, NULL));
}

static enum finding
try_terminal(void)
{
	char c = 'x';

	return finding_of(ioctl(STDIN_FILENO, TIOCSTI, &c));
}

/* --- what it must still be able to do */

static enum finding
try_file(void)
{
	char path[] = "/tmp/check_daemon_privileges.XXXXXX";
	int fd = mkstemp(path);
	bool good = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0 &&
		    close(fd) == 0 && unlink(path) == 0;

	return good ? FOUND_ALLOWED : FOUND_BROKEN;
}

static enum finding
try_memory(void)
{
	void *memory = malloc((size_t)8 << 20);
	bool good = memory != NULL;

	free(memory);
	return good ? FOUND_ALLOWED : FOUND_BROKEN;
}

static enum finding
try_log_socket(void)
{
	return finding_of(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

#ifdef SYS_socketcall /* where no filter sees what kind of socket is asked for */
#define TCP_SOCKET FOUND_ALLOWED
#else
#define TCP_SOCKET FOUND_REFUSED
#endif

static const struct {
	const char *name;
	enum finding (*attempt)(void);
	enum finding expected;
} attempts[] = {
	{ "execve", try_execve, FOUND_REFUSED },
	{ "fork", try_fork, FOUND_REFUSED },
	{ "ptrace", try_ptrace, FOUND_REFUSED },
	{ "a packet socket", try_packet_socket, FOUND_REFUSED },
	{ "a TCP socket", try_internet_socket, TCP_SOCKET },
	{ "a raw socket", try_raw_socket, FOUND_REFUSED },
	{ "memory to run code in", try_code, FOUND_REFUSED },
	{ "memory made into code", try_code_later, FOUND_REFUSED },
	{ "a signal to another process", try_signal, FOUND_REFUSED },
	{ "setuid(0)", try_root, FOUND_REFUSED },
	{ "chmod", try_chmod, FOUND_REFUSED },
	{ "rename", try_rename, FOUND_REFUSED },
	{ "a namespace", try_namespace, FOUND_REFUSED },
	{ "another seccomp filter", try_filter, FOUND_REFUSED },
	{ "input for a terminal", try_terminal, FOUND_REFUSED },
	{ "files", try_file, FOUND_ALLOWED },
	{ "memory", try_memory, FOUND_ALLOWED },
	{ "a socket for the log", try_log_socket, FOUND_ALLOWED },
};
#define ATTEMPT_COUNT ((int)(sizeof(attempts) / sizeof(attempts[0])))

/* What the attempt finds in a child that has done `prepare` before. */
static int
find_in_child(int (*prepare)(void), enum finding (*attempt)(void))
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(prepare() == 0 ? (int)attempt() : FOUND_BROKEN);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static int
drop(void)
{
	struct privileges_user user;
	struct error err;

	if (privileges_find_user("nobody", false, &user, &err) != 0)
		return -1;
	return privileges_drop(&user, &err);
}

static int
drop_and_confine(void)
{
	struct error err;

	return drop() == 0 ? privileges_confine(&err) : -1;
}

START_TEST(the_confined_may_do_what_the_daemon_needs_and_nothing_else)
{
	int found = find_in_child(drop_and_confine, attempts[_i].attempt);

	ck_assert_msg(found == (int)attempts[_i].expected, "%s: %d", attempts[_i].name, found);
}
END_TEST

/* The lines of /proc/self/status that tell; FOUND_REFUSED: no right is left. */
static enum finding
look_at_status(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (len <= 0)
		return FOUND_BROKEN;
	text[len] = '\0';
	if (strstr(text, "CapPrm:\t0000000000000000\n") == NULL ||
	    strstr(text, "CapEff:\t0000000000000000\n") == NULL ||
	    strstr(text, "CapInh:\t0000000000000000\n") == NULL ||
	    strstr(text, "CapAmb:\t0000000000000000\n") == NULL ||
	    strstr(text, "NoNewPrivs:\t1\n") == NULL || getuid() == 0 || geteuid() == 0 ||
	    getgid() == 0)
		return FOUND_ALLOWED;
	return FOUND_REFUSED;
}

START_TEST(no_right_is_left_after_the_drop)
{
	if (getuid() != 0 && getgid() == 0)
		return; /* an odd account; what is asked for cannot be */
	ck_assert_int_eq(find_in_child(drop, look_at_status), FOUND_REFUSED);
}
END_TEST

static enum finding
look_at_bounds(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (len <= 0)
		return FOUND_BROKEN;
	text[len] = '\0';
	return strstr(text, "CapBnd:\t0000000000000000\n") != NULL ? FOUND_REFUSED : FOUND_ALLOWED;
}

START_TEST(root_leaves_an_empty_bounding_set_behind)
{
	if (geteuid() == 0)
		ck_assert_int_eq(find_in_child(drop, look_at_bounds), FOUND_REFUSED);
}
END_TEST

START_TEST(a_user_that_is_not_there_is_said_or_replaced)
{
	struct privileges_user user;
	struct error err = { "" };

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(privileges_find_user("no-such-user-here", false, &user, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no-such-user-here"));
	ck_assert_int_eq(privileges_find_user("no-such-user-here", true, &user, &err), 0);
	ck_assert_str_eq(user.name, "nobody");
	ck_assert(user.change);
	ck_assert_uint_ne(user.uid, 0);
}
END_TEST

START_TEST(what_a_link_leads_to_is_not_given_away)
{
	char target[] = "/tmp/check_daemon_privileges.XXXXXX", link_path[64];
	const struct privileges_user user = { .change = true, .uid = 65534, .gid = 65534 };
	struct stat st;
	int fd;

	if (geteuid() != 0)
		return;
	fd = mkstemp(target);
	ck_assert_int_ge(fd, 0);
	(void)snprintf(link_path, sizeof(link_path), "%s.link", target);
	ck_assert_int_eq(symlink(target, link_path), 0);
	privileges_give_file(&user, link_path);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	privileges_give_file(&user, target);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	(void)close(fd);
	(void)unlink(link_path);
	(void)unlink(target);
}
END_TEST

START_TEST(a_pipe_stays_whose_it_was)
{
	char path[] = "/tmp/check_daemon_privileges.XXXXXX";
	const struct privileges_user user = { .change = true, .uid = 65534, .gid = 65534 };
	struct stat st;

	if (geteuid() != 0)
		return;
	ck_assert_int_ge(close(mkstemp(path)), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	privileges_give_file(&user, path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	(void)unlink(path);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, the_confined_may_do_what_the_daemon_needs_and_nothing_else, 0, ATTEMPT_COUNT);
	tcase_add_test(tc, no_right_is_left_after_the_drop);
	tcase_add_test(tc, root_leaves_an_empty_bounding_set_behind);
	tcase_add_test(tc, a_user_that_is_not_there_is_said_or_replaced);
	tcase_add_test(tc, what_a_link_leads_to_is_not_given_away);
	tcase_add_test(tc, a_pipe_stays_whose_it_was);
}

SUITE_MAIN("daemon_privileges")
