#include "app/diff_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

#include "base/banned.h"

static const char sqlite_magic[16] = "SQLite format 3";

/* -1: `err` says why.  0: *is_database, or the whole content is in `out`. */
static int
read_export(const char *path, struct buf *out, bool *is_database, struct error *err)
{
	FILE *file = fopen(path, "rbe");
	size_t len;
	int rc = -1;

	*is_database = false;
	if (file == NULL) {
		error_set(err, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	for (;;) {
		len = fread(buf_reserve(out, 65536), 1, 65536, file);
		out->len += len;
		if (len == 0)
			break;
		*is_database = out->len >= sizeof(sqlite_magic) &&
			       memcmp(out->data, sqlite_magic, sizeof(sqlite_magic)) == 0;
		if (*is_database)
			break;
		if (out->len > DIFF_INPUT_MAX) {
			error_set(err, "%s is larger than an export of tlstally can be", path);
			goto out;
		}
	}
	if (ferror(file) != 0) {
		error_set(err, "cannot read %s: %s", path, strerror(errno));
		goto out;
	}
	rc = 0;
out:
	(void)fclose(file);
	return rc;
}

static int
load_database(struct diff_side *side, const char *path, const struct diff_options *options,
    struct buf *coverage, struct error *err)
{
	struct store *store = store_open(path, STORE_READ, err);
	int rc = -1;

	if (store == NULL)
		return -1;
	if (diff_side_load(side, store, options, INT64_MAX, err) == 0)
		rc = diff_input_coverage(store, options, INT64_MIN, INT64_MAX, coverage, err);
	store_close(store);
	return rc;
}

int
diff_input_load(struct diff_side *side, const char *path, const struct diff_options *options,
    struct buf *coverage, struct error *err)
{
	struct buf content = { 0 };
	bool is_database;
	int rc = -1;

	*side = (struct diff_side){ 0 };
	if (read_export(path, &content, &is_database, err) != 0)
		goto out;
	if (is_database) {
		rc = load_database(side, path, options, coverage, err);
		goto out;
	}
	rc = diff_side_import(side, path, span_from(content.data, content.len), options, err);
	if (rc == 0)
		buf_add_text(coverage, side->coverage != NULL
					   ? side->coverage
					   : "What was observed is not said in the export.");
out:
	buf_release(&content);
	return rc;
}

int
diff_input_coverage(struct store *s, const struct diff_options *options, int64_t from_us,
    int64_t to_us, struct buf *coverage, struct error *err)
{
	const struct report_options wanted = {
		.policy = options->policy,
		.has_since = from_us != INT64_MIN,
		.since_us = from_us,
		.has_until = to_us != INT64_MAX,
		.until_us = to_us,
		.clients = options->clients,
	};
	/* The diff names its moments itself, but not what it means that nothing lies between them.
	 */
	struct report_options shown = { .policy = options->policy, .clients = options->clients };
	struct report report = { 0 };
	int rc = report_load(&report, s, &wanted, err);

	if (!report.observed.has_packets) {
		shown.has_since = wanted.has_since;
		shown.since_us = wanted.since_us;
		shown.has_until = wanted.has_until;
		shown.until_us = wanted.until_us;
	}
	if (rc == 0)
		report_add_coverage(&report, &shown, coverage);
	report_release(&report);
	return rc;
}

static bool
take_run(void *arg, const struct store_run *run)
{
	struct diff_input_times *t = arg;
	int64_t end_us = run->end_us < t->before_us ? run->end_us : t->before_us - 1;

	if ((run->begin_us == 0 && run->end_us == 0) || run->begin_us >= t->before_us ||
	    !report_run_captured(run))
		return true;
	if (!t->any || run->begin_us < t->begin_us)
		t->begin_us = run->begin_us;
	if (!t->any || end_us > t->end_us)
		t->end_us = end_us;
	if (run->packet_count > 0 && end_us > t->heard_us)
		t->heard_us = end_us;
	t->any = true;
	return true;
}

int
diff_input_times(
    struct store *s, int64_t before_us, struct diff_input_times *out, struct error *err)
{
	*out = (struct diff_input_times){ .before_us = before_us, .heard_us = INT64_MIN };
	return store_each_run(s, NULL, take_run, out, err);
}
