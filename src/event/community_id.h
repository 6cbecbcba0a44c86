/*
 * community_id - the flow hash that Zeek, Suricata and others write, so that records can be joined.
 *
 * Source: Community ID flow hashing, version 1: SHA-1 over seed, the two endpoints in order,
 * protocol.
 */
#ifndef TLSTALLY_EVENT_COMMUNITY_ID_H
#define TLSTALLY_EVENT_COMMUNITY_ID_H

#include "event/event.h"

#define COMMUNITY_ID_TEXT_LEN 31 /* "1:", 28 characters of base64, NUL */

/* Returns where it ends, without a NUL. */
char *community_id_put(char *out, const struct event *ev);
void community_id_text(const struct event *ev, char out[COMMUNITY_ID_TEXT_LEN]);

#endif
