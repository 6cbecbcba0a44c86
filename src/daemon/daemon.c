#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/second_stop.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "daemon/capture_run.h"
#include "daemon/capture_worker.h"
#include "daemon/event_delay.h"
#include "daemon/loop.h"
#include "daemon/open_files.h"
#include "daemon/privileges.h"
#include "daemon/service_manager.h"
#include "daemon/services.h"
#include "daemon/sole_capture.h"
#include "daemon/store_worker.h"
#include "daemon/watchdog.h"
#include "policy/verdict.h"
#include "sink/ending_limits.h"
#include "sink/event_flush.h"
#include "sink/event_sink.h"
#include "sink/event_writer.h"
#include "store/store.h"

#include "base/banned.h"

/* The last flush may take so long once the daemon is told to stop. */
#define LAST_FLUSH_US INT64_C(10000000)
/* Each flush changes pages all over the file, most of them the same ones as the flush before. */
#define CACHE_KIB 16384
/* A thread's names come so late at most: the kernel holds a block for two of its times, and the
 * worker what it has seen up to its next tick. */
#define TURN_US (2 * LIVE_BLOCK_MS * INT64_C(1000) + CAPTURE_WORKER_TICK_US)
/* Descriptors: of a worker (socket, handle, loop, waking), and of everything else, with room. */
#define WORKER_FILES_MAX 8
#define FILES_MAX 24

struct daemon {
	struct daemon_options options;
	struct config *config; /* borrowed, as all that options point to */
	struct privileges_user user;
	struct policy policy;
	struct services services;
	struct store *store;
	int64_t sensor_id;
	struct store_worker *store_worker;
	struct event_writer *writer; /* NULL: no events file */
	struct event_flush event_flush;
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
	bool delays;                     /* events, for the names that other workers have seen */
	struct event_delay delay;
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
	struct daemon *d = arg;

	return capture_worker_interface(d->workers[source]);
}

static void
hand_on(struct daemon *d, const struct event_list *lists, size_t count)
{
	capture_run_add_lost(d->run, event_sink_hand_on(d->sink, lists, count));
}

/* Hands on what was there at the turn before. */
static void
turn(struct daemon *d)
{
	/* What goes on waiting came within a turn, and was settled within another one before. */
	event_sink_expect(d->sink, timestamp_now() - 2 * TURN_US);
	hand_on(d, event_delay_turn(&d->delay), 1);
}

static void
take_events(struct daemon *d)
{
	for (size_t i = 0; i < d->worker_count; i++) {
		struct capture_outbox *taken = &d->taken[i];

		capture_worker_take(d->workers[i], taken);
		for (size_t k = 0; k < taken->name_count; k++)
			event_sink_add_name(d->sink, &taken->names[k]);
		d->taken_events[i] = taken->events;
		if (d->delays)
			event_delay_add(&d->delay, &taken->events);
	}
	if (!d->delays)
		hand_on(d, d->taken_events, d->worker_count);
	else if (event_delay_is_full(&d->delay))
		turn(d);
}

static void
on_turn(void *arg)
{
	struct daemon *d = arg;

	take_events(d);
	turn(d);
}

static void
on_events(void *arg)
{
	struct daemon *d = arg;
	uint64_t count;

	(void)!read(d->wake_fd, &count, sizeof(count));
	take_events(d);
}

static void
update_run(struct daemon *d)
{
	struct store_worker_state state;

	store_worker_get_state(d->store_worker, &state);
	if (d->writer != NULL)
		capture_run_set_lost_lines(d->run, event_writer_lost(d->writer));
	capture_run_update(d->run, &state, timestamp_now(), clock_monotonic_us());
}

static void
on_flush(void *arg)
{
	struct daemon *d = arg;

	take_events(d);
	event_flush_try(&d->event_flush);
	update_run(d);
	if (store_worker_push(
		d->store_worker, capture_run_get(d->run), capture_run_serial(d->run))) {
		event_sink_set_tally(d->sink, store_worker_tally(d->store_worker));
		capture_run_pushed(d->run);
	}
}

static void
on_status(void *arg)
{
	struct daemon *d = arg;

	update_run(d);
	capture_run_log_status(d->run, true);
}

/* When the first signal to stop came; for the handler of a second one. */
static int64_t stopped_us;

/* The last flush may take its time: a second signal leaves at once. */
static void
on_second_stop(int signal_number)
{
	second_stop(signal_number, stopped_us);
}

static void
on_stop(void *arg)
{
	struct daemon *d = arg;

	stopped_us = clock_monotonic_us();
	(void)signal(SIGTERM, on_second_stop);
	(void)signal(SIGINT, on_second_stop);
	loop_stop(d->loop);
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

static struct policy
policy_of(const struct daemon *d)
{
	return (struct policy){
		.minimum = d->config->minimum,
		.services = d->services.current,
		.fallback_window_us = d->config->fallback_window_us,
	};
}

static void
reload_policy(struct daemon *d)
{
	struct error err;
	struct switch_off *list = d->options.load_services(d->options.arg, d->config, &err);

	if (list != NULL)
		services_replace(&d->services, list);
	else
		log_error("%s; the services that were known stay", err.text);
	d->policy = policy_of(d);
	if (store_worker_reload(d->store_worker, &d->policy, d->config->retention_us))
		services_release_retired(&d->services);
}

static void
on_reload(void *arg)
{
	struct daemon *d = arg;
	struct event_ending_limits limits;
	struct config loaded;
	struct error err;

	service_manager_tell("RELOADING=1");
	if (d->writer != NULL && event_writer_reopen(d->writer, &err) != 0)
		log_error("%s; the old file goes on", err.text);
	if (d->options.load_config(d->options.arg, &loaded) == 0) {
		(void)config_compare(d->config, &loaded, log_change, NULL);
		config_adopt(d->config, &loaded);
		config_release(&loaded);
		if (!d->options.keep_log_level)
			log_set_level(d->config->log_level);
		for (size_t i = 0; i < d->worker_count; i++)
			capture_worker_reload(d->workers[i], &d->config->services,
			    &d->config->internal, d->config->minimum);
		event_sink_set_fallback_window(d->sink, d->config->fallback_window_us);
		limits = ending_limits(d->config, d->config->minimum);
		event_sink_set_limits(d->sink, &limits);
		reload_policy(d);
		log_notice("the configuration was read again");
	} else {
		log_error("the configuration stays as it was");
	}
	service_manager_tell("READY=1");
}

static struct capture_worker *
open_worker(struct daemon *d, size_t index, struct error *err)
{
	const struct config *config = d->config;
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
		.name_key = &d->name_key,
		.wake_fd = d->wake_fd,
	};

	flow_options_init(&options.flows);
	options.flows.max_flows = config->max_flows;
	options.flows.max_unsettled = config->max_unsettled;
	options.flows.max_held_len = config->max_held_len;
	return capture_worker_new(&options, err);
}

static int
open_workers(struct daemon *d)
{
	size_t wanted = d->config->interfaces.count * d->config->threads;
	struct error err;

	if (open_files_allow(FILES_MAX + wanted * WORKER_FILES_MAX, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	d->name_key = hash_key_random();
	d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (d->wake_fd < 0) {
		log_error("cannot make what wakes a thread: %s", strerror(errno));
		return -1;
	}
	d->workers = xcalloc(wanted, sizeof(*d->workers));
	d->taken = xcalloc(wanted, sizeof(*d->taken));
	d->taken_events = xcalloc(wanted, sizeof(*d->taken_events));
	for (size_t i = 0; i < wanted; i++) {
		d->workers[i] = open_worker(d, i, &err);
		if (d->workers[i] == NULL) {
			log_error("%s", err.text);
			return -1;
		}
		d->worker_count++;
	}
	return 0;
}

static void
give_database(const struct daemon *d)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[4096];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", d->config->database, suffixes[i]);
		privileges_give_file(&d->user, path);
	}
}

/* What two daemons count counts twice, and nobody would see it in the numbers. */
static void
claim_interfaces(struct daemon *d)
{
	const struct config *config = d->config;

	d->claims = xcalloc(config->interfaces.count, sizeof(*d->claims));
	for (size_t i = 0; i < config->interfaces.count; i++) {
		const char *interface = config->interfaces.items[i];

		d->claims[i] = sole_capture_claim(config->database, config->sensor_name, interface);
		if (d->claims[i] < 0 && errno == EADDRINUSE)
			log_warning("another tlstally captures on %s as sensor %s into %s: what "
				    "both see counts twice",
			    interface, config->sensor_name, config->database);
	}
	d->claim_count = config->interfaces.count;
}

/* Opened before the privileges go, because the folder may be out of the user's reach. */
static int
open_outputs(struct daemon *d)
{
	const struct config *config = d->config;
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

	d->store = store_open(config->database, STORE_WRITE, &err);
	if (d->store == NULL || store_set_cache_len(d->store, CACHE_KIB, &err) != 0 ||
	    store_sensor(d->store, config->sensor_name, &d->sensor_id, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	give_database(d);
	claim_interfaces(d);
	d->services.current = d->options.load_services(d->options.arg, config, &err);
	if (d->services.current == NULL) {
		log_error("%s", err.text);
		return -1;
	}
	d->policy = policy_of(d);
	if (config->events.kind == CONFIG_EVENTS_NONE)
		return 0;
	d->writer = event_writer_new(&writer_options, &err);
	if (d->writer == NULL) {
		log_error("%s", err.text);
		return -1;
	}
	d->event_flush.writer = d->writer;
	if (config->events.path != NULL && strcmp(config->events.path, "-") != 0)
		privileges_give_file(&d->user, config->events.path);
	return 0;
}

static int
drop_privileges(struct daemon *d)
{
	struct error err;

	if (privileges_drop(&d->user, &err) == 0)
		return 0;
	log_error("%s", err.text);
	return -1;
}

static int
start_threads(struct daemon *d)
{
	const struct store_worker_options store_options = {
		.store = d->store,
		.sensor_id = d->sensor_id,
		.max_tally_len = d->config->max_tally_len,
		.policy = d->policy,
		.retention_us = d->config->retention_us,
	};
	const struct capture_run_options run_options = {
		.workers = d->workers,
		.worker_count = d->worker_count,
		.max_flows = d->config->max_flows,
		.max_unsettled = d->config->max_unsettled,
		.max_held_len = d->config->max_held_len,
	};
	struct event_sink_options sink_options = {
		.writer = d->writer,
		.limits = ending_limits(d->config, d->config->minimum),
		.make_room = no_room,
		.fallback_window_us = d->config->fallback_window_us,
		.source_name = source_name,
		.arg = d,
	};
	struct error err;

	d->store_worker = store_worker_new(&store_options);
	d->watchdog = (struct watchdog){
		.workers = d->workers,
		.worker_count = d->worker_count,
		.store = d->store_worker,
	};
	sink_options.tally = store_worker_tally(d->store_worker);
	sink_options.naming = d->naming = naming_new();
	d->sink = event_sink_new(&sink_options);
	d->run = capture_run_new(&run_options, timestamp_now(), clock_monotonic_us());
	if (store_worker_start(d->store_worker, &err) != 0)
		goto bad;
	for (size_t i = 0; i < d->worker_count; i++) {
		if (capture_worker_start(d->workers[i], &err) != 0)
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
watch(struct daemon *d)
{
	int64_t interval_us = watchdog_interval_us();

	d->loop = loop_new();
	loop_add_signal(d->loop, SIGTERM, on_stop, d);
	loop_add_signal(d->loop, SIGINT, on_stop, d);
	loop_add_signal(d->loop, SIGHUP, on_reload, d);
	loop_add_signal(d->loop, SIGUSR1, on_status, d);
	loop_add_fd(d->loop, d->wake_fd, on_events, d);
	loop_add_timer(d->loop, d->config->flush_interval_us, on_flush, d);
	d->delays = d->config->names && d->worker_count > 1;
	if (d->delays)
		loop_add_timer(d->loop, TURN_US, on_turn, d);
	if (interval_us > 0)
		loop_add_timer(d->loop, interval_us, watchdog_tick, &d->watchdog);
	keep_signals(SIG_UNBLOCK);
}

/* Settles and stores what is there. */
static int
finish(struct daemon *d)
{
	struct error err;
	int result = 0;

	service_manager_tell("STOPPING=1");
	for (size_t i = 0; i < d->worker_count; i++)
		capture_worker_stop(d->workers[i]);
	for (size_t i = 0; i < d->worker_count; i++) {
		capture_worker_join(d->workers[i]);
		take_events(d);
	}
	turn(d);
	turn(d); /* what has come since the latest one */
	if (d->writer != NULL && event_writer_finish(d->writer, &err) != 0) {
		log_error("%s: the last events are lost", err.text);
		result = -1;
	}
	update_run(d);
	if (!store_worker_finish(d->store_worker, capture_run_get(d->run),
		capture_run_serial(d->run), LAST_FLUSH_US)) {
		log_error("the last findings could not be stored in %s", d->config->database);
		result = -1;
	}
	update_run(d);
	capture_run_log_status(d->run, false);
	return result;
}

static void
close_daemon(struct daemon *d)
{
	capture_run_free(d->run);
	event_sink_free(d->sink);
	naming_free(d->naming);
	event_writer_free(d->writer);
	for (size_t i = 0; i < d->worker_count; i++) {
		capture_worker_free(d->workers[i]);
		capture_outbox_release(&d->taken[i]);
	}
	free(d->workers);
	free(d->taken);
	free(d->taken_events);
	event_delay_release(&d->delay);
	store_worker_free(d->store_worker);
	store_close(d->store);
	loop_free(d->loop);
	for (size_t i = 0; i < d->claim_count; i++) {
		if (d->claims[i] >= 0)
			(void)close(d->claims[i]);
	}
	free(d->claims);
	if (d->wake_fd >= 0)
		(void)close(d->wake_fd);
	services_release(&d->services);
}

static void
log_start(const struct daemon *d)
{
	for (size_t i = 0; i < d->worker_count; i += d->config->threads)
		log_notice("capturing on %s into %s", capture_worker_interface(d->workers[i]),
		    d->config->database);
}

static int
start(struct daemon *d)
{
	struct error err;

	if (service_manager_find(&err) != 0 || loop_prepare(&err) != 0 ||
	    privileges_find_user(d->config->user, d->options.user_may_be_missing, &d->user, &err) !=
		0) {
		log_error("%s", err.text);
		return -1;
	}
	/* The order is SPEC section 7's: open, drop, confine, and only then read a packet. */
	if (open_workers(d) != 0 || open_outputs(d) != 0 || drop_privileges(d) != 0)
		return -1;
	watch(d);
	return start_threads(d);
}

int
daemon_run(struct config *config, const struct daemon_options *options)
{
	struct daemon d = { .options = *options, .config = config, .wake_fd = -1 };
	int result = -1;

	keep_signals(SIG_BLOCK);
	if (start(&d) == 0) {
		log_start(&d);
		service_manager_tell("READY=1");
		loop_run(d.loop);
		result = finish(&d);
	} else if (d.store_worker != NULL) {
		(void)finish(&d);
	}
	close_daemon(&d);
	return result;
}
