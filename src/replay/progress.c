#include "replay/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/timestamp.h"

#include "base/banned.h"

#define INTERVAL_US INT64_C(200000)
/* Short runs show no line. */
#define DELAY_US INT64_C(500000)

const char *
progress_bytes_text(uint64_t bytes, char out[PROGRESS_BYTES_TEXT_LEN])
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 1000 && unit < 4) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(
	    out, PROGRESS_BYTES_TEXT_LEN, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return out;
}

void
progress_start(struct progress *p, bool wanted)
{
	*p = (struct progress){ .enabled = wanted && isatty(STDERR_FILENO) == 1 };
	p->started_us = p->last_us = timestamp_now();
}

static void
print_left(double seconds)
{
	if (seconds < 120)
		(void)fprintf(stderr, ", %.0f s left", seconds);
	else if (seconds < 7200)
		(void)fprintf(stderr, ", %.0f min left", seconds / 60);
	else
		(void)fprintf(stderr, ", %.1f h left", seconds / 3600);
}

void
progress_update(struct progress *p, uint64_t done, uint64_t total)
{
	char text[PROGRESS_BYTES_TEXT_LEN];
	int64_t now;
	double elapsed, rate;

	if (!p->enabled)
		return;
	now = timestamp_now();
	if (now - p->last_us < INTERVAL_US || now - p->started_us < DELAY_US)
		return;
	p->last_us = now;
	p->shown = true;
	elapsed = (double)(now - p->started_us) / 1e6;
	rate = (double)done / elapsed;
	(void)fprintf(stderr, "\r\033[K");
	if (total > 0)
		(void)fprintf(stderr, "%3.0f%%  ", 100.0 * (double)done / (double)total);
	(void)fprintf(stderr, "%s", progress_bytes_text(done, text));
	if (total > 0)
		(void)fprintf(stderr, " of %s", progress_bytes_text(total, text));
	(void)fprintf(stderr, ", %s/s", progress_bytes_text((uint64_t)rate, text));
	if (total > done && rate > 0)
		print_left((double)(total - done) / rate);
	(void)fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		(void)fprintf(stderr, "\r\033[K");
	p->shown = false;
}
