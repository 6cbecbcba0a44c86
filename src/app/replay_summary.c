#include "app/replay_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/replay_losses.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "capture/link_name.h"
#include "packet/packet.h"
#include "replay/progress.h"

#include "base/banned.h"

struct totals {
	size_t files, known, grown;
	uint64_t packets, bytes, skipped;
	int64_t begin_us, end_us;
};

/* So many files are named one by one; the rest are counted, as an audit may hold thousands. */
#define NAMED_MAX 5

static int
print_failures(const struct saved *saved)
{
	int result = 0;

	for (size_t i = 0; i < saved_file_count(saved); i++) {
		const struct saved_file *f = saved_file_at(saved, i);

		if (!f->failed)
			continue;
		log_error("%s", f->error.text);
		result = -1;
	}
	return result;
}

static int
print_unknown_links(const struct saved *saved, const struct replay_work *work)
{
	struct pipeline_unknown_link links[PIPELINE_UNKNOWN_LINKS_MAX];
	size_t count = replay_work_unknown_links(work, links);

	for (size_t i = 0; i < count; i++) {
		struct buf link = { 0 };

		link_name_add(links[i].link_type, &link);
		log_error("%s has link type %s, which is not supported: %" PRIu64
			  " packet%s could not be read",
		    saved_file_at(saved, links[i].source)->name, buf_text(&link),
		    links[i].frame_count, links[i].frame_count == 1 ? "" : "s");
		buf_release(&link);
	}
	return count > 0 ? -1 : 0;
}

static void
add_file(struct totals *t, const struct saved_file *f)
{
	if (f->unusable)
		return;
	t->files++;
	t->packets += f->packet_count - f->skipped_count;
	t->bytes += f->byte_count - f->skipped_byte_count;
	t->skipped += f->skipped_count;
	if (f->skipped_count > 0 && f->skipped_count == f->packet_count) {
		t->known++;
		if (t->known <= NAMED_MAX)
			log_notice("%s is in the database already: nothing changed (--again "
				   "counts it once more)",
			    f->name);
		return;
	}
	if (f->skipped_count > 0) {
		t->grown++;
		if (t->grown <= NAMED_MAX)
			log_notice("%s has grown: its first %" PRIu64
				   " packets were counted before",
			    f->name, f->skipped_count);
	}
	if (f->packet_count == 0)
		return;
	if (t->begin_us == 0 || f->begin_us < t->begin_us)
		t->begin_us = f->begin_us;
	if (f->end_us > t->end_us)
		t->end_us = f->end_us;
}

static uint64_t
counter(const struct replay_work *work, const char *name)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t count = replay_work_counters(work, counters);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	}
	return 0;
}

static void
print_losses(const struct saved *saved)
{
	struct store_counter losses[REPLAY_LOSSES_MAX];
	size_t count = replay_losses(saved, losses);

	for (size_t i = 0; i < count; i++) {
		if (losses[i].value > 0)
			log_notice("not seen: %" PRIu64 " packet%s dropped by the %s during the "
				   "capture, as the file says",
			    losses[i].value, losses[i].value == 1 ? "" : "s",
			    strcmp(losses[i].name, "kernel_dropped") == 0 ? "kernel" : "interface");
	}
}

static void
print_blind_spots(const struct replay_work *work)
{
	static const struct {
		const char *name, *one, *many;
	} spots[] = {
		{ "undecodable", "packet could not be decoded", "packets could not be decoded" },
		{ "encrypted", "encrypted packet (IPsec, WireGuard, MACsec, PPP, wireless LAN)",
		    "encrypted packets (IPsec, WireGuard, MACsec, PPP, wireless LAN)" },
		{ "unread_in_frames",
		    "packet behind the first one of a wireless frame was not read",
		    "packets behind the first one of a wireless frame were not read" },
		{ "datagrams_timed_out", "fragmented IP packet of which a part is missing",
		    "fragmented IP packets of which a part is missing" },
		{ "datagrams_overlapping", "fragmented IP packet whose parts contradict each other",
		    "fragmented IP packets whose parts contradict each other" },
		{ "datagrams_in_too_many_pieces", "fragmented IP packet in too many parts",
		    "fragmented IP packets in too many parts" },
		{ "datagrams_evicted", "fragmented IP packet was given up for want of room",
		    "fragmented IP packets were given up for want of room" },
		{ "gaps", "gap in a connection: packets are missing from the capture",
		    "gaps in connections: packets are missing from the capture" },
		{ "snapped", "packet on a mail port was cut by the snapshot length",
		    "packets on mail ports were cut by the snapshot length" },
		{ "one_way_flows", "connection was seen in one direction only",
		    "connections were seen in one direction only" },
		{ "flows_evicted", "connection was given up for want of room",
		    "connections were given up for want of room" },
	};

	for (size_t i = 0; i < sizeof(spots) / sizeof(spots[0]); i++) {
		uint64_t value = counter(work, spots[i].name);

		if (value > 0)
			log_notice("not seen whole: %" PRIu64 " %s", value,
			    value == 1 ? spots[i].one : spots[i].many);
	}
}

/* Evidence may be among them: captures of another form, archives. */
void
replay_summary_print_passed_over(const struct saved *saved)
{
	size_t count = saved_passed_over_count(saved);

	for (size_t i = 0; i < count; i++)
		(i < NAMED_MAX ? log_notice : log_debug)(
		    "%s is neither pcap nor pcapng: passed over", saved_passed_over_at(saved, i));
	if (count > NAMED_MAX)
		log_notice(
		    "%zu files in all were passed over (replay --verbose names them)", count);
}

static void
print_totals(const struct totals *t, const struct saved *saved, const struct replay_work *work)
{
	char begin[TIMESTAMP_TEXT_LEN], end[TIMESTAMP_TEXT_LEN], bytes[PROGRESS_BYTES_TEXT_LEN];
	size_t inner_folders = saved_inner_folder_count(saved);
	uint64_t events = counter(work, "events");

	if (t->known > NAMED_MAX)
		log_notice("%zu files in all are in the database already", t->known);
	replay_summary_print_passed_over(saved);
	if (inner_folders > 0)
		log_notice(
		    "folders in the folders were not looked into (%zu): name those", inner_folders);
	if (t->known == t->files)
		return;
	log_notice("read %" PRIu64 " packet%s (%s) of %zu file%s", t->packets,
	    t->packets == 1 ? "" : "s", progress_bytes_text(t->bytes, bytes), t->files - t->known,
	    t->files - t->known == 1 ? "" : "s");
	if (t->packets > 0)
		log_notice("from %.19sZ to %.19sZ: %" PRIu64 " %s of internal clients",
		    timestamp_to_text(t->begin_us, begin), timestamp_to_text(t->end_us, end),
		    events,
		    events == 1 ? "TLS handshake or mail session in cleartext"
				: "TLS handshakes and mail sessions in cleartext");
	if (counter(work, "external_client") > 0)
		log_notice("%" PRIu64 " of other clients were left out (--internal)",
		    counter(work, "external_client"));
	print_losses(saved);
	print_blind_spots(work);
}

int
replay_summary_print(const struct saved *saved, const struct replay_work *work, bool quiet)
{
	struct totals totals = { 0 };
	int result = print_failures(saved);

	if (print_unknown_links(saved, work) != 0)
		result = -1;
	if (quiet)
		return result;
	for (size_t i = 0; i < saved_file_count(saved); i++)
		add_file(&totals, saved_file_at(saved, i));
	if (totals.files > 0)
		print_totals(&totals, saved, work);
	return result;
}
