/*
 * A table per form: where a value stands, and which.  A name with points is an object in an object
 * where the form nests; fields that share one stand together.
 */
#include "event/event_form.h"

#include <string.h>

#include "base/json.h"
#include "event/form_values.h"

#include "base/banned.h"

#define NAME_LEN_MAX 64

struct field {
	const char *name;
	form_value value;
};

/* elastic/ecs, schemas/tls.yml and others. */
static const struct field ecs[] = {
	{ "@timestamp", form_time_rfc3339 },
	{ "ecs.version", form_ecs_version },
	{ "event.kind", form_ecs_kind },
	{ "event.module", form_product },
	{ "event.dataset", form_dataset },
	{ "event.category", form_ecs_category },
	{ "event.type", form_ecs_type },
	{ "event.action", form_kind },
	{ "event.outcome", form_ecs_outcome },
	{ "event.reason", form_refusal },
	{ "error.code", form_refusal },
	{ "observer.name", form_sensor },
	{ "observer.product", form_product },
	{ "observer.type", form_observer_type },
	{ "source.ip", form_client_ip },
	{ "source.port", form_client_port },
	{ "source.mac", form_client_mac_ecs },
	{ "client.ip", form_client_ip },
	{ "client.port", form_client_port },
	{ "client.mac", form_client_mac_ecs },
	{ "client.domain", form_client_name },
	{ "destination.ip", form_server_ip },
	{ "destination.port", form_server_port },
	{ "destination.domain", form_server_name },
	{ "server.ip", form_server_ip },
	{ "server.port", form_server_port },
	{ "server.domain", form_server_name },
	{ "network.transport", form_transport },
	{ "network.type", form_network_type },
	{ "network.protocol", form_protocol_lower },
	{ "network.community_id", form_community_id },
	{ "network.vlan.id", form_vlan_text },
	{ "tls.version", form_version_number },
	{ "tls.version_protocol", form_version_protocol },
	{ "tls.cipher", form_cipher },
	{ "tls.established", form_established },
	{ "tls.resumed", form_resumed },
	{ "tls.next_protocol", form_alpn },
	{ "tls.client.server_name", form_sni },
	{ "tls.client.ja3", form_ja3 },
	{ "tls.server.subject", form_subject },
	{ "tls.server.not_after", form_not_after_rfc3339 },
};

/* Zeek, base/protocols/ssl/main.zeek (SSL::Info), policy/protocols/ssl/ssl-log-ext.zeek, packages.
 */
static const struct field zeek[] = {
	{ "ts", form_time_epoch },
	{ "id.orig_h", form_client_ip },
	{ "id.orig_p", form_client_port },
	{ "id.resp_h", form_server_ip },
	{ "id.resp_p", form_server_port },
	{ "version", form_version_zeek },
	{ "client_version", form_offered_number },
	{ "client_supported_versions", form_offered_array },
	{ "cipher", form_cipher },
	{ "server_name", form_sni },
	{ "resumed", form_resumed },
	{ "last_alert", form_alert },
	{ "next_protocol", form_alpn },
	{ "established", form_established },
	{ "subject", form_subject },
	{ "community_id", form_community_id },
	{ "ja3", form_ja3 },
	{ "ja4", form_ja4 },
	{ "orig_l2_addr", form_client_mac },
	{ "vlan", form_vlan },
	{ "_system_name", form_sensor },
};

/* Suricata, output-json-tls.c. */
static const struct field eve[] = {
	{ "timestamp", form_time_eve },
	{ "event_type", form_eve_type },
	{ "host", form_sensor },
	{ "src_ip", form_client_ip },
	{ "src_port", form_client_port },
	{ "dest_ip", form_server_ip },
	{ "dest_port", form_server_port },
	{ "proto", form_transport_upper },
	{ "vlan", form_vlan_array },
	{ "community_id", form_community_id },
	{ "ether.src_mac", form_client_mac },
	{ "tls.version", form_version_eve },
	{ "tls.sni", form_sni },
	{ "tls.subject", form_subject },
	{ "tls.notafter", form_not_after_eve },
	{ "tls.session_resumed", form_resumed },
	{ "tls.from_proto", form_from_proto },
	{ "tls.server_alpns", form_alpn_array },
	{ "tls.ja3.hash", form_ja3 },
	{ "tls.ja4", form_ja4 },
	{ "tls.client_handshake.version", form_offered_eve },
	{ "tls.server_handshake.version", form_version_eve },
	{ "tls.server_handshake.cipher", form_cipher_number },
};

/* Splunk CIM, data models Network Traffic and Certificates. */
static const struct field splunk[] = {
	{ "_time", form_time_epoch },
	{ "vendor_product", form_product },
	{ "dvc", form_sensor },
	{ "src", form_client_ip },
	{ "src_ip", form_client_ip },
	{ "src_port", form_client_port },
	{ "src_mac", form_client_mac },
	{ "dest", form_server_ip },
	{ "dest_ip", form_server_ip },
	{ "dest_port", form_server_port },
	{ "dest_host", form_server_name },
	{ "transport", form_transport },
	{ "app", form_protocol_lower },
	{ "vlan", form_vlan },
	{ "action", form_cim_action },
	{ "ssl_version", form_version },
	{ "ssl_cipher", form_cipher },
	{ "ssl_subject", form_subject },
	{ "ssl_subject_common_name", form_common_name },
	{ "ssl_end_time", form_not_after_epoch },
	{ "ja3", form_ja3 },
	{ "ja4", form_ja4 },
};

#define TABLE(fields) fields, sizeof(fields) / sizeof((fields)[0])

static const struct form {
	const struct field *fields;
	size_t count;
	bool nests;
} forms[RECORD_FORM_COUNT] = {
	[RECORD_FORM_ECS] = { TABLE(ecs), true },
	[RECORD_FORM_ZEEK] = { TABLE(zeek), false },
	[RECORD_FORM_EVE] = { TABLE(eve), true },
	[RECORD_FORM_SPLUNK] = { TABLE(splunk), false },
};

/* The length of the objects that both names are in, with their last point. */
static size_t
common_prefix(const char *open, const char *name)
{
	size_t len = 0;

	for (size_t i = 0; open[i] != '\0' && open[i] == name[i]; i++) {
		if (name[i] == '.')
			len = i + 1;
	}
	return len;
}

/* `open` is the prefix of the objects that are open, with its last point. */
static void
close_to(char *open, size_t len, struct buf *out)
{
	for (size_t i = len; open[i] != '\0'; i++) {
		if (open[i] == '.')
			json_end_object(out);
	}
	open[len] = '\0';
}

/* Opens what `name` is in; returns its last part. */
static const char *
open_to(char *open, const char *name, struct buf *out)
{
	size_t len = common_prefix(open, name);
	const char *part = name + len, *point;

	close_to(open, len, out);
	while ((point = strchr(part, '.')) != NULL) {
		char key[NAME_LEN_MAX] = "";

		memcpy(key, part, (size_t)(point - part));
		json_key(out, key);
		json_begin_object(out);
		part = point + 1;
	}
	len = (size_t)(part - name);
	memcpy(open, name, len);
	open[len] = '\0';
	return part;
}

static void
write_fields(const struct form *form, const struct form_record *r, struct buf *out)
{
	char open[NAME_LEN_MAX] = "";
	struct buf value = { 0 };

	for (size_t i = 0; i < form->count; i++) {
		const char *name = form->fields[i].name;

		buf_clear(&value);
		if (!form->fields[i].value(r, &value))
			continue;
		json_key(out, form->nests ? open_to(open, name, out) : name);
		buf_add(out, value.data, value.len);
	}
	close_to(open, 0, out);
	buf_release(&value);
}

static void
write_line(enum record_form form, const struct form_record *r, struct span own, struct buf *out)
{
	json_begin_object(out);
	write_fields(&forms[form], r, out);
	json_key(out, "tlstally");
	buf_add(out, own.data, own.len);
	json_end_object(out);
	buf_add_char(out, '\n');
}

void
event_form_write(enum record_form form, const struct event *ev, const char *sensor, struct span own,
    struct buf *out)
{
	const struct form_record r = {
		.event = ev,
		.time_us = ev->timestamp_us,
		.kind = ev->kind == EVENT_TLS_HANDSHAKE ? "tls_handshake" : "cleartext_session",
		.sensor = sensor,
	};

	write_line(form, &r, own, out);
}

void
event_form_write_other(enum record_form form, const char *kind, int64_t time_us, const char *sensor,
    struct span own, struct buf *out)
{
	const struct form_record r = { .kind = kind, .time_us = time_us, .sensor = sensor };

	write_line(form, &r, own, out);
}
