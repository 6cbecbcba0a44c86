#include "truth.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "base/banned.h"

#define SECOND_US 1000000

struct numbered {
	uint16_t number;
	const char *name;
};

/* Written down once more, and not taken from the program: it is what the program is checked by. */
static const struct numbered versions[] = {
	{ SSL_3, "SSLv3" },
	{ TLS_1_0, "TLSv1.0" },
	{ TLS_1_1, "TLSv1.1" },
	{ TLS_1_2, "TLSv1.2" },
	{ TLS_1_3, "TLSv1.3" },
	{ 0, NULL },
};

static const struct numbered ciphers[] = {
	{ 0x0004, "TLS_RSA_WITH_RC4_128_MD5" },
	{ 0x0005, "TLS_RSA_WITH_RC4_128_SHA" },
	{ 0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA" },
	{ 0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" },
	{ 0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" },
	{ 0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0x1301, "TLS_AES_128_GCM_SHA256" },
	{ 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0, NULL },
};

static const char *
name_of(const struct numbered *table, uint16_t number)
{
	for (; number != 0 && table->name != NULL; table++) {
		if (table->number == number)
			return table->name;
	}
	return "";
}

static const char *
or_nothing(const char *text)
{
	return text == NULL ? "" : text;
}

/* SPEC section 3, where the minimum is TLS 1.2. */
static const char *
limited_by(const struct truth *t)
{
	if (t->version == 0 || t->version >= TLS_1_2)
		return "";
	return t->offered == t->version ? "client" : "server";
}

void
truth_write_head(FILE *out)
{
	(void)fputs("timestamp,client_ip,client_port,server_ip,server_port,vlan,protocol,tls_mode,"
		    "tls_version,offered_version,cipher_suite,server_name,server_name_source,"
		    "outcome,refused_by,refusal,limited_by,fallback_scsv,resumed,hello_retry\n",
	    out);
}

void
truth_write(FILE *out, const struct truth *t, const struct endpoints *ends)
{
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
	int family = ends->is_v6 ? AF_INET6 : AF_INET;

	if (!t->is_event)
		return;
	(void)inet_ntop(family, ends->client_ip, client, sizeof(client));
	(void)inet_ntop(family, ends->server_ip, server, sizeof(server));
	(void)fprintf(out, "%" PRId64 ".%06" PRId64 ",%s,%u,%s,%u,", t->time_us / SECOND_US,
	    t->time_us % SECOND_US, client, ends->client_port, server, ends->server_port);
	if (ends->vlan >= 0)
		(void)fprintf(out, "%" PRId32, ends->vlan);
	(void)fprintf(out, ",%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%d,%d,%d\n", t->protocol, t->tls_mode,
	    name_of(versions, t->version), name_of(versions, t->offered),
	    name_of(ciphers, t->cipher), t->server_name, or_nothing(t->server_name_source),
	    t->outcome, or_nothing(t->refused_by), or_nothing(t->refusal), limited_by(t),
	    t->fallback_scsv, t->resumed, t->hello_retry);
}
