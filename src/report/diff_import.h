/*
 * diff_import - an export as a side of a diff: what its forms share.
 */
#ifndef TLSTALLY_REPORT_DIFF_IMPORT_H
#define TLSTALLY_REPORT_DIFF_IMPORT_H

#include "report/diff_internal.h"

/* One record while it is read: the fields of a client and of one of its rows. */
struct import_record {
	struct addr ip;
	struct buf sensor, name, server; /* printable */
	bool has_mac, has_verdict, has_outcome, has_times;
	uint8_t mac[6];
	struct diff_row row; /* its server is in the buf */
	bool bad;            /* a field holds what no export has; `what` is its name */
	char what[32];
};

void import_record_release(struct import_record *r);
/* A field by its name in the exports; others are passed over.  `value` may be empty: not known. */
void import_set(struct import_record *r, const char *name, struct span value);
/* Forgets the row's fields; those of the client stay. */
void import_begin_row(struct import_record *r);

struct import {
	struct diff_side *side;
	const struct diff_options *options;
	const char *file;
	bool is_ours;         /* it says what it is */
	bool has_days;        /* it says on which days there was a capture */
	bool has_sensor_days; /* and whose */
	size_t client; /* the one that rows were last added to: its number + 1; 0: none yet */
	uint64_t row_count;
};

/* Adds the record's row to its client.  -1: a field is missing or wrong. */
int import_add(struct import *im, struct import_record *r, struct error *err);
/* The coverage's own fields, in any form. */
void import_set_coverage(struct import *im, struct span begin, struct span end);
/*
 * "2026-11-19", and for how many seconds of it; `sensor` NULL: of all of them together.  False:
 * they are something else.
 */
bool import_add_day(struct import *im, const char *sensor, const char *day, const char *seconds);

/* diff_import_json.c: one document, or a line per record. */
int import_json(struct import *im, struct span content, struct error *err);
/* diff_import_csv.c */
int import_csv(struct import *im, struct span content, struct error *err);

#endif
