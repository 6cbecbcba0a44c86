#include "app/text_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "policy/printable.h"

#include "base/banned.h"

#define LINE_SHOWN_MAX 1024

bool
text_file_is_stream(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

const char *
text_file_default(const char *path)
{
	if (access(path, R_OK) == 0)
		return path;
	if (errno != ENOENT && errno != ENOTDIR)
		log_warning(
		    "%s cannot be read: %s; the defaults are in force", path, strerror(errno));
	return NULL;
}

void
text_file_log_fault(void *arg, unsigned line, const char *text)
{
	struct text_file_faults *faults = arg;
	struct buf raw = { 0 }, shown = { 0 };

	if (faults->count++ >= TEXT_FILE_FAULTS_SHOWN)
		return;
	buf_addf(&raw, "%s:%u: %s", faults->path, line, text);
	printable_add(&shown, span_from(raw.data, raw.len), LINE_SHOWN_MAX);
	log_error("%s", buf_text(&shown));
	buf_release(&raw);
	buf_release(&shown);
}
