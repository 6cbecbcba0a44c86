/*
 * doctor_gather - where `tlstally doctor` has its counters from: saved captures, read without a
 * database, or the runs of a database.
 */
#ifndef TLSTALLY_APP_DOCTOR_GATHER_H
#define TLSTALLY_APP_DOCTOR_GATHER_H

#include <signal.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/port_list.h"
#include "base/service.h"
#include "report/doctor.h"
#include "store/query.h"

struct doctor_captures {
	const struct service_set *services;
	const struct network_set *internal;
	const struct port_list *vxlan_ports;
	const char *const *paths;
	size_t path_count;
	const volatile sig_atomic_t *stop; /* set: enough was read */
};

/*
 * Both fill in `feed`, which starts zeroed, and return -1 after they have logged what could not be
 * read; what could be is in `feed` all the same.  `links` holds feed->unknown_links.
 */
int doctor_gather_captures(
    const struct doctor_captures *captures, struct doctor_feed *feed, struct buf *links);
int doctor_gather_database(
    const char *path, const struct store_filter *filter, struct doctor_feed *feed);

#endif
