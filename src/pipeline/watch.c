#include "pipeline/watch.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/pool.h"
#include "base/shared_names.h"
#include "base/xalloc.h"
#include "tls/names.h"
#include "tls/record_stream.h"

#include "base/banned.h"

struct watch {
	struct flow_watch flow;
	int64_t timestamp_us, finished_us;
	struct shared_name *server; /* NULL: the event had no name */
	uint16_t tls_version, offered_version;
	uint8_t client_dir, protocol, tls_mode, server_name_source;
};

/* The most that an idle connection may take in all, with a server's name that no other has. */
#define IDLE_LEN_MAX 256
#define OWN_NAME_LEN 48
_Static_assert(FLOW_SETTLED_LEN + sizeof(struct watch) + OWN_NAME_LEN <= IDLE_LEN_MAX, "small");

struct watch_pool {
	struct pool watches;
	struct shared_names *names;
};

struct watch_pool *
watch_pool_new(void)
{
	struct watch_pool *pool = xcalloc(1, sizeof(*pool));

	pool_init(&pool->watches, sizeof(struct watch));
	pool->names = shared_names_new();
	return pool;
}

void
watch_pool_free(struct watch_pool *pool)
{
	if (pool == NULL)
		return;
	pool_release(&pool->watches);
	shared_names_free(pool->names);
	free(pool);
}

/*
 * Keeps how the connection had ended before it was settled, as the flow table does not know when.
 */
static void
set_close(struct flow_watch *flow, const struct session_close *first)
{
	if (first->how == SESSION_END_UNSEEN)
		return;
	flow->close = first->how == SESSION_END_CLOSE ? FLOW_CLOSE_FIN : FLOW_CLOSE_RESET;
	flow->closed_by = (uint8_t)first->dir;
	flow->closed_us = first->time_us;
	flow->closed_ack = (uint32_t)first->received;
}

struct watch *
watch_new(struct watch_pool *pool, const struct session *session, const struct connection *conn)
{
	const struct event *ev = session_event(session);
	struct session_close first = session_first_close(session);
	struct watch *w;

	if (ev == NULL || ev->kind != EVENT_TLS_HANDSHAKE || ev->outcome != OUTCOME_ESTABLISHED)
		return NULL;
	w = pool_take(&pool->watches);
	*w = (struct watch){
		.timestamp_us = ev->timestamp_us,
		.finished_us = session_finished_us(session),
		.server = shared_name_take(pool->names, event_text_span(&ev->server_name)),
		.tls_version = ev->tls_version,
		.offered_version = ev->offered_version,
		.client_dir =
		    conn->port[0] == ev->client_port && addr_equals(&conn->addr[0], &ev->client_ip)
			? 0
			: 1,
		.protocol = (uint8_t)ev->protocol,
		.tls_mode = (uint8_t)ev->tls_mode,
		.server_name_source = (uint8_t)ev->server_name_source,
	};
	for (unsigned dir = 0; dir < 2; dir++)
		w->flow.from[dir] = session_handshake_end(session, dir);
	set_close(&w->flow, &first);
	return w;
}

void
watch_free(struct watch_pool *pool, struct watch *w)
{
	shared_name_give_back(pool->names, w->server);
	pool_give_back(&pool->watches, w);
}

/*
 * Up to TLS 1.2 an alert shows by its record's type, and not which one it is.  One that refuses to
 * negotiate anew ends nothing: RFC 5246, section 7.2.2.
 */
enum flow_words
watch_words(struct span payload)
{
	switch (tls_last_record_type(payload)) {
	case TLS_RECORD_ALERT:
		return FLOW_WORDS_END;
	case TLS_RECORD_HANDSHAKE:
		return FLOW_WORDS_ASK;
	default:
		return FLOW_WORDS_GO_ON;
	}
}

struct flow_watch *
watch_flow(struct watch *w)
{
	return &w->flow;
}

bool
watch_listens(const struct watch *w)
{
	/* In TLS 1.3 an alert looks like data: RFC 8446, section 5.2. */
	return w->tls_version != TLS_VERSION_1_3;
}

struct watch *
watch_of(struct flow_watch *flow)
{
	_Static_assert(offsetof(struct watch, flow) == 0, "one address for both");
	return (struct watch *)flow;
}

static void
set_ending(const struct watch *w, struct event_ending *out)
{
	int64_t duration_us = 0;

	*out = (struct event_ending){
		.client_len = (uint64_t)w->flow.len[w->client_dir],
		.server_len = (uint64_t)w->flow.len[1 - w->client_dir],
	};
	if (w->flow.close == FLOW_CLOSE_NONE)
		return;
	out->how = w->flow.close == FLOW_CLOSE_FIN ? SESSION_END_CLOSE : SESSION_END_RESET;
	out->by = w->flow.closed_by == w->client_dir ? SIDE_CLIENT : SIDE_SERVER;
	/* A file can put packet times anywhere. */
	if (!__builtin_sub_overflow(w->flow.closed_us, w->finished_us, &duration_us) &&
	    duration_us > 0)
		out->duration_us = duration_us;
}

void
watch_to_event(
    const struct watch *w, const struct connection *conn, int64_t now_us, struct event *out)
{
	event_init(out);
	out->kind = EVENT_SESSION_END;
	out->timestamp_us = w->timestamp_us;
	out->settled_us = now_us;
	out->source = conn->source;
	out->client_ip = conn->addr[w->client_dir];
	out->client_port = conn->port[w->client_dir];
	out->server_ip = conn->addr[1 - w->client_dir];
	out->server_port = conn->port[1 - w->client_dir];
	out->vlan = connection_vlan(conn, w->client_dir);
	out->protocol = (enum protocol)w->protocol;
	out->tls_mode = (enum tls_mode)w->tls_mode;
	out->tls_version = w->tls_version;
	out->offered_version = w->offered_version;
	out->outcome = OUTCOME_ESTABLISHED;
	out->server_name_source = (enum name_source)w->server_name_source;
	event_text_set(&out->server_name, shared_name_span(w->server));
	set_ending(w, &out->ending);
}
