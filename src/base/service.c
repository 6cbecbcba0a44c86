#include "base/service.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"

#define STARTTLS_BIT 0x80

static const struct {
	const char *text;
	const char *name;
} protocols[PROTOCOL_COUNT] = {
	[PROTOCOL_NONE] = { "", "" },
	[PROTOCOL_TLS] = { "tls", "TLS" },
	[PROTOCOL_IMAP] = { "imap", "IMAP" },
	[PROTOCOL_POP3] = { "pop3", "POP3" },
	[PROTOCOL_SMTP] = { "smtp", "SMTP" },
};

static void
set_port(struct service_set *set, uint16_t port, enum protocol protocol, bool starttls)
{
	set->ports[port] = (uint8_t)((unsigned)protocol | (starttls ? STARTTLS_BIT : 0u));
	port_set_add(&set->members, port);
}

void
service_set_init_defaults(struct service_set *set)
{
	memset(set, 0, sizeof(*set));
	set_port(set, 993, PROTOCOL_IMAP, false);
	set_port(set, 995, PROTOCOL_POP3, false);
	set_port(set, 465, PROTOCOL_SMTP, false);
	set_port(set, 587, PROTOCOL_SMTP, true);
	set_port(set, 143, PROTOCOL_IMAP, true);
	set_port(set, 110, PROTOCOL_POP3, true);
}

/* "imap" or "imap+starttls". */
static bool
mode_from_text(const char *text, enum protocol *protocol, bool *starttls)
{
	const char *plus = strchr(text, '+');
	size_t len = plus != NULL ? (size_t)(plus - text) : strlen(text);

	*starttls = plus != NULL;
	if (plus != NULL && strcasecmp(plus, "+starttls") != 0)
		return false;
	return protocol_from_text(text, len, protocol);
}

int
service_set_add_text(struct service_set *set, const char *text, struct error *err)
{
	enum protocol protocol;
	bool starttls;
	char *end;
	unsigned long port;

	/* strtoul takes signs and blanks, a port has neither. */
	if (text[0] < '0' || text[0] > '9') {
		error_set(err,
		    "service '%.80s' does not begin with a port number: give it as "
		    "PORT=imap|pop3|smtp|tls[+starttls]",
		    text);
		return -1;
	}
	port = strtoul(text, &end, 10);
	if (port < 1 || port > 65535 || *end != '=') {
		error_set(err,
		    "service '%.80s' has no port from 1 to 65535 in front of a '=': give it "
		    "as PORT=imap|pop3|smtp|tls[+starttls]",
		    text);
		return -1;
	}
	if (!mode_from_text(end + 1, &protocol, &starttls)) {
		error_set(err,
		    "service '%.80s': '%.40s' is none of imap, pop3, smtp, tls, each with or "
		    "without +starttls",
		    text, end + 1);
		return -1;
	}
	set_port(set, (uint16_t)port, protocol, starttls);
	return 0;
}

struct service
service_set_find(const struct service_set *set, uint16_t port)
{
	/*
	 * Most ports are no service's, and the set of those that are is small enough for the cache.
	 */
	uint8_t value = service_set_has(set, port) ? set->ports[port] : 0;

	return (struct service){
		.protocol = (enum protocol)(value & ~STARTTLS_BIT),
		.starttls = (value & STARTTLS_BIT) != 0,
	};
}

const char *
protocol_name(enum protocol protocol)
{
	return protocols[protocol].name;
}

const char *
protocol_to_text(enum protocol protocol)
{
	return protocols[protocol].text;
}

bool
protocol_from_text(const char *text, size_t len, enum protocol *out)
{
	for (unsigned i = PROTOCOL_TLS; i < PROTOCOL_COUNT; i++) {
		if (strlen(protocols[i].text) == len &&
		    strncasecmp(text, protocols[i].text, len) == 0) {
			*out = (enum protocol)i;
			return true;
		}
	}
	return false;
}
