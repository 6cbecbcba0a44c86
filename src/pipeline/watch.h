/*
 * watch - an established session after its handshake: what is kept to tell how it ended.
 *
 * Keeps of the event only what its row of the inventory is found by, since as many of these exist
 * as there are settled connections.
 *
 * Memory: 64 bytes per established session, and its server's name once for all sessions that have
 *         the same.
 */
#ifndef TLSTALLY_PIPELINE_WATCH_H
#define TLSTALLY_PIPELINE_WATCH_H

#include "base/connection.h"
#include "event/event.h"
#include "flow/flow_table.h"
#include "session/session.h"

struct watch;      /* opaque */
struct watch_pool; /* opaque: where they come from */

struct watch_pool *watch_pool_new(void);
/* Frees all watches as well. */
void watch_pool_free(struct watch_pool *pool);

/* For a session that has settled; NULL where its end says nothing. */
struct watch *watch_new(
    struct watch_pool *pool, const struct session *session, const struct connection *conn);
void watch_free(struct watch_pool *pool, struct watch *w);
struct flow_watch *watch_flow(struct watch *w);
/* The watch that holds this one. */
struct watch *watch_of(struct flow_watch *flow);
/* Whether flow_handler.words is to be asked, */
bool watch_listens(const struct watch *w);
/* which is this one. */
enum flow_words watch_words(struct span payload);
/* The watch is over: fills in the whole event but the client's MAC address and name. */
void watch_to_event(
    const struct watch *w, const struct connection *conn, int64_t now_us, struct event *out);

#endif
