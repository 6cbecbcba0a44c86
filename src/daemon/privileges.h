/*
 * privileges - gives away what the daemon does not need once its sockets and files are open.
 *
 * Source: capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS, seccomp(2).
 */
#ifndef TLSTALLY_DAEMON_PRIVILEGES_H
#define TLSTALLY_DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct privileges_user {
	bool change; /* started as root: another user is to be taken */
	uid_t uid;
	gid_t gid;
	char name[33];
};

/*
 * Whom to become: `name`, or nobody where there is no such user and `may_fall_back`.  Not root:
 * stays.
 */
int privileges_find_user(
    const char *name, bool may_fall_back, struct privileges_user *out, struct error *err);
/*
 * Gives a file that was made as root to the user; no such file is no error.  What is no regular
 * file stays whose it was.
 */
void privileges_give_file(const struct privileges_user *user, const char *path);
/* Becomes the user, drops all capabilities for good, sets no_new_privs. */
int privileges_drop(const struct privileges_user *user, struct error *err);
/*
 * From now on, for all threads: only the system calls of the running daemon; others fail with
 * EPERM.
 */
int privileges_confine(struct error *err);

#endif
