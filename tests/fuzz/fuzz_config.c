/*
 * The configuration file.  What has no fault can be written and read again, and is the same; what
 * has one is said with a line that the file has.
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"
#include "tls/names.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct config_versions versions = {
	.from_text = tls_version_from_text,
	.name = tls_version_name,
};

static void
must(bool fact)
{
	if (!fact)
		abort();
}

static void
must_be_the_same_again(const struct config *c)
{
	struct config again;
	struct config_faults faults = { 0 };
	struct buf text = { 0 };

	config_init_defaults(&again, &versions);
	config_to_text(c, &text);
	/* The settings with a line each may be more than a file may have. */
	if (text.len <= CONFIG_FILE_MAX) {
		must(config_read_bytes(&again, span_from(text.data, text.len), &faults) == 0);
		must(config_compare(c, &again, NULL, NULL) == 0);
	}
	buf_release(&text);
	config_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config config;
	struct config_faults faults = { 0 };
	struct buf text = { 0 };
	unsigned lines = 1;
	int result;

	for (size_t i = 0; i < len; i++)
		lines += data[i] == '\n';
	config_init_defaults(&config, &versions);
	result = config_read_bytes(&config, span_from(data, len), &faults);
	must(result == (faults.count == 0 ? 0 : -1));
	for (size_t i = 0; i < faults.count; i++) {
		must(faults.items[i].line <= lines && faults.items[i].text[0] != '\0');
		config_fault_to_text(&faults.items[i], "file", &text);
	}
	if (result == 0)
		must_be_the_same_again(&config);
	buf_release(&text);
	config_faults_release(&faults);
	config_release(&config);
	return 0;
}
