/*
 * full_disk - a disk that is full, for suites of what is written to files.
 */
#ifndef TLSTALLY_TESTS_FULL_DISK_H
#define TLSTALLY_TESTS_FULL_DISK_H

#include <signal.h>
#include <sys/resource.h>

#include "suite.h"

/* Full at so many bytes of each file; RLIM_INFINITY: there is room. */
static inline void
limit_files(rlim_t len)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = len;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
