#include "app/policy_setup.h"

#include "app/option_values.h"
#include "app/options.h"
#include "app/text_file.h"
#include "base/log.h"
#include "policy/printable.h"
#include "tls/names.h"

#include "base/banned.h"

#define LINE_SHOWN_MAX 1024

int
policy_options_parse(struct policy_options *options, int option, const char *text)
{
	switch (option) {
	case 'm':
		return option_version("minimum", text, &options->minimum);
	case 'C':
		options->config = text;
		return 0;
	case OPTION_SERVICES_FILE:
		options->services_file = text;
		return 0;
	default:
		return -1;
	}
}

static int
read_config(struct config *config, const char *path)
{
	struct config_faults faults = { 0 };
	struct buf text = { 0 }, shown = { 0 };
	int result = config_read_file(config, path, &faults);

	for (size_t i = 0; i < faults.count; i++) {
		buf_clear(&text);
		buf_clear(&shown);
		config_fault_to_text(&faults.items[i], path, &text);
		printable_add(&shown, span_from(text.data, text.len), LINE_SHOWN_MAX);
		log_error("%s", buf_text(&shown));
	}
	config_faults_release(&faults);
	buf_release(&text);
	buf_release(&shown);
	return result;
}

int
policy_setup_load(struct policy_setup *out, const struct policy_options *options)
{
	static const struct config_versions versions = {
		.from_text = tls_version_from_text,
		.name = tls_version_name,
	};
	const char *path = options->config;
	struct error err;

	config_init_defaults(&out->config, &versions);
	out->services = (struct services_file){ 0 };
	if (path == NULL)
		path = text_file_default(CONFIG_DEFAULT_PATH);
	if (path != NULL && read_config(&out->config, path) != 0)
		return -1;
	if (services_file_load(&out->services, options->services_file, &out->config, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	services_file_warn_if_missing(&out->services);
	out->policy = (struct policy){
		.minimum = options->minimum != 0 ? options->minimum : out->config.minimum,
		.services = out->services.list,
		.fallback_window_us = out->config.fallback_window_us,
	};
	return 0;
}

void
policy_setup_for_report(const struct policy_setup *setup, struct report_options *options)
{
	options->policy = setup->policy;
	options->services_path = setup->services.path;
	options->services_fault_count = setup->services.fault_count;
}

void
policy_setup_release(struct policy_setup *setup)
{
	services_file_release(&setup->services);
	config_release(&setup->config);
}
