/*
 * vendors - who was given the first bytes of a MAC address, by the registry that is on this system.
 *
 * Read when a report is made, from the first that is there of: ieee-data (oui.csv and its smaller
 * blocks), nmap-mac-prefixes, Wireshark's manuf, systemd's 20-OUI.hwdb.  None of them is shipped:
 * the registry is IEEE's, and dated.
 *
 * Memory: about 5 MiB for the whole registry; a file of at most VENDORS_FILE_MAX bytes.
 */
#ifndef TLSTALLY_REPORT_VENDORS_H
#define TLSTALLY_REPORT_VENDORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

#define VENDORS_FILE_MAX ((size_t)64 << 20)

struct vendors; /* opaque */

/*
 * *out: NULL where this system has no registry.  -1: a file that is there could not be read, which
 * `err` names; *out has what the others hold.
 */
int vendors_open(struct vendors **out, struct error *err);
/* The content of one file of any of the forms above. */
struct vendors *vendors_from_text(struct span text);
void vendors_free(struct vendors *v);

/* The longest registered prefix; NULL: not registered.  Borrowed; any bytes. */
const char *vendors_find(const struct vendors *v, const uint8_t mac[6]);

/* True for an address that nobody was given: made up by the device, anew for each network. */
static inline bool
mac_is_made_up(const uint8_t mac[6])
{
	return (mac[0] & 0x02) != 0; /* IEEE 802, section 8.2.2: locally administered */
}

#endif
