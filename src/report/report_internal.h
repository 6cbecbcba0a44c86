/*
 * report_internal - what the files that load a report share.
 */
#ifndef TLSTALLY_REPORT_INTERNAL_H
#define TLSTALLY_REPORT_INTERNAL_H

#include "report/report.h"

/* Copies what exports need; `out` is the caller's to release. */
void report_detail_fill(
    const struct policy *policy, const struct finding *from, struct report_detail *out);
void report_detail_release(struct report_detail *d);

/* Made printable (policy/printable.h); the caller frees it. */
char *report_printable(struct span text);
/* The server's name, else its address, printable; the caller frees it. */
char *report_bare_server(const struct finding *f);

/* ", 3 fallbacks"; nothing where there was none. */
void report_add_fallbacks(const struct report_row *row, struct buf *out);

/* observed.c */
typedef void (*report_capture_fn)(void *arg, const char *sensor, int64_t begin_us, int64_t end_us);
/* The times in which the run captured; nothing where they are not known.  `sensor` is printable. */
void report_each_capture(const struct store_run *run, report_capture_fn fn, void *arg);
/* `intervals` in the order of their beginnings; they may overlap. */
void report_sum_intervals(
    struct report_observed *o, const struct report_interval *intervals, size_t count);
/* A finding that is unclear: counts why. */
void report_count_unclear(struct report_observed *o, const struct finding *f);
const char *report_unclear_name(enum report_unclear why); /* for programs: "one_way", ... */

/*
 * in_time.c: leaves out findings that begin before the time asked for and end behind it, where the
 * client's days tell that nothing of them lies in between.
 */
int report_drop_unseen(struct store *s, int64_t client_id, const struct report_options *options,
    struct finding *findings, size_t *count, struct error *err);

void report_client_release(struct report_client *c);

/* device.c */
void report_device_fill(const struct store_client *from, struct report_client *c);
void report_device_release(struct report_client *c);
/* "calls itself scanner-2 (dhcp), MAC ... (Vendor), comes every 300 s": nothing that is not known.
 */
void report_add_device(const struct report_client *c, struct buf *out);

#endif
