#include "app/what_if_options.h"

#include <errno.h>
#include <string.h>

#include "app/option_values.h"
#include "app/text_file.h"
#include "base/log.h"
#include "base/whole_file.h"

#include "base/banned.h"

#define FILE_MAX ((size_t)1 << 20)

int
what_if_options_set_version(struct what_if *question, const char *text)
{
	return option_version("what-if", text, &question->minimum);
}

int
what_if_options_read_ciphers(struct what_if *question, const char *path)
{
	struct text_file_faults log = { .path = path };
	struct buf text = { 0 };
	size_t faults = 1;

	if (whole_file_read(path, FILE_MAX, &text) != 0)
		log_error("cannot read %s: %s", path, strerror(errno));
	else
		faults = what_if_read_suites(
		    question, span_from(text.data, text.len), text_file_log_fault, &log);
	if (log.count > 0)
		log_error("%s: part of a list gives no answer: one suite more may be all that a "
			  "client needs",
		    path);
	buf_release(&text);
	return faults == 0 ? 0 : -1;
}
