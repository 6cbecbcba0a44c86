#include "mail.h"

#include <string.h>

#include "handshake.h"

#include "base/banned.h"

#define SAY_CLIENT(c, ...) conversation_sayf((c), CLIENT, __VA_ARGS__)
#define SAY_SERVER(c, ...) conversation_sayf((c), SERVER, __VA_ARGS__)

/* What becomes of STARTTLS. */
enum starttls { STARTTLS_GRANTED, STARTTLS_REFUSED, STARTTLS_NEVER };

static const struct {
	struct mail_service service;
	uint32_t percent;
} services[] = {
	{ { 993, "IMAP", false }, 45 },
	{ { 587, "SMTP", true }, 20 },
	{ { 465, "SMTP", false }, 10 },
	{ { 143, "IMAP", true }, 10 },
	{ { 995, "POP3", false }, 10 },
	{ { 110, "POP3", true }, 5 },
};

const struct mail_service *
mail_service_draw(struct dice *dice)
{
	uint32_t drawn = dice_below(dice, 100);
	size_t i = 0;

	while (drawn >= services[i].percent)
		drawn -= services[i++].percent;
	return &services[i].service;
}

static void
smtp_without_tls(struct conversation *c, const struct mail_plan *plan)
{
	SAY_CLIENT(c, "MAIL FROM:<u%u@example.org>\r\n", plan->client);
	SAY_SERVER(c, "250 2.1.0 Ok\r\n");
	SAY_CLIENT(c, "RCPT TO:<x@%s>\r\n", plan->server->name);
	SAY_SERVER(c, "250 2.1.5 Ok\r\n");
	SAY_CLIENT(c, "DATA\r\n");
	SAY_SERVER(c, "354 go on\r\n");
	SAY_CLIENT(c, "Subject: test\r\n\r\nnothing of note\r\n.\r\n");
	SAY_SERVER(c, "250 2.0.0 queued\r\n");
	SAY_CLIENT(c, "QUIT\r\n");
	SAY_SERVER(c, "221 2.0.0 Bye\r\n");
}

static void
smtp(struct conversation *c, const struct mail_plan *plan, enum starttls starttls)
{
	SAY_SERVER(c, "220 %s ESMTP ready\r\n", plan->server->name);
	SAY_CLIENT(c, "EHLO host%u.example.org\r\n", plan->client);
	SAY_SERVER(c,
	    "250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n",
	    plan->server->name);
	if (starttls != STARTTLS_NEVER) {
		SAY_CLIENT(c, "STARTTLS\r\n");
		SAY_SERVER(c, starttls == STARTTLS_GRANTED ? "220 2.0.0 Ready to start TLS\r\n"
							   : "454 4.7.0 TLS not available\r\n");
	}
	if (starttls != STARTTLS_GRANTED)
		smtp_without_tls(c, plan);
}

static void
imap(struct conversation *c, const struct mail_plan *plan, enum starttls starttls)
{
	SAY_SERVER(
	    c, "* OK [CAPABILITY IMAP4rev1 LITERAL+ STARTTLS] %s ready\r\n", plan->server->name);
	SAY_CLIENT(c, "a1 CAPABILITY\r\n");
	SAY_SERVER(c, "* CAPABILITY IMAP4rev1 LITERAL+ IDLE STARTTLS AUTH=PLAIN\r\na1 OK done\r\n");
	if (starttls != STARTTLS_NEVER) {
		SAY_CLIENT(c, "a2 STARTTLS\r\n");
		SAY_SERVER(c, starttls == STARTTLS_GRANTED ? "a2 OK Begin TLS negotiation now\r\n"
							   : "a2 NO not now\r\n");
	}
	if (starttls == STARTTLS_GRANTED)
		return;
	SAY_CLIENT(c, "a3 LOGIN user%u secret\r\n", plan->client);
	SAY_SERVER(c, "a3 OK Logged in\r\n");
	SAY_CLIENT(c, "a4 SELECT INBOX\r\n");
	SAY_SERVER(c, "* 3 EXISTS\r\n* 0 RECENT\r\na4 OK done\r\n");
	SAY_CLIENT(c, "a5 LOGOUT\r\n");
	SAY_SERVER(c, "* BYE\r\na5 OK\r\n");
}

static void
pop3(struct conversation *c, const struct mail_plan *plan, enum starttls starttls)
{
	SAY_SERVER(c, "+OK %s ready\r\n", plan->server->name);
	SAY_CLIENT(c, "CAPA\r\n");
	SAY_SERVER(c, "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nSTLS\r\nUSER\r\n.\r\n");
	if (starttls != STARTTLS_NEVER) {
		SAY_CLIENT(c, "STLS\r\n");
		SAY_SERVER(c, starttls == STARTTLS_GRANTED ? "+OK Begin TLS negotiation\r\n"
							   : "-ERR not now\r\n");
	}
	if (starttls == STARTTLS_GRANTED)
		return;
	SAY_CLIENT(c, "USER u%u\r\n", plan->client);
	SAY_SERVER(c, "+OK\r\n");
	SAY_CLIENT(c, "PASS secret\r\n");
	SAY_SERVER(c, "+OK Logged in.\r\n");
	SAY_CLIENT(c, "STAT\r\n");
	SAY_SERVER(c, "+OK 0 0\r\n");
	SAY_CLIENT(c, "QUIT\r\n");
	SAY_SERVER(c, "+OK bye\r\n");
}

static void
dialogue(struct conversation *c, const struct mail_plan *plan, enum starttls starttls)
{
	switch (plan->service->protocol[0]) {
	case 'I':
		imap(c, plan, starttls);
		break;
	case 'P':
		pop3(c, plan, starttls);
		break;
	default:
		smtp(c, plan, starttls);
		break;
	}
}

static enum starttls
draw_starttls(struct dice *dice)
{
	uint32_t drawn = dice_below(dice, 100);

	if (drawn < 4)
		return STARTTLS_NEVER;
	return drawn < 6 ? STARTTLS_REFUSED : STARTTLS_GRANTED;
}

static void
write_tls(struct conversation *c, const struct mail_plan *plan)
{
	struct handshake_plan tls = { .server = plan->server,
		.kind = client_kind_draw(c->dice),
		.bulk_len = plan->bulk_len,
		.bulk_from = strcmp(plan->service->protocol, "SMTP") == 0 ? CLIENT : SERVER,
		.may_fail = plan->may_fail };

	handshake_write(c, &tls);
}

void
mail_write(struct conversation *c, const struct mail_plan *plan)
{
	struct truth *truth = &c->truth;
	enum starttls starttls = draw_starttls(c->dice);
	/* What is usual on a port does not bind a client. */
	bool has_dialogue = plan->service->has_starttls && !dice_chance(c->dice, 10);

	truth->protocol = plan->service->protocol;
	truth->tls_mode = has_dialogue ? "starttls" : "implicit";
	conversation_open(c);
	if (has_dialogue) {
		c->marks_next = starttls != STARTTLS_GRANTED;
		dialogue(c, plan, starttls);
	}
	if (!has_dialogue || starttls == STARTTLS_GRANTED) {
		write_tls(c, plan);
	} else {
		truth->is_event = true;
		truth->tls_mode = "none";
		truth->outcome = "cleartext";
		conversation_close(c, CLIENT);
	}
	if (plan->is_named && truth->server_name[0] == '\0') {
		(void)snprintf(
		    truth->server_name, sizeof(truth->server_name), "%s", plan->server->name);
		truth->server_name_source = "dns";
	}
}
