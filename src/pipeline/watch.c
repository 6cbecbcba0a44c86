#include "pipeline/watch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

struct watch {
	struct flow_watch flow;
	int64_t timestamp_us, settled_us;
	uint32_t source;
	uint16_t tls_version, offered_version;
	uint8_t client_dir, protocol, tls_mode, server_name_source;
	uint16_t server_len;
	char server[]; /* its name, where the event had one */
};

struct watch *
watch_new(const struct session *session, const struct connection *conn)
{
	const struct event *ev = session_event(session);
	struct watch *w;

	if (ev == NULL || ev->kind != EVENT_TLS_HANDSHAKE || ev->outcome != OUTCOME_ESTABLISHED)
		return NULL;
	w = xmalloc(sizeof(*w) + ev->server_name.len);
	*w = (struct watch){
		.timestamp_us = ev->timestamp_us,
		.settled_us = ev->settled_us,
		.source = ev->source,
		.tls_version = ev->tls_version,
		.offered_version = ev->offered_version,
		.client_dir =
		    conn->port[0] == ev->client_port && addr_equals(&conn->addr[0], &ev->client_ip)
			? 0
			: 1,
		.protocol = (uint8_t)ev->protocol,
		.tls_mode = (uint8_t)ev->tls_mode,
		.server_name_source = (uint8_t)ev->server_name_source,
		.server_len = ev->server_name.len,
	};
	memcpy(w->server, ev->server_name.data, ev->server_name.len);
	for (unsigned dir = 0; dir < 2; dir++)
		w->flow.from[dir] = session_handshake_end(session, dir);
	return w;
}

void
watch_free(struct watch *w)
{
	free(w);
}

struct flow_watch *
watch_flow(struct watch *w)
{
	return &w->flow;
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
	if (!__builtin_sub_overflow(w->flow.closed_us, w->settled_us, &duration_us) &&
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
	out->source = w->source;
	out->client_ip = conn->addr[w->client_dir];
	out->client_port = conn->port[w->client_dir];
	out->server_ip = conn->addr[1 - w->client_dir];
	out->server_port = conn->port[1 - w->client_dir];
	out->vlan = conn->vlan;
	out->protocol = (enum protocol)w->protocol;
	out->tls_mode = (enum tls_mode)w->tls_mode;
	out->tls_version = w->tls_version;
	out->offered_version = w->offered_version;
	out->outcome = OUTCOME_ESTABLISHED;
	out->server_name_source = (enum name_source)w->server_name_source;
	event_text_set(&out->server_name, span_from(w->server, w->server_len));
	set_ending(w, &out->ending);
}
