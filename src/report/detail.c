#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/printable.h"
#include "report/report_internal.h"
#include "tls/names.h"

#include "base/banned.h"

char *
report_printable(struct span text)
{
	struct buf printable = { 0 };
	char *copy;

	printable_add(&printable, text, SIZE_MAX);
	copy = xstrdup(buf_text(&printable));
	buf_release(&printable);
	return copy;
}

/* Without its port, with which printable_add_server ends. */
char *
report_bare_server(const struct finding *f)
{
	char addr_text[ADDR_TEXT_LEN];
	struct buf text = { 0 };
	struct addr addr;
	char *copy, *colon;

	buf_add(&text, f->key.server.data, f->key.server.len);
	if (memchr(f->key.server.data, '\0', f->key.server.len) == NULL &&
	    addr_from_text(buf_text(&text), &addr)) {
		buf_release(&text);
		return xstrdup(addr_to_text(&addr, addr_text));
	}
	buf_clear(&text);
	printable_add_server(&text, event_text_span(&f->key.server), f->key.server_port, SIZE_MAX);
	copy = xstrdup(buf_text(&text));
	colon = strrchr(copy, ':');
	if (colon != NULL)
		*colon = '\0';
	buf_release(&text);
	return copy;
}

/* What the list of services says: where nothing else names the server, its range does. */
static void
set_service(const struct policy *policy, const struct finding *from, struct report_detail *out)
{
	struct switch_off_match match;

	out->legacy_endpoint = TRI_FALSE;
	if (!switch_off_find_server(policy->services, from, &match))
		return;
	if (match.legacy_endpoint)
		out->legacy_endpoint = TRI_TRUE;
	if (!match.by_address)
		return;
	out->legacy_endpoint = TRI_UNKNOWN;
	if (out->server_name_source == NAME_SOURCE_NONE)
		out->server_name_source = NAME_SOURCE_RANGE;
}

/* As in an event, but below the minimum that is asked for, not below that of the capture. */
static enum event_side
limited_by(const struct policy *policy, const struct finding_key *key)
{
	if (key->tls_version == 0 || key->offered_version == 0 ||
	    tls_version_compare(key->tls_version, policy->minimum) >= 0)
		return SIDE_NONE;
	return tls_version_compare(key->offered_version, key->tls_version) > 0 ? SIDE_SERVER
									       : SIDE_CLIENT;
}

void
report_detail_fill(
    const struct policy *policy, const struct finding *from, struct report_detail *out)
{
	struct span subject = event_text_span(&from->certificate_subject);

	*out = (struct report_detail){
		.server = report_bare_server(from),
		.server_port = from->key.server_port,
		.server_ip = from->server_ip,
		.server_name_source = from->server_name_source,
		.limited_by = limited_by(policy, &from->key),
		.has_cipher_suite = from->has_cipher_suite,
		.cipher_suite = from->cipher_suite,
		.has_ja4 = from->has_ja4,
		.has_certificate_not_after = from->has_certificate_not_after,
		.certificate_not_after_us = from->certificate_not_after_us,
		.gap_count = from->gap_count,
		.login_count = from->login_count,
		.ended_count = from->ended_count,
		.dropped_early_count = from->dropped_early_count,
	};
	memcpy(out->ja4, from->ja4, sizeof(out->ja4));
	set_service(policy, from, out);
	if (subject.len > 0)
		out->certificate_subject = report_printable(subject);
}

void
report_detail_release(struct report_detail *d)
{
	free(d->server);
	free(d->certificate_subject);
	*d = (struct report_detail){ 0 };
}
