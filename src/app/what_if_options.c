#include "app/what_if_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "policy/printable.h"
#include "tls/names.h"

#include "base/banned.h"

#define FILE_MAX ((size_t)1 << 20)
#define FAULTS_SHOWN_MAX 20
#define LINE_SHOWN_MAX 1024

struct fault_log {
	const char *path;
	size_t count;
};

static void
log_fault(void *arg, unsigned line, const char *text)
{
	struct fault_log *log = arg;
	struct buf raw = { 0 }, shown = { 0 };

	if (log->count++ >= FAULTS_SHOWN_MAX)
		return;
	buf_addf(&raw, "%s:%u: %s", log->path, line, text);
	printable_add(&shown, span_from(raw.data, raw.len), LINE_SHOWN_MAX);
	log_error("%s", buf_text(&shown));
	buf_release(&raw);
	buf_release(&shown);
}

int
what_if_options_set_version(struct what_if *question, const char *text)
{
	question->minimum = tls_version_from_text(text);
	if (question->minimum != 0)
		return 0;
	log_error("--what-if: \"%s\" is no version; there are TLSv1.0 to TLSv1.3", text);
	return -1;
}

/* Returns -1 with errno. */
static int
read_whole(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	size_t len;
	int failed = 0;

	if (file == NULL)
		return -1;
	do {
		len = fread(buf_reserve(out, 4096), 1, 4096, file);
		out->len += len;
	} while (len > 0 && out->len <= FILE_MAX);
	if (ferror(file))
		failed = errno != 0 ? errno : EIO;
	else if (out->len > FILE_MAX)
		failed = EFBIG;
	(void)fclose(file);
	errno = failed;
	return failed == 0 ? 0 : -1;
}

int
what_if_options_read_ciphers(struct what_if *question, const char *path)
{
	struct fault_log log = { .path = path };
	struct buf text = { 0 };
	size_t faults = 1;

	if (read_whole(path, &text) != 0)
		log_error("cannot read %s: %s", path, strerror(errno));
	else
		faults =
		    what_if_read_suites(question, span_from(text.data, text.len), log_fault, &log);
	if (log.count > 0)
		log_error("%s: no answer: one suite more may be all that a client needs", path);
	buf_release(&text);
	return faults == 0 ? 0 : -1;
}
