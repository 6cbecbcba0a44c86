/*
 * --internal: a good text gives networks that their own text gives again, a bad one none, and is
 * explained.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/xalloc.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool fact)
{
	if (!fact)
		abort();
}

static void
check_network(const struct network *net)
{
	char addr[ADDR_TEXT_LEN], text[ADDR_TEXT_LEN + 5];
	struct network again;

	must(net->addr.family == 4 || net->addr.family == 6);
	must(net->prefix_len <= (net->addr.family == 4 ? 32u : 128u));
	must(network_contains(net, &net->addr));
	(void)snprintf(
	    text, sizeof(text), "%s/%u", addr_to_text(&net->addr, addr), net->prefix_len);
	must(network_from_text(text, &again));
	must(addr_equals(&again.addr, &net->addr) && again.prefix_len == net->prefix_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct network_set set = { 0 };
	struct error err = { 0 };
	char *text = xmalloc(len + 1);
	int result;

	memcpy(text, data, len);
	text[len] = '\0';
	result = network_set_add_text(&set, text, &err);
	must((set.count > 0 || set.any) == (result == 0));
	must((err.text[0] == '\0') == (result == 0));
	for (size_t i = 0; i < set.count; i++)
		check_network(&set.items[i]);
	network_set_release(&set);
	free(text);
	return 0;
}
