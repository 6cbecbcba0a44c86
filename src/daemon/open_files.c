#include "daemon/open_files.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/banned.h"

int
open_files_allow(size_t count, struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		error_set(
		    err, "cannot tell how many files may be open at once: %s", strerror(errno));
		return -1;
	}
	if (limit.rlim_cur >= count)
		return 0;
	if (limit.rlim_max >= count) {
		limit.rlim_cur = count;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return 0;
	}
	error_set(err,
	    "%llu files may be open at once, and %zu are needed: raise the limit (ulimit -n)",
	    (unsigned long long)limit.rlim_max, count);
	return -1;
}
