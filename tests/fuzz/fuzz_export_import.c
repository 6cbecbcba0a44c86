/*
 * An export that is compared: read whole, or refused with the file's name; and what was read can be
 * compared with itself and written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/diff.h"
#include "tls/names.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool fact)
{
	if (!fact)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct diff_options options = { .policy = { .minimum = TLS_VERSION_1_2 } };
	const struct diff_view view = { .coverage = "" };
	struct diff_side side;
	struct error err = { "" };
	struct diff d = { 0 };
	struct buf text = { 0 };

	if (diff_side_import(&side, "NAME", span_from(data, len), &options, &err) != 0) {
		must(strstr(err.text, "NAME") != NULL);
	} else {
		diff_compare(&d, &side, &side, side.end_us, side.end_us);
		must(d.seen_count == side.client_count);
		diff_write_text(&d, &view, &text);
		diff_write_json(&d, &view, &text);
	}
	buf_release(&text);
	diff_release(&d);
	diff_side_release(&side);
	return 0;
}
