/*
 * form_values - single values of a record, as JSON, in the spellings of other programs.
 *
 * Each appends one value, or returns false and appends nothing where it is not known.
 */
#ifndef TLSTALLY_EVENT_FORM_VALUES_H
#define TLSTALLY_EVENT_FORM_VALUES_H

#include "event/event.h"

struct form_record {
	const struct event *event; /* NULL: a record about no single event */
	int64_t time_us;
	const char *kind;
	const char *sensor; /* NULL: not known */
};

typedef bool (*form_value)(const struct form_record *r, struct buf *out);

/* "2026-11-20T18:38:17.000001Z"; the same with +0000; seconds since 1970. */
bool form_time_rfc3339(const struct form_record *r, struct buf *out);
bool form_time_eve(const struct form_record *r, struct buf *out);
bool form_time_epoch(const struct form_record *r, struct buf *out);

bool form_kind(const struct form_record *r, struct buf *out);
bool form_dataset(const struct form_record *r, struct buf *out); /* "tlstally.events", ... */
bool form_product(const struct form_record *r, struct buf *out); /* "tlstally" */
bool form_sensor(const struct form_record *r, struct buf *out);

bool form_client_ip(const struct form_record *r, struct buf *out);
bool form_client_port(const struct form_record *r, struct buf *out);
bool form_client_mac(const struct form_record *r, struct buf *out);
bool form_client_mac_ecs(const struct form_record *r, struct buf *out); /* "00-00-5E-00-53-23" */
bool form_client_name(const struct form_record *r, struct buf *out);
bool form_server_ip(const struct form_record *r, struct buf *out);
bool form_server_port(const struct form_record *r, struct buf *out);
bool form_server_name(const struct form_record *r, struct buf *out); /* from wherever */
bool form_sni(const struct form_record *r, struct buf *out);         /* of the ClientHello */
bool form_vlan(const struct form_record *r, struct buf *out);
bool form_vlan_text(const struct form_record *r, struct buf *out);
bool form_vlan_array(const struct form_record *r, struct buf *out);
bool form_community_id(const struct form_record *r, struct buf *out);
bool form_transport(const struct form_record *r, struct buf *out);
bool form_transport_upper(const struct form_record *r, struct buf *out);
bool form_network_type(const struct form_record *r, struct buf *out);
bool form_protocol_lower(const struct form_record *r, struct buf *out); /* "imap", ... */
bool form_from_proto(const struct form_record *r, struct buf *out);     /* of STARTTLS only */

bool form_version(const struct form_record *r, struct buf *out);          /* "TLSv1.0" */
bool form_version_number(const struct form_record *r, struct buf *out);   /* "1.0" */
bool form_version_protocol(const struct form_record *r, struct buf *out); /* "tls", "ssl" */
bool form_version_zeek(const struct form_record *r, struct buf *out);     /* "TLSv10" */
bool form_version_eve(const struct form_record *r, struct buf *out);      /* "TLSv1", "TLS 1.1" */
bool form_offered_eve(const struct form_record *r, struct buf *out);
bool form_offered_number(const struct form_record *r, struct buf *out); /* 769; up to TLS 1.2 */
bool form_offered_array(const struct form_record *r, struct buf *out);  /* [772]; the highest */
bool form_cipher(const struct form_record *r, struct buf *out);
bool form_cipher_number(const struct form_record *r, struct buf *out);
bool form_established(const struct form_record *r, struct buf *out);
bool form_resumed(const struct form_record *r, struct buf *out);
bool form_alpn(const struct form_record *r, struct buf *out);
bool form_alpn_array(const struct form_record *r, struct buf *out);
bool form_refusal(const struct form_record *r, struct buf *out);
bool form_alert(const struct form_record *r, struct buf *out); /* a readable one only */
bool form_ja3(const struct form_record *r, struct buf *out);
bool form_ja4(const struct form_record *r, struct buf *out);
bool form_subject(const struct form_record *r, struct buf *out);
bool form_common_name(const struct form_record *r, struct buf *out); /* of the subject */
bool form_not_after_rfc3339(const struct form_record *r, struct buf *out);
bool form_not_after_eve(const struct form_record *r, struct buf *out);
bool form_not_after_epoch(const struct form_record *r, struct buf *out);

bool form_ecs_version(const struct form_record *r, struct buf *out);
bool form_ecs_kind(const struct form_record *r, struct buf *out);
bool form_ecs_category(const struct form_record *r, struct buf *out);
bool form_ecs_type(const struct form_record *r, struct buf *out);
bool form_ecs_outcome(const struct form_record *r, struct buf *out);
bool form_observer_type(const struct form_record *r, struct buf *out);
bool form_eve_type(const struct form_record *r, struct buf *out);
bool form_cim_action(const struct form_record *r, struct buf *out); /* "allowed", "blocked" */

#endif
