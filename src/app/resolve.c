#include "app/resolve.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/library.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define EVENT_LIBRARY "libevent-2.1.so.7"
#define EVENT_FUNCTIONS(f)                                                                         \
	f(event_base_dispatch) f(event_base_free) f(event_base_loopbreak) f(event_base_loopexit)   \
	    f(event_base_new) f(evdns_base_count_nameservers) f(evdns_base_free)                   \
		f(evdns_base_nameserver_ip_add) f(evdns_base_new) f(evdns_base_resolv_conf_parse)  \
		    f(evdns_base_resolve_reverse) f(evdns_base_resolve_reverse_ipv6)               \
			f(evdns_base_set_option) f(evdns_set_log_fn) f(evutil_parse_sockaddr_port)

struct event_library {
	EVENT_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(event_library, EVENT_FUNCTIONS);

static struct event_library lib;

struct resolving {
	struct event_base *base;
	struct evdns_base *dns;
	size_t pending, failed;
	bool all_asked;
};

struct question {
	struct resolving *resolving;
	struct report_client *client;
};

static void
on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct question *q = arg;

	(void)ttl;
	/* Of several names the first: there is no better one. */
	if (result == DNS_ERR_NONE && type == DNS_PTR && count > 0)
		report_name_client(
		    q->client, *(const char *const *)addresses, NAME_SOURCE_REVERSE_DNS);
	else if (result != DNS_ERR_NONE && result != DNS_ERR_NOTEXIST && result != DNS_ERR_NODATA)
		q->resolving->failed++;
	q->resolving->pending--;
	if (q->resolving->all_asked && q->resolving->pending == 0)
		(void)lib.event_base_loopbreak(q->resolving->base);
}

static void
on_log(int is_warning, const char *text)
{
	/* Nothing is logged: questions without an answer are counted. */
	(void)is_warning;
	(void)text;
}

static int
load(struct error *err)
{
	if (LIBRARY_LOAD(EVENT_LIBRARY, event_library, &lib, err) == 0)
		return 0;
	error_prefix(err, "cannot ask for names");
	return -1;
}

bool
resolve_is_resolver(const char *text)
{
	struct sockaddr_storage address;
	struct error later; /* resolve_clients says it */
	int len = sizeof(address);

	return load(&later) != 0 ||
	       lib.evutil_parse_sockaddr_port(text, (struct sockaddr *)&address, &len) == 0;
}

static int
open_resolver(struct resolving *r, const char *resolver, struct error *err)
{
	if (load(err) != 0)
		return -1;
	lib.evdns_set_log_fn(on_log);
	r->base = lib.event_base_new();
	r->dns = r->base != NULL ? lib.evdns_base_new(r->base, 0) : NULL;
	if (r->dns == NULL) {
		error_set(err, "cannot start the resolver");
		return -1;
	}
	(void)lib.evdns_base_set_option(r->dns, "timeout:", "2");
	(void)lib.evdns_base_set_option(r->dns, "attempts:", "2");
	(void)lib.evdns_base_set_option(r->dns, "max-inflight:", "64");
	if (resolver != NULL && lib.evdns_base_nameserver_ip_add(r->dns, resolver) != 0) {
		error_set(err, "'%.80s' is no address of a resolver", resolver);
		return -1;
	}
	if (resolver == NULL)
		(void)lib.evdns_base_resolv_conf_parse(r->dns, DNS_OPTION_NAMESERVERS, RESOLV_CONF);
	if (lib.evdns_base_count_nameservers(r->dns) == 0) {
		error_set(err, "%s names no resolver", RESOLV_CONF);
		return -1;
	}
	return 0;
}

static void
ask(struct resolving *r, struct question *q)
{
	const struct addr *ip = &q->client->ip;
	struct evdns_request *request;
	struct in6_addr v6;
	struct in_addr v4;

	memcpy(&v6, ip->bytes, sizeof(v6));
	memcpy(&v4, ip->bytes, sizeof(v4));
	/* Counted before the question is asked, as the answer may be there at once. */
	r->pending++;
	request = ip->family == 6
		      ? lib.evdns_base_resolve_reverse_ipv6(r->dns, &v6, 0, on_answer, q)
		      : lib.evdns_base_resolve_reverse(r->dns, &v4, 0, on_answer, q);
	if (request == NULL) {
		r->pending--;
		r->failed++;
	}
}

int
resolve_clients(struct report *r, const char *resolver, size_t *unanswered, struct error *err)
{
	const struct timeval patience = {
		.tv_sec = RESOLVE_TIME_US / USEC_PER_SEC,
		.tv_usec = RESOLVE_TIME_US % USEC_PER_SEC,
	};
	struct resolving resolving = { 0 };
	struct question *questions = xcalloc(RESOLVE_COUNT_MAX, sizeof(*questions));
	size_t count = 0, beyond = 0;
	int result = -1;

	if (open_resolver(&resolving, resolver, err) != 0)
		goto out;
	for (size_t i = 0; i < r->client_count; i++) {
		if (report_is_named(&r->clients[i]))
			continue;
		if (count == RESOLVE_COUNT_MAX) {
			beyond++;
			continue;
		}
		questions[count] = (struct question){ &resolving, &r->clients[i] };
		ask(&resolving, &questions[count++]);
	}
	resolving.all_asked = true;
	if (resolving.pending > 0) {
		(void)lib.event_base_loopexit(resolving.base, &patience);
		(void)lib.event_base_dispatch(resolving.base);
	}
	*unanswered = resolving.pending + resolving.failed + beyond;
	result = 0;
out:
	/* Those that still wait hear nothing. */
	if (resolving.dns != NULL)
		lib.evdns_base_free(resolving.dns, 0);
	if (resolving.base != NULL)
		lib.event_base_free(resolving.base);
	free(questions);
	return result;
}
