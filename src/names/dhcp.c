#include "names/dhcp.h"

#include <string.h>

#include "base/banned.h"

/* RFC 2131, section 2; RFC 2132. */
#define BOOTREQUEST 1
#define BOOTREPLY 2
#define HTYPE_ETHERNET 1
#define MAGIC UINT32_C(0x63825363)
#define OPTION_PAD 0
#define OPTION_HOST_NAME 12
#define OPTION_LEASE_TIME 51
#define OPTION_MESSAGE_TYPE 53
#define OPTION_CLIENT_FQDN 81
#define OPTION_END 255
#define MESSAGE_ACK 5
#define MESSAGE_RELEASE 7
#define FQDN_WIRE_FORMAT 0x04

struct dhcp_options {
	uint8_t message_type;
	uint32_t lease_time;
	struct span host_name, fqdn; /* the latter without flags and rcodes */
	bool fqdn_is_wire;
};

/* Options that the capture cut are left out. */
static void
read_options(struct span s, struct dhcp_options *out)
{
	struct span value;
	uint8_t code, flags;

	while (span_read_u8(&s, &code) && code != OPTION_END) {
		if (code == OPTION_PAD)
			continue;
		if (!span_read_vec8(&s, &value))
			return;
		if (code == OPTION_MESSAGE_TYPE) {
			(void)!span_read_u8(&value, &out->message_type);
		} else if (code == OPTION_HOST_NAME) {
			out->host_name = value;
		} else if (code == OPTION_LEASE_TIME) {
			(void)!span_read_u32(&value, &out->lease_time);
		} else if (code == OPTION_CLIENT_FQDN && span_read_u8(&value, &flags) &&
			   span_skip(&value, 2)) {
			out->fqdn = value;
			out->fqdn_is_wire = (flags & FQDN_WIRE_FORMAT) != 0;
		}
	}
}

static void
add_name(struct dhcp_facts *out, struct span text)
{
	text = span_first(text, DHCP_NAME_MAX - (size_t)out->name_len);
	if (text.len == 0)
		return;
	memcpy(out->name + out->name_len, text.data, text.len);
	out->name_len = (uint8_t)(out->name_len + text.len);
}

/* RFC 4702, section 2.3.1: labels, without compression; the end may be open. */
static void
add_wire_name(struct dhcp_facts *out, struct span wire)
{
	struct span label;

	while (span_read_vec8(&wire, &label) && label.len > 0 && label.len <= 63) {
		if (out->name_len > 0)
			add_name(out, span_from_text("."));
		add_name(out, label);
	}
}

/* Some clients end a name with NULs, or fully qualified ones with a dot. */
static void
trim_name(struct dhcp_facts *out)
{
	while (out->name_len > 0 &&
	       (out->name[out->name_len - 1] == '\0' || out->name[out->name_len - 1] == '.'))
		out->name_len--;
}

static void
set_addr(struct dhcp_facts *out, struct span bytes)
{
	static const uint8_t zero[4];

	if (memcmp(bytes.data, zero, sizeof(zero)) != 0)
		addr_set_v4(&out->addr, bytes.data);
}

bool
dhcp_parse(struct span payload, struct dhcp_facts *out)
{
	struct span s = payload, ignored, ciaddr, yiaddr, mac;
	struct dhcp_options options = { 0 };
	uint8_t op, htype, hlen;
	uint32_t magic;

	memset(out, 0, sizeof(*out));
	if (!span_read_u8(&s, &op) || !span_read_u8(&s, &htype) || !span_read_u8(&s, &hlen) ||
	    !span_read_span(&s, 1 + 4 + 2 + 2, &ignored) || /* hops, xid, secs, flags */
	    !span_read_span(&s, 4, &ciaddr) || !span_read_span(&s, 4, &yiaddr) ||
	    !span_read_span(&s, 4 + 4, &ignored) || /* siaddr, giaddr */
	    !span_read_span(&s, sizeof(out->mac), &mac) ||
	    !span_read_span(&s, 10 + 64 + 128, &ignored) || /* chaddr's rest, sname, file */
	    !span_read_u32(&s, &magic))
		return false;
	if ((op != BOOTREQUEST && op != BOOTREPLY) || htype != HTYPE_ETHERNET ||
	    hlen != sizeof(out->mac) || magic != MAGIC)
		return false;
	read_options(s, &options);
	memcpy(out->mac, mac.data, sizeof(out->mac));
	out->is_reply = op == BOOTREPLY;
	/* An offer means nothing until it is acknowledged. */
	if (out->is_reply && options.message_type != MESSAGE_ACK)
		return false;
	/* What it releases it has no longer. */
	if (options.message_type != MESSAGE_RELEASE)
		set_addr(out, out->is_reply && yiaddr.data[0] != 0 ? yiaddr : ciaddr);
	out->lease_time = options.lease_time;
	/* The longer form says more. */
	if (options.fqdn_is_wire)
		add_wire_name(out, options.fqdn);
	else
		add_name(out, options.fqdn);
	trim_name(out);
	if (out->name_len == 0)
		add_name(out, options.host_name);
	trim_name(out);
	return out->name_len > 0 || out->addr.family != 0;
}
