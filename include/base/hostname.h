/*
 * hostname - what is a host name, as people write it in configurations and data files.
 *
 * Source: RFC 1123, section 2.1; RFC 4343: case does not count.
 */
#ifndef TLSTALLY_BASE_HOSTNAME_H
#define TLSTALLY_BASE_HOSTNAME_H

#include <stdbool.h>

#define HOSTNAME_LEN_MAX 253

/*
 * Lower-case letters, digits and hyphens, labels of 1 to 63, HOSTNAME_LEN_MAX in all; and the
 * underscore that some hosts have.  What looks like an IPv4 address is no host name.
 */
bool hostname_is_valid(const char *name);
/* The same, or such a name behind "*.", which stands for all names below it. */
bool hostname_pattern_is_valid(const char *pattern);
/* In place; ASCII letters only. */
void hostname_to_lower(char *name);

#endif
