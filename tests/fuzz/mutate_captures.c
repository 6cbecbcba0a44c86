/*
 * mutate_captures - mutants of saved captures, each through reader, pipeline and JSON, in memory.
 *
 * usage: mutate_captures [-n COUNT] [-f FIRST] [-o FILE] FOLDER...
 *
 * A mutant follows from its number and the captures in the folders alone: -n 1 -f NUMBER runs it
 * again, -o FILE writes the last one as a capture.  Every event must be one line of JSON in UTF-8,
 * the counters must agree with the events, a second run must give the same bytes (looked at in
 * some), and no mutant may take more than a second of processor time.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/capture_internal.h"
#include "json_check.h"
#include "mutation.h"
#include "pipeline/pipeline.h"
#include "tls/names.h"

#include "base/banned.h"

#define LIMIT_US INT64_C(1000000)
/* Every so many mutants one is run twice, and two have budgets that a small capture reaches. */
#define AGAIN_EVERY 64
#define SMALL_EVERY 4

/* Called by the sanitizers' runtime before it ends the program, where there is one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct seeds {
	struct capture *captures; /* owned, as their frames' bytes are */
	uint8_t **bytes;
	size_t count;
};

struct run {
	struct buf lines; /* of this mutant's events */
	uint64_t event_count;
	bool bad;
};

struct totals {
	uint64_t mutants, frames, events, tcp, unusable, cut_short, failed;
	int64_t slowest_us, all_us;
	uint64_t slowest_number, largest_number;
	long largest_kib;
};

/* For the death callback, which gets no argument. */
static volatile uint64_t current_number;

static void
on_death(void)
{
	fprintf(stderr, "mutant %" PRIu64 ": run it alone with -n 1 -f %" PRIu64 "\n",
	    current_number, current_number);
}

static int64_t
processor_time_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the seeds */

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static uint8_t *
read_whole(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end;

	*len = 0;
	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (end = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
		bytes = xmalloc((size_t)end);
		*len = fread(bytes, 1, (size_t)end, f);
	}
	fclose(f);
	return bytes;
}

/* The frames' bytes, which the reader only lends, are copied one behind the other. */
static void
add_seed(struct seeds *seeds, const char *path)
{
	size_t len, used = 0;
	uint8_t *file = read_whole(path, &len), *bytes;
	struct capture capture = { 0 };
	struct reader reader;
	struct frame frame = { 0 };

	if (file == NULL)
		return;
	bytes = xmalloc(len);
	if (reader_open_memory(&reader, span_from(file, len), WINDOW_LEN) == READER_OPEN) {
		while (reader_advance(&reader, &frame) == READER_FRAME &&
		       frame.bytes.len <= len - used) {
			if (frame.bytes.len > 0)
				memcpy(bytes + used, frame.bytes.data, frame.bytes.len);
			frame.bytes.data = bytes + used;
			used += frame.bytes.len;
			capture_add(&capture, &frame);
		}
	}
	reader_close(&reader);
	free(file);
	if (capture.count == 0) {
		free(bytes);
		return;
	}
	seeds->captures =
	    xreallocarray(seeds->captures, seeds->count + 1, sizeof(*seeds->captures));
	seeds->bytes = xreallocarray(seeds->bytes, seeds->count + 1, sizeof(*seeds->bytes));
	seeds->captures[seeds->count] = capture;
	seeds->bytes[seeds->count++] = bytes;
}

/* By name, so that a number means the same mutant everywhere. */
static int
add_folder(struct seeds *seeds, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;

	if (dir == NULL) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct buf name = { 0 };

		/* Damage to what is compressed would hardly get behind the decompressor. */
		if (strstr(entry->d_name, ".pcap") == NULL || strstr(entry->d_name, ".zst") != NULL)
			continue;
		buf_addf(&name, "%s/%s", path, entry->d_name);
		names = xreallocarray(names, count + 1, sizeof(*names));
		names[count++] = xstrdup(buf_text(&name));
		buf_release(&name);
	}
	closedir(dir);
	if (count > 0)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		add_seed(seeds, names[i]);
		free(names[i]);
	}
	free(names);
	return 0;
}

static void
seeds_release(struct seeds *seeds)
{
	for (size_t i = 0; i < seeds->count; i++) {
		capture_release(&seeds->captures[i]);
		free(seeds->bytes[i]);
	}
	free(seeds->captures);
	free(seeds->bytes);
}

/* ---- one mutant */

static void
on_event(void *arg, const struct event *ev)
{
	struct run *run = arg;
	size_t start = run->lines.len;
	struct span line;

	run->event_count++;
	event_write_json(ev, "sensor", "source", &run->lines);
	line = span_from(run->lines.data + start, run->lines.len - start);
	if (line.len < 2 || line.data[line.len - 1] != '\n' ||
	    !json_check_line(span_first(line, line.len - 1))) {
		fprintf(stderr, "mutant %" PRIu64 ": no line of JSON: %.*s\n", current_number,
		    (int)line.len, (const char *)line.data);
		run->bad = true;
	}
}

static void
set_small_budgets(struct pipeline_options *o)
{
	o->flows.max_flows = 8;
	o->flows.max_unsettled = 4;
	o->flows.max_closed = 4;
	o->flows.max_held_len = 2048;
	o->flows.max_held_per_stream = 1024;
	o->packets.fragment_bytes_max = 8192;
	o->packets.fragment_datagrams_max = 4;
}

static void
check_counters(const struct pipeline *p, struct run *run, struct totals *totals)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];

	for (size_t i = pipeline_counters(p, counters); i-- > 0;) {
		if (strcmp(counters[i].name, "tcp") == 0)
			totals->tcp += counters[i].value;
		if (strcmp(counters[i].name, "events") == 0 &&
		    counters[i].value != run->event_count) {
			fprintf(stderr, "mutant %" PRIu64 ": the counter of events is wrong\n",
			    current_number);
			run->bad = true;
		}
	}
	if (pipeline_flow_count(p) != 0 || pipeline_held_len(p) != 0) {
		fprintf(
		    stderr, "mutant %" PRIu64 ": something is left at the end\n", current_number);
		run->bad = true;
	}
}

static void
read_mutant(struct span file, struct pipeline *p, struct totals *totals)
{
	struct reader reader;
	struct frame frame = { 0 };
	enum reader_answer answer = READER_END;

	if (reader_open_memory(&reader, file, WINDOW_LEN_SMALL) == READER_OPEN) {
		while ((answer = reader_advance(&reader, &frame)) == READER_FRAME) {
			pipeline_add(p, &frame);
			totals->frames++;
		}
	} else {
		totals->unusable++;
	}
	totals->cut_short += answer == READER_BAD;
	reader_close(&reader);
	pipeline_finish(p);
}

static void
run_mutant(struct span file, struct run *run, struct totals *totals)
{
	static struct service_set services;
	static const struct network_set internal = { .any = true };
	struct pipeline_options options = { .services = &services,
		.internal = &internal,
		.minimum = TLS_VERSION_1_2,
		.event = on_event,
		.arg = run };
	struct pipeline *p;

	buf_clear(&run->lines);
	run->event_count = 0;
	service_set_init_defaults(&services);
	flow_options_init(&options.flows);
	if (current_number % SMALL_EVERY == 0)
		set_small_budgets(&options);
	p = pipeline_new(&options);
	read_mutant(file, p, totals);
	check_counters(p, run, totals);
	pipeline_free(p);
}

/* Hash tables have random keys: nothing that is written may depend on them. */
static void
run_again(struct span file, struct run *run)
{
	struct totals ignored = { 0 };
	struct run again = { 0 };

	run_mutant(file, &again, &ignored);
	if (!span_equals(span_from(run->lines.data, run->lines.len),
		span_from(again.lines.data, again.lines.len))) {
		fprintf(stderr, "mutant %" PRIu64 ": the second run gives other events\n",
		    current_number);
		run->bad = true;
	}
	run->bad |= again.bad;
	buf_release(&again.lines);
}

static void
measure(struct totals *totals, int64_t took_us, struct run *run)
{
	struct rusage usage;

	totals->mutants++;
	totals->events += run->event_count;
	totals->all_us += took_us;
	if (took_us > totals->slowest_us) {
		totals->slowest_us = took_us;
		totals->slowest_number = current_number;
	}
	if (took_us > LIMIT_US) {
		fprintf(
		    stderr, "mutant %" PRIu64 " took %" PRId64 " us\n", current_number, took_us);
		run->bad = true;
	}
	if (getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > totals->largest_kib) {
		totals->largest_kib = usage.ru_maxrss;
		totals->largest_number = current_number;
	}
	totals->failed += run->bad;
}

static void
run_number(struct mutation *m, const struct seeds *seeds, uint64_t number, struct buf *file,
    struct totals *totals)
{
	struct run run = { 0 };
	int64_t start_us;

	current_number = number;
	mutation_make(m, seeds->captures, seeds->count, number);
	mutation_write(m, file);
	start_us = processor_time_us();
	run_mutant(span_from(file->data, file->len), &run, totals);
	start_us = processor_time_us() - start_us;
	if (number % AGAIN_EVERY == 0)
		run_again(span_from(file->data, file->len), &run);
	measure(totals, start_us, &run);
	buf_release(&run.lines);
}

static void
print_totals(const struct totals *t, size_t seed_count)
{
	printf("%" PRIu64 " mutants of %zu captures, %" PRIu64 " failed\n", t->mutants, seed_count,
	    t->failed);
	printf("  %" PRIu64 " packets, %" PRIu64 " of them TCP of a service, %" PRIu64 " events\n",
	    t->frames, t->tcp, t->events);
	printf("  %" PRIu64 " no capture any more, %" PRIu64 " damaged in the middle\n",
	    t->unusable, t->cut_short);
	printf("  slowest: %" PRIu64 ", %" PRId64 " us of processor time; mean %" PRId64 " us\n",
	    t->slowest_number, t->slowest_us,
	    t->all_us / (int64_t)(t->mutants > 0 ? t->mutants : 1));
	printf("  most memory: %ld KiB, since %" PRIu64 "\n", t->largest_kib, t->largest_number);
}

static int
write_file(const char *path, const struct buf *file)
{
	FILE *f = fopen(path, "wb");
	bool good = f != NULL && fwrite(file->data, 1, file->len, f) == file->len;

	if (f != NULL)
		good = fclose(f) == 0 && good;
	if (!good)
		perror(path);
	return good ? 0 : -1;
}

int
main(int argc, char **argv)
{
	uint64_t count = 2000, first = 0;
	const char *out_path = NULL;
	struct seeds seeds = { 0 };
	struct totals totals = { 0 };
	struct buf file = { 0 };
	struct mutation m;
	int option, status = 1;

	while ((option = getopt(argc, argv, "n:f:o:")) != -1) {
		if (option == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (option == 'f')
			first = strtoull(optarg, NULL, 10);
		else if (option == 'o')
			out_path = optarg;
		else
			return 2;
	}
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(on_death);
	mutation_init(&m);
	for (int i = optind; i < argc; i++) {
		if (add_folder(&seeds, argv[i]) != 0)
			goto out;
	}
	if (seeds.count == 0) {
		fprintf(stderr, "mutate_captures: no capture to begin with\n");
		goto out;
	}
	for (uint64_t i = 0; i < count; i++)
		run_number(&m, &seeds, first + i, &file, &totals);
	print_totals(&totals, seeds.count);
	status = totals.failed > 0;
	if (out_path != NULL && count > 0 && write_file(out_path, &file) != 0)
		status = 1;
out:
	mutation_release(&m);
	buf_release(&file);
	seeds_release(&seeds);
	return status;
}
