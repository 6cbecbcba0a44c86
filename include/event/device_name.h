/*
 * device_name - which of several names of a device is to be kept.
 *
 * EHLO, DHCP, mDNS, NBNS, IMAP ID, in this order; what names nobody (an address, localhost) comes
 * last whoever says it.  Of equal ones the latest counts, and one that was not heard for a month
 * gives way to any other: addresses are given to new devices.
 */
#ifndef TLSTALLY_EVENT_DEVICE_NAME_H
#define TLSTALLY_EVENT_DEVICE_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "event/event.h"

/* "[10.1.2.3]" or "localhost": what many devices say, and no name of theirs. */
bool device_name_says_nothing(struct span name);
/* The lower the better. */
uint8_t device_name_rank(enum name_source source, struct span name);
/* True when a name of `rank`, told at `time_us`, is to be kept in place of the old one. */
bool device_name_replaces(uint8_t rank, int64_t time_us, uint8_t old_rank, int64_t old_time_us);

#endif
