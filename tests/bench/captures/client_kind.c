#include "client_kind.h"

#include <stddef.h>

#include "truth.h"

#include "base/banned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* From here on they speak TLS 1.3. */
#define FIRST_NEW 7

static const struct client_kind kinds[] = {
	/* A device that has SSL 3 only. */
	{ 4, SSL_3, SSL_3, 0, { 0x0004, 0x0005, 0x000a } },
	/* No extensions yet. */
	{ 20, TLS_1_0, TLS_1_0, 0,
	    { 0x0004, 0x0005, 0x000a, 0x0009, 0x0064, 0x0062, 0x0003, 0x0006, 0x0013, 0x0012,
		0x0063 } },
	/* TLS 1.0 with a server name. */
	{ 50, TLS_1_0, TLS_1_0,
	    HELLO_RENEGOTIATION | HELLO_SNI | HELLO_STATUS_REQUEST | HELLO_GROUPS |
		HELLO_POINT_FORMATS,
	    { 0x002f, 0x0035, 0x0005, 0x000a, 0xc013, 0xc014, 0xc009, 0xc00a, 0x0032, 0x0038,
		0x0013, 0x0004 } },
	{ 30, TLS_1_1, TLS_1_1,
	    HELLO_SNI | HELLO_POINT_FORMATS | HELLO_GROUPS | HELLO_TICKET | HELLO_HEARTBEAT |
		HELLO_RENEGOTIATION_SUITE,
	    { 0xc014, 0xc00a, 0x0039, 0x0038, 0x0088, 0x0087, 0xc00f, 0xc005, 0x0035, 0x0084,
		0xc013, 0xc009, 0x0033, 0x0032, 0x009a, 0x0099, 0x0045, 0x0044, 0xc00e, 0xc004,
		0x002f, 0x000a } },
	/* The library of an operating system, at TLS 1.2. */
	{ 220, TLS_1_2, TLS_1_2,
	    HELLO_SNI | HELLO_STATUS_REQUEST | HELLO_GROUPS | HELLO_POINT_FORMATS |
		HELLO_SIGNATURES | HELLO_TICKET | HELLO_MASTER_SECRET | HELLO_RENEGOTIATION,
	    { 0xc028, 0xc027, 0xc014, 0xc013, 0x009f, 0x009e, 0x0039, 0x0033, 0x009d, 0x009c,
		0x003d, 0x003c, 0x0035, 0x002f, 0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009,
		0x006a, 0x0040, 0x0038, 0x0032, 0x000a, 0x0013 } },
	/* An open library, at TLS 1.2. */
	{ 100, TLS_1_2, TLS_1_2,
	    HELLO_SNI | HELLO_POINT_FORMATS | HELLO_GROUPS | HELLO_TICKET | HELLO_SIGNATURES |
		HELLO_HEARTBEAT | HELLO_RENEGOTIATION_SUITE,
	    { 0xc030, 0xc02c, 0xc028, 0xc024, 0xc014, 0xc00a, 0x00a5, 0x00a3, 0x00a1, 0x009f,
		0x006b, 0x006a, 0x0069, 0x0068, 0x0039, 0x0038, 0xc032, 0xc02e, 0xc02a, 0xc026,
		0xc00f, 0xc005, 0x009d, 0x003d, 0x0035, 0xc02f, 0xc02b, 0xc027, 0xc023, 0xc013,
		0xc009, 0x00a4, 0x009e, 0x0067, 0x0033, 0xc031, 0x009c, 0x003c, 0x002f, 0x000a } },
	/* A language's own library, at TLS 1.2. */
	{ 60, TLS_1_2, TLS_1_2,
	    HELLO_GROUPS | HELLO_POINT_FORMATS | HELLO_SIGNATURES | HELLO_SNI | HELLO_MASTER_SECRET,
	    { 0xc023, 0xc027, 0x003c, 0xc025, 0xc029, 0x0067, 0x0040, 0xc009, 0xc013, 0x002f,
		0xc004, 0xc00e, 0x0033, 0x0032, 0xc02b, 0xc02f } },
	/* An open library, at TLS 1.3. */
	{ 200, TLS_1_2, TLS_1_3,
	    HELLO_SNI | HELLO_POINT_FORMATS | HELLO_GROUPS | HELLO_TICKET | HELLO_MASTER_SECRET |
		HELLO_SIGNATURES | HELLO_TLS_1_3 | HELLO_SESSION_ID | HELLO_RENEGOTIATION_SUITE,
	    { 0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b,
		0xc02f, 0x009e, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014,
		0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f } },
	/* A phone. */
	{ 200, TLS_1_2, TLS_1_3,
	    HELLO_SNI | HELLO_MASTER_SECRET | HELLO_RENEGOTIATION | HELLO_GROUPS |
		HELLO_POINT_FORMATS | HELLO_STATUS_REQUEST | HELLO_SIGNATURES | HELLO_TLS_1_3 |
		HELLO_GREASE | HELLO_PADDING | HELLO_SESSION_ID | HELLO_OLD_VERSIONS,
	    { 0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a,
		0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a } },
	/* A desktop with a post-quantum key share: its hello takes two segments. */
	{ 120, TLS_1_2, TLS_1_3,
	    HELLO_SNI | HELLO_MASTER_SECRET | HELLO_RENEGOTIATION | HELLO_GROUPS |
		HELLO_POINT_FORMATS | HELLO_TICKET | HELLO_STATUS_REQUEST | HELLO_SIGNATURES |
		HELLO_TLS_1_3 | HELLO_MLKEM | HELLO_ECH | HELLO_SESSION_ID,
	    { 0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a,
		0xc009, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035 } },
};

const struct client_kind *
client_kind_draw(struct dice *dice)
{
	unsigned sum = 0;
	size_t i = 0;
	uint32_t drawn;

	for (size_t k = 0; k < COUNT(kinds); k++)
		sum += kinds[k].weight;
	for (drawn = dice_below(dice, sum); drawn >= kinds[i].weight; i++)
		drawn -= kinds[i].weight;
	return &kinds[i];
}

const struct client_kind *
client_kind_draw_new(struct dice *dice)
{
	return &kinds[FIRST_NEW + dice_below(dice, COUNT(kinds) - FIRST_NEW)];
}
