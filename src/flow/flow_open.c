/* A connection's entry, as its first packet with payload makes it. */
#include <string.h>

#include "flow/flow_internal.h"

#include "base/banned.h"

static void
set_mac(struct connection *conn, unsigned dir, const uint8_t *mac)
{
	if (mac == NULL)
		return;
	memcpy(conn->mac[dir], mac, 6);
	conn->mac_dirs |= (1u << dir) & 3u;
}

void
flow_set_link(struct connection *conn, const struct packet *p, unsigned dir)
{
	conn->vlan[dir] = (int16_t)p->vlan;
	set_mac(conn, dir, p->src_mac);
}

static void
set_connection(struct connection *conn, const struct packet *p, unsigned dir)
{
	*conn = (struct connection){
		.vlan = { CONNECTION_VLAN_UNKNOWN, CONNECTION_VLAN_UNKNOWN },
		.source = p->source,
		.opener = CONNECTION_NO_DIR,
		.mid_start = { true, true },
	};
	conn->addr[dir] = p->src;
	conn->addr[1 - dir] = p->dst;
	conn->port[dir] = p->src_port;
	conn->port[1 - dir] = p->dst_port;
	flow_set_link(conn, p, dir);
	set_mac(conn, 1 - dir, p->dst_mac);
}

struct flow *
flow_open(struct flow_table *table, const struct packet *p, uint64_t hash, unsigned dir)
{
	struct flow *f;

	flow_list_make_room(table);
	table->stamp++;
	f = flow_slot_take(table, hash);
	set_connection(&f->conn, p, dir);
	flow_list_put(table, f, FLOW_LIST_UNSETTLED);
	flow_take_syns(table, f, p, dir);
	table->counters.flows++;
	table->counters.mid_start += f->conn.mid_start[dir];
	f->user = table->handler->open(table->arg, f);
	return f;
}
