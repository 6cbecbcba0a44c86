/* tlstally capture: the daemon, with what its options and files say. */
#include "app/app.h"
#include "app/capture_options.h"
#include "app/heap.h"
#include "app/services_file.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "tls/certificate.h"

#include "base/banned.h"

static int
load_config(void *arg, struct config *out)
{
	return capture_command_load(arg, out);
}

static struct switch_off *
load_services(void *arg, const struct config *config, struct error *err)
{
	struct services_file file;
	struct switch_off *list = NULL;

	(void)arg;
	if (services_file_load(&file, NULL, config, err) == 0) {
		services_file_warn_if_missing(&file);
		list = services_file_detach(&file);
	}
	services_file_release(&file);
	return list;
}

static void
set_log_level(const struct capture_command *command, const struct config *config)
{
	if (command->verbose)
		log_set_level(LOG_DEBUG);
	else if (command->quiet)
		log_set_level(LOG_WARNING);
	else
		log_set_level(config->log_level);
}

int
cmd_capture(int argc, char **argv)
{
	struct capture_command command;
	struct daemon_options options = {
		.load_config = load_config,
		.load_services = load_services,
		.arg = &command,
	};
	struct config config;
	int status;

	if (!capture_command_parse(argc, argv, &command, &config, &status))
		return status;
	options.user_may_be_missing = !command.has_user;
	options.keep_log_level = command.verbose || command.quiet;
	set_log_level(&command, &config);
	heap_share();
	(void)tls_certificate_prepare(); /* a confined process can load nothing */
	status = daemon_run(&config, &options) == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
	config_release(&config);
	return status;
}
