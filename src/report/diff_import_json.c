/* An export as JSON: one document with its clients inside, or a record per line. */
#include <stdlib.h>
#include <string.h>

#include "base/json_reader.h"
#include "report/diff_import.h"
#include "report/export.h"
#include "report/report_internal.h"

#include "base/banned.h"

struct reading {
	struct import *im;
	struct span in;
	struct buf name, value, record, begin, end;
	bool newer; /* written by a program that knows more */
};

static void
copy(struct buf *to, struct buf *from)
{
	buf_clear(to);
	buf_add_text(to, buf_text(from));
}

/* `filter`: anything in it that is not null says that the export is a part. */
static bool
read_filter(struct reading *r)
{
	enum json_step step;
	bool first = true, is_null;

	if (!json_read_begin(&r->in, JSON_OBJECT))
		return false;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		if (json_peek(&r->in) == JSON_WORD) {
			if (!json_read_scalar(&r->in, &r->value, &is_null))
				return false;
			continue;
		}
		r->im->side->is_partial = true;
		if (!json_skip(&r->in))
			return false;
	}
	return step == JSON_STEP_END;
}

/* A member of the coverage, of either form. */
static void
take_coverage(struct reading *r)
{
	struct diff_side *side = r->im->side;
	const char *name = buf_text(&r->name);

	if (strcmp(name, "begin") == 0)
		copy(&r->begin, &r->value);
	else if (strcmp(name, "end") == 0)
		copy(&r->end, &r->value);
	if (strcmp(name, "summary") != 0 || side->coverage != NULL)
		return;
	side->coverage = report_printable(span_from(r->value.data, r->value.len));
}

/* `sensor` NULL: of all of them together. */
static bool
read_day(struct reading *r, const char *sensor)
{
	struct buf day = { 0 }, seconds = { 0 };
	enum json_step step;
	bool first = true, is_null, good;

	if (!json_read_begin(&r->in, JSON_OBJECT))
		return false;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		if (!json_read_scalar(&r->in, &r->value, &is_null))
			break;
		if (strcmp(buf_text(&r->name), "day") == 0)
			copy(&day, &r->value);
		else if (strcmp(buf_text(&r->name), "seconds") == 0)
			copy(&seconds, &r->value);
	}
	good = step == JSON_STEP_END &&
	       import_add_day(r->im, sensor, buf_text(&day), buf_text(&seconds));
	buf_release(&day);
	buf_release(&seconds);
	return good;
}

static bool
read_days(struct reading *r, const char *sensor)
{
	enum json_step step;
	bool first = true;

	if (!json_read_begin(&r->in, JSON_ARRAY))
		return false;
	while ((step = json_read_item(&r->in, &first)) == JSON_STEP_ITEM) {
		if (!read_day(r, sensor))
			return false;
	}
	return step == JSON_STEP_END;
}

/*
 * The fields of an object, of which one is a list that belongs to them: `list` is where that
 * begins, to be read when all fields are known.
 */
static bool
read_owner(
    struct reading *r, struct import_record *record, const char *list_name, struct span *list)
{
	enum json_step step;
	bool first = true, is_null;

	*list = (struct span){ 0 };
	if (!json_read_begin(&r->in, JSON_OBJECT))
		return false;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		enum json_kind kind = json_peek(&r->in);

		if (kind == JSON_ARRAY && strcmp(buf_text(&r->name), list_name) == 0)
			*list = r->in;
		if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
			if (!json_skip(&r->in))
				return false;
			continue;
		}
		if (!json_read_scalar(&r->in, &r->value, &is_null))
			return false;
		if (!is_null)
			import_set(
			    record, buf_text(&r->name), span_from(r->value.data, r->value.len));
	}
	return step == JSON_STEP_END;
}

static bool
read_sensor(struct reading *r)
{
	struct import_record record = { 0 };
	struct span days, behind;
	bool good = read_owner(r, &record, "days", &days);

	behind = r->in;
	if (good && days.len > 0) {
		r->in = days;
		good = read_days(r, buf_text(&record.sensor));
	}
	if (good)
		r->in = behind;
	import_record_release(&record);
	return good;
}

static bool
read_sensors(struct reading *r)
{
	enum json_step step;
	bool first = true;

	if (!json_read_begin(&r->in, JSON_ARRAY))
		return false;
	while ((step = json_read_item(&r->in, &first)) == JSON_STEP_ITEM) {
		if (!read_sensor(r))
			return false;
	}
	return step == JSON_STEP_END;
}

/* A member of the coverage that holds others.  False: it is not as it has to be. */
static bool
read_coverage_list(struct reading *r)
{
	if (json_peek(&r->in) == JSON_ARRAY && strcmp(buf_text(&r->name), "observed_days") == 0)
		return read_days(r, NULL);
	if (json_peek(&r->in) == JSON_ARRAY &&
	    strcmp(buf_text(&r->name), "observed_days_by_sensor") == 0)
		return read_sensors(r);
	return json_skip(&r->in);
}

static bool
read_coverage(struct reading *r)
{
	enum json_step step;
	bool first = true, is_null;

	if (!json_read_begin(&r->in, JSON_OBJECT))
		return false;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		enum json_kind kind = json_peek(&r->in);

		if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
			if (!read_coverage_list(r))
				return false;
			continue;
		}
		if (!json_read_scalar(&r->in, &r->value, &is_null))
			return false;
		if (!is_null)
			take_coverage(r);
	}
	return step == JSON_STEP_END;
}

/* A row: an object of fields.  What is null was never set. */
static int
read_row(struct reading *r, struct import_record *record, struct error *err)
{
	enum json_step step;
	bool first = true, is_null;

	import_begin_row(record);
	if (!json_read_begin(&r->in, JSON_OBJECT))
		return 1;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		enum json_kind kind = json_peek(&r->in);

		if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
			if (!json_skip(&r->in))
				return 1;
			continue;
		}
		if (!json_read_scalar(&r->in, &r->value, &is_null))
			return 1;
		if (!is_null)
			import_set(
			    record, buf_text(&r->name), span_from(r->value.data, r->value.len));
	}
	return step == JSON_STEP_END ? import_add(r->im, record, err) : 1;
}

/* -1: a row is wrong; 1: no JSON. */
static int
read_rows(struct reading *r, struct import_record *record, struct error *err)
{
	enum json_step step;
	bool first = true;

	if (!json_read_begin(&r->in, JSON_ARRAY))
		return 1;
	while ((step = json_read_item(&r->in, &first)) == JSON_STEP_ITEM) {
		int rc = read_row(r, record, err);

		if (rc != 0)
			return rc;
	}
	return step == JSON_STEP_END ? 0 : 1;
}

static int
read_client(struct reading *r, struct error *err)
{
	struct import_record record = { 0 };
	struct span rows, behind;
	int rc = read_owner(r, &record, "inventory", &rows) ? 0 : 1;

	behind = r->in;
	if (rc == 0 && rows.len > 0) {
		r->in = rows;
		rc = read_rows(r, &record, err);
	}
	if (rc == 0)
		r->in = behind;
	import_record_release(&record);
	return rc;
}

static int
read_clients(struct reading *r, struct error *err)
{
	enum json_step step;
	bool first = true;

	if (!json_read_begin(&r->in, JSON_ARRAY))
		return 1;
	while ((step = json_read_item(&r->in, &first)) == JSON_STEP_ITEM) {
		int rc = read_client(r, err);

		if (rc != 0)
			return rc;
	}
	return step == JSON_STEP_END ? 0 : 1;
}

/* A member of a document, or of a line; 0, -1 or 1 as above. */
static int
read_member(struct reading *r, struct import_record *record, struct error *err)
{
	enum json_kind kind = json_peek(&r->in);
	const char *name = buf_text(&r->name);
	bool is_null;

	if (kind == JSON_ARRAY && strcmp(name, "clients") == 0)
		return read_clients(r, err);
	if (kind == JSON_OBJECT && strcmp(name, "coverage") == 0)
		return !read_coverage(r);
	if (kind == JSON_OBJECT && strcmp(name, "filter") == 0)
		return !read_filter(r);
	if (kind == JSON_OBJECT || kind == JSON_ARRAY)
		return !read_coverage_list(r);
	if (!json_read_scalar(&r->in, &r->value, &is_null))
		return 1;
	if (is_null)
		return 0;
	if (strcmp(name, "format") == 0 && strcmp(buf_text(&r->value), "tlstally-export") == 0)
		r->im->is_ours = true;
	else if (strcmp(name, "record") == 0)
		copy(&r->record, &r->value);
	else if (strcmp(name, "schema_version") == 0)
		r->newer =
		    r->newer || strtoul(buf_text(&r->value), NULL, 10) > EXPORT_SCHEMA_VERSION;
	take_coverage(r);
	import_set(record, name, span_from(r->value.data, r->value.len));
	return 0;
}

/* A document, or a line of NDJSON. */
static int
read_object(struct reading *r, struct error *err)
{
	struct import_record record = { 0 };
	enum json_step step;
	bool first = true;
	int rc = 1;

	buf_clear(&r->record);
	if (!json_read_begin(&r->in, JSON_OBJECT))
		return 1;
	while ((step = json_read_member(&r->in, &first, &r->name)) == JSON_STEP_ITEM) {
		rc = read_member(r, &record, err);
		if (rc != 0)
			goto out;
	}
	rc = step == JSON_STEP_END ? 0 : 1;
	if (rc == 0 && strcmp(buf_text(&r->record), "inventory") == 0)
		rc = import_add(r->im, &record, err);
	else if (rc == 0 && strcmp(buf_text(&r->record), "coverage") == 0)
		r->im->is_ours = true;
out:
	import_record_release(&record);
	return rc;
}

int
import_json(struct import *im, struct span content, struct error *err)
{
	struct reading r = { .im = im, .in = content };
	int rc = 0;

	while (rc == 0 && json_peek(&r.in) == JSON_OBJECT && !r.newer) {
		rc = read_object(&r, err);
		if (rc == 0 && !im->is_ours)
			break;
	}
	if (r.newer) {
		error_set(err, "%s was written by a newer tlstally; use that one", im->file);
		rc = -1;
	} else if (rc == 1 || (rc == 0 && im->is_ours && r.in.len > 0)) {
		error_set(
		    err, "%s is no JSON from its byte %zu on", im->file, content.len - r.in.len);
		rc = -1;
	}
	import_set_coverage(
	    im, span_from(r.begin.data, r.begin.len), span_from(r.end.data, r.end.len));
	buf_release(&r.name);
	buf_release(&r.value);
	buf_release(&r.record);
	buf_release(&r.begin);
	buf_release(&r.end);
	return rc;
}
