/* tlstally capture: live interfaces in, inventory and events out, until told to stop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "app/app.h"
#include "app/capture_options.h"
#include "app/capture_run.h"
#include "app/capture_worker.h"
#include "app/clock.h"
#include "app/ending_limits.h"
#include "app/event_sink.h"
#include "app/event_writer.h"
#include "app/heap.h"
#include "app/loop.h"
#include "app/open_files.h"
#include "app/privileges.h"
#include "app/services_file.h"
#include "app/sole_capture.h"
#include "app/store_worker.h"
#include "app/watchdog.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "policy/verdict.h"
#include "store/store.h"

#include "base/banned.h"

/* The last flush may take so long once the daemon is told to stop. */
#define LAST_FLUSH_US INT64_C(10000000)
/* A second signal so soon is the same one: timeout(1) sends it to the daemon and to its group. */
#define SAME_STOP_US INT64_C(100000)
/* Each flush changes pages all over the file, most of them the same ones as the flush before. */
#define CACHE_KIB 16384
/* Descriptors: of a worker (socket, handle, loop, waking), and of everything else, with some room.
 */
#define WORKER_FILES_MAX 8
#define FILES_MAX 24

struct capture {
	struct capture_command command;
	struct config config;
	struct privileges_user user;
	struct policy policy;
	struct services_file services;
	struct services_file *retired; /* from before a reload, while a flush may use them */
	size_t retired_count;
	struct store *store;
	int64_t sensor_id;
	struct store_worker *store_worker;
	struct event_writer *writer; /* NULL: no events file */
	bool writer_failing;
	struct naming *naming;
	struct event_sink *sink;
	int *claims; /* owned; one for each interface, -1: none */
	size_t claim_count;
	struct hash_key name_key; /* of users' names; for all workers */
	struct capture_worker **workers;
	size_t worker_count;
	struct capture_run *run;
	struct loop *loop;
	struct watchdog watchdog;
	int wake_fd;                     /* a worker has events */
	struct capture_outbox *taken;    /* owned; one for each worker */
	struct event_list *taken_events; /* owned; the same: their lists, borrowed */
};

/* Called when the tally is full: the database has not worked for long, so the event is lost. */
static int
no_room(void *arg)
{
	(void)arg;
	return -1;
}

static const char *
source_name(void *arg, uint32_t source)
{
	struct capture *c = arg;

	return capture_worker_interface(c->workers[source]);
}

static void
take_events(struct capture *c)
{
	for (size_t i = 0; i < c->worker_count; i++) {
		struct capture_outbox *taken = &c->taken[i];

		capture_worker_take(c->workers[i], taken);
		for (size_t k = 0; k < taken->name_count; k++)
			event_sink_add_name(c->sink, &taken->names[k]);
		c->taken_events[i] = taken->events;
	}
	capture_run_add_lost(c->run, event_sink_hand_on(c->sink, c->taken_events, c->worker_count));
}

static void
on_events(void *arg)
{
	struct capture *c = arg;
	uint64_t count;

	(void)!read(c->wake_fd, &count, sizeof(count));
	take_events(c);
}

static void
flush_writer(struct capture *c)
{
	struct error err;
	bool failing;

	if (c->writer == NULL)
		return;
	failing = event_writer_flush(c->writer, &err) != 0;
	if (failing && !c->writer_failing)
		log_error("%s; events are kept in memory for a while", err.text);
	else if (!failing && c->writer_failing)
		log_notice("events are written again");
	c->writer_failing = failing;
}

static void
update_run(struct capture *c)
{
	struct store_worker_state state;

	store_worker_get_state(c->store_worker, &state);
	if (c->writer != NULL)
		capture_run_set_lost_lines(c->run, event_writer_lost(c->writer));
	capture_run_update(c->run, &state, timestamp_now(), clock_monotonic_us());
}

static void
on_flush(void *arg)
{
	struct capture *c = arg;

	take_events(c);
	flush_writer(c);
	update_run(c);
	if (store_worker_push(
		c->store_worker, capture_run_get(c->run), capture_run_serial(c->run))) {
		event_sink_set_tally(c->sink, store_worker_tally(c->store_worker));
		capture_run_pushed(c->run);
	}
}

static void
on_status(void *arg)
{
	struct capture *c = arg;

	update_run(c);
	capture_run_log_status(c->run, true);
}

/* When the first signal to stop came; for the handler of a second one. */
static int64_t stopped_us;

/* The last flush may take its time: a second signal leaves at once. */
static void
on_second_stop(int signal_number)
{
	if (clock_monotonic_us() - stopped_us < SAME_STOP_US)
		return;
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

static void
on_stop(void *arg)
{
	struct capture *c = arg;

	stopped_us = clock_monotonic_us();
	(void)signal(SIGTERM, on_second_stop);
	(void)signal(SIGINT, on_second_stop);
	loop_stop(c->loop);
}

static void
log_change(void *arg, enum config_key key, bool needs_restart)
{
	(void)arg;
	if (needs_restart)
		log_warning("%s.%s has changed: that takes a restart", config_key_section(key),
		    config_key_name(key));
	else
		log_notice("%s.%s has changed", config_key_section(key), config_key_name(key));
}

static void
set_log_level(const struct capture *c)
{
	if (c->command.verbose)
		log_set_level(LOG_DEBUG);
	else if (c->command.quiet)
		log_set_level(LOG_WARNING);
	else
		log_set_level(c->config.log_level);
}

static void
release_retired(struct capture *c)
{
	for (size_t i = 0; i < c->retired_count; i++)
		services_file_release(&c->retired[i]);
	free(c->retired);
	c->retired = NULL;
	c->retired_count = 0;
}

static void
reload_policy(struct capture *c)
{
	struct services_file loaded;
	struct error err;

	if (services_file_load(&loaded, NULL, &c->config, &err) == 0) {
		c->retired = xreallocarray(c->retired, c->retired_count + 1, sizeof(*c->retired));
		c->retired[c->retired_count++] = c->services;
		c->services = loaded;
	} else {
		log_error("%s; the services that were known stay", err.text);
		services_file_release(&loaded);
	}
	c->policy = (struct policy){ c->config.minimum, c->services.list };
	if (store_worker_reload(c->store_worker, &c->policy, c->config.retention_us))
		release_retired(c);
}

static void
on_reload(void *arg)
{
	struct capture *c = arg;
	struct event_ending_limits limits;
	struct config loaded;
	struct error err;

	(void)sd_notify(0, "RELOADING=1");
	if (c->writer != NULL && event_writer_reopen(c->writer, &err) != 0)
		log_error("%s; the old file goes on", err.text);
	if (capture_command_load(&c->command, &loaded) == 0) {
		(void)config_compare(&c->config, &loaded, log_change, NULL);
		config_adopt(&c->config, &loaded);
		config_release(&loaded);
		set_log_level(c);
		for (size_t i = 0; i < c->worker_count; i++)
			capture_worker_reload(c->workers[i], &c->config.services,
			    &c->config.internal, c->config.minimum);
		event_sink_set_fallback_window(c->sink, c->config.fallback_window_us);
		limits = ending_limits(&c->config, c->config.minimum);
		event_sink_set_limits(c->sink, &limits);
		reload_policy(c);
		log_notice("the configuration was read again");
	} else {
		log_error("the configuration stays as it was");
	}
	(void)sd_notify(0, "READY=1");
}

static struct capture_worker *
open_worker(struct capture *c, size_t index, struct error *err)
{
	const struct config *config = &c->config;
	size_t interface = index / config->threads;
	struct capture_worker_options options = {
		.live = {
			.interface = config->interfaces.items[interface],
			.snap_len = (uint32_t)config->snap_len,
			.buffer_len = (uint32_t)config->buffer_len,
			.promiscuous = config->promiscuous,
			.source = (uint32_t)index,
		},
		.tunnels = config->tunnels,
		.vxlan_ports = config->vxlan_ports,
		.names = config->names,
		.share = (unsigned)(index % config->threads),
		.share_count = (unsigned)config->threads,
		.services = &config->services,
		.internal = &config->internal,
		.minimum = config->minimum,
		.name_key = &c->name_key,
		.wake_fd = c->wake_fd,
	};

	flow_options_init(&options.flows);
	options.flows.max_flows = config->max_flows;
	options.flows.max_unsettled = config->max_unsettled;
	options.flows.max_held_len = config->max_held_len;
	return capture_worker_new(&options, err);
}

static int
open_workers(struct capture *c)
{
	size_t wanted = c->config.interfaces.count * c->config.threads;
	struct error err;

	if (open_files_allow(FILES_MAX + wanted * WORKER_FILES_MAX, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	c->name_key = hash_key_random();
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (c->wake_fd < 0) {
		log_error("cannot make what wakes a thread: %s", strerror(errno));
		return -1;
	}
	c->workers = xcalloc(wanted, sizeof(*c->workers));
	c->taken = xcalloc(wanted, sizeof(*c->taken));
	c->taken_events = xcalloc(wanted, sizeof(*c->taken_events));
	for (size_t i = 0; i < wanted; i++) {
		c->workers[i] = open_worker(c, i, &err);
		if (c->workers[i] == NULL) {
			log_error("%s", err.text);
			return -1;
		}
		c->worker_count++;
	}
	return 0;
}

static void
give_database(const struct capture *c)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[4096];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", c->config.database, suffixes[i]);
		privileges_give_file(&c->user, path);
	}
}

/* What two daemons count counts twice, and nobody would see it in the numbers. */
static void
claim_interfaces(struct capture *c)
{
	const struct config *config = &c->config;

	c->claims = xcalloc(config->interfaces.count, sizeof(*c->claims));
	for (size_t i = 0; i < config->interfaces.count; i++) {
		const char *interface = config->interfaces.items[i];

		c->claims[i] = sole_capture_claim(config->database, config->sensor_name, interface);
		if (c->claims[i] < 0 && errno == EADDRINUSE)
			log_warning("another tlstally captures on %s as sensor %s into %s: what "
				    "both see counts twice",
			    interface, config->sensor_name, config->database);
	}
	c->claim_count = config->interfaces.count;
}

/* Opened before the privileges go, because the folder may be out of the user's reach. */
static int
open_outputs(struct capture *c)
{
	const struct config *config = &c->config;
	struct event_writer_options writer_options = {
		.target = config->events.kind == CONFIG_EVENTS_SYSLOG ? EVENT_TARGET_SYSLOG
								      : EVENT_TARGET_FILE,
		.path = config->events.path,
		.append = true,
		.must_not_wait = true,
		.sensor = config->sensor_name,
		.form = config->events_as,
	};
	struct error err;

	c->store = store_open(config->database, STORE_WRITE, &err);
	if (c->store == NULL || store_set_cache_len(c->store, CACHE_KIB, &err) != 0 ||
	    store_sensor(c->store, config->sensor_name, &c->sensor_id, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	give_database(c);
	claim_interfaces(c);
	if (services_file_load(&c->services, NULL, config, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	services_file_warn_if_missing(&c->services);
	c->policy = (struct policy){ config->minimum, c->services.list };
	if (config->events.kind == CONFIG_EVENTS_NONE)
		return 0;
	c->writer = event_writer_new(&writer_options, &err);
	if (c->writer == NULL) {
		log_error("%s", err.text);
		return -1;
	}
	if (config->events.path != NULL && strcmp(config->events.path, "-") != 0)
		privileges_give_file(&c->user, config->events.path);
	return 0;
}

static int
drop_privileges(struct capture *c)
{
	struct error err;

	if (privileges_drop(&c->user, &err) == 0)
		return 0;
	log_error("%s", err.text);
	return -1;
}

static int
start_threads(struct capture *c)
{
	const struct store_worker_options store_options = {
		.store = c->store,
		.sensor_id = c->sensor_id,
		.max_tally_len = c->config.max_tally_len,
		.policy = c->policy,
		.retention_us = c->config.retention_us,
	};
	const struct capture_run_options run_options = {
		.workers = c->workers,
		.worker_count = c->worker_count,
		.max_flows = c->config.max_flows,
		.max_unsettled = c->config.max_unsettled,
		.max_held_len = c->config.max_held_len,
	};
	struct event_sink_options sink_options = {
		.writer = c->writer,
		.limits = ending_limits(&c->config, c->config.minimum),
		.make_room = no_room,
		.fallback_window_us = c->config.fallback_window_us,
		.source_name = source_name,
		.arg = c,
	};
	struct error err;

	c->store_worker = store_worker_new(&store_options);
	c->watchdog = (struct watchdog){
		.workers = c->workers,
		.worker_count = c->worker_count,
		.store = c->store_worker,
	};
	sink_options.tally = store_worker_tally(c->store_worker);
	sink_options.naming = c->naming = naming_new();
	c->sink = event_sink_new(&sink_options);
	c->run = capture_run_new(&run_options, timestamp_now(), clock_monotonic_us());
	if (store_worker_start(c->store_worker, &err) != 0)
		goto bad;
	for (size_t i = 0; i < c->worker_count; i++) {
		if (capture_worker_start(c->workers[i], &err) != 0)
			goto bad;
	}
	if (privileges_confine(&err) != 0)
		goto bad;
	return 0;
bad:
	log_error("%s", err.text);
	return -1;
}

/* A signal before the loop runs would end the program; it is held back until then. */
static void
keep_signals(int how)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGUSR1);
	(void)sigprocmask(how, &signals, NULL);
}

static void
watch(struct capture *c)
{
	int64_t interval_us = watchdog_interval_us();

	c->loop = loop_new();
	loop_add_signal(c->loop, SIGTERM, on_stop, c);
	loop_add_signal(c->loop, SIGINT, on_stop, c);
	loop_add_signal(c->loop, SIGHUP, on_reload, c);
	loop_add_signal(c->loop, SIGUSR1, on_status, c);
	loop_add_fd(c->loop, c->wake_fd, on_events, c);
	loop_add_timer(c->loop, c->config.flush_interval_us, on_flush, c);
	if (interval_us > 0)
		loop_add_timer(c->loop, interval_us, watchdog_tick, &c->watchdog);
	keep_signals(SIG_UNBLOCK);
}

/* Settles and stores what is there. */
static int
finish(struct capture *c)
{
	struct error err;
	int status = APP_EXIT_DONE;

	(void)sd_notify(0, "STOPPING=1");
	for (size_t i = 0; i < c->worker_count; i++)
		capture_worker_stop(c->workers[i]);
	for (size_t i = 0; i < c->worker_count; i++) {
		capture_worker_join(c->workers[i]);
		take_events(c);
	}
	if (c->writer != NULL && event_writer_finish(c->writer, &err) != 0) {
		log_error("%s: the last events are lost", err.text);
		status = APP_EXIT_FAILED;
	}
	update_run(c);
	if (!store_worker_finish(c->store_worker, capture_run_get(c->run),
		capture_run_serial(c->run), LAST_FLUSH_US)) {
		log_error("the last findings could not be stored in %s", c->config.database);
		status = APP_EXIT_FAILED;
	}
	update_run(c);
	capture_run_log_status(c->run, false);
	return status;
}

static void
close_capture(struct capture *c)
{
	capture_run_free(c->run);
	event_sink_free(c->sink);
	naming_free(c->naming);
	event_writer_free(c->writer);
	for (size_t i = 0; i < c->worker_count; i++) {
		capture_worker_free(c->workers[i]);
		capture_outbox_release(&c->taken[i]);
	}
	free(c->workers);
	free(c->taken);
	free(c->taken_events);
	store_worker_free(c->store_worker);
	store_close(c->store);
	loop_free(c->loop);
	for (size_t i = 0; i < c->claim_count; i++) {
		if (c->claims[i] >= 0)
			(void)close(c->claims[i]);
	}
	free(c->claims);
	if (c->wake_fd >= 0)
		(void)close(c->wake_fd);
	release_retired(c);
	services_file_release(&c->services);
	config_release(&c->config);
}

static void
log_start(const struct capture *c)
{
	for (size_t i = 0; i < c->worker_count; i += c->config.threads)
		log_notice("capturing on %s into %s", capture_worker_interface(c->workers[i]),
		    c->config.database);
}

static int
start(struct capture *c)
{
	struct error err;

	if (privileges_find_user(c->config.user, !c->command.has_user, &c->user, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	/* The order is SPEC section 7's: open, drop, confine, and only then read a packet. */
	if (open_workers(c) != 0 || open_outputs(c) != 0 || drop_privileges(c) != 0)
		return -1;
	watch(c);
	return start_threads(c);
}

int
cmd_capture(int argc, char **argv)
{
	struct capture c = { .wake_fd = -1 };
	int status = APP_EXIT_FAILED;

	if (!capture_command_parse(argc, argv, &c.command, &c.config, &status))
		return status;
	keep_signals(SIG_BLOCK);
	set_log_level(&c);
	heap_share();
	if (start(&c) == 0) {
		log_start(&c);
		(void)sd_notify(0, "READY=1");
		loop_run(c.loop);
		status = finish(&c);
	} else if (c.store_worker != NULL) {
		(void)finish(&c);
	}
	close_capture(&c);
	return status;
}
