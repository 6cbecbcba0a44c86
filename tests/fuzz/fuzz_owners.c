/* The user's list of names, and a registry of vendors. */
#include "report/owners.h"

#include <assert.h>

#include "report/vendors.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
on_fault(void *arg, unsigned line, const char *what)
{
	(void)arg;
	assert(line > 0 && what[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct owners *o = owners_from_text(span_from(data, len), on_fault, NULL);
	struct vendors *v = vendors_from_text(span_from(data, len));
	const struct addr addr = addr_from_v4((const uint8_t[]){ 10, 1, 2, 14 });

	(void)owners_find(o, &addr);
	(void)vendors_find(v, (const uint8_t[]){ 0x00, 0x1b, 0x21, 1, 2, 3 });
	owners_free(o);
	vendors_free(v);
	return 0;
}
