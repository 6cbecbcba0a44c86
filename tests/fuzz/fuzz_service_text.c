/* --service: a good text sets one port, a bad one none, and is explained. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/service.h"
#include "base/xalloc.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool fact)
{
	if (!fact)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct service_set set;
	struct error err = { 0 };
	char *text = xmalloc(len + 1);
	unsigned count = 0, found = 0;
	int result;

	memcpy(text, data, len);
	text[len] = '\0';
	memset(&set, 0, sizeof(set));
	result = service_set_add_text(&set, text, &err);
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		if (!service_set_has(&set, (uint16_t)port))
			continue;
		found = port;
		count++;
	}
	must(count == (result == 0 ? 1 : 0));
	must((err.text[0] == '\0') == (result == 0));
	if (result == 0) {
		must(found == strtoul(text, NULL, 10));
		must(protocol_name(service_set_find(&set, (uint16_t)found).protocol)[0] != '\0');
	}
	free(text);
	return 0;
}
