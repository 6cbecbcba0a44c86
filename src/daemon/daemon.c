#include "daemon/daemon.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/second_stop.h"
#include "base/timestamp.h"
#include "daemon/capture_run.h"
#include "daemon/capture_workers.h"
#include "daemon/event_intake.h"
#include "daemon/loop.h"
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
/* How often it is looked for what cannot wait for a flush: who reads events does so at once. */
#define LOOK_US INT64_C(1000000)
/* At the end it is looked so often whether a thread has ended. */
#define JOIN_MS 10
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
	struct sole_capture claims;
	struct capture_workers workers;
	struct capture_run *run;
	struct event_intake *intake;
	struct loop *loop;
	struct watchdog watchdog;
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

	return capture_worker_interface(d->workers.items[source]);
}

static void
on_turn(void *arg)
{
	struct daemon *d = arg;

	event_intake_turn(d->intake);
}

static void
on_events(void *arg)
{
	struct daemon *d = arg;
	uint64_t count;

	(void)!read(d->workers.wake_fd, &count, sizeof(count));
	event_intake_take(d->intake);
}

static void
update_run(struct daemon *d)
{
	struct store_worker_state state;

	store_worker_get_state(d->store_worker, &state);
	capture_run_set_lost_events(d->run, event_sink_lost(d->sink));
	if (d->writer != NULL)
		capture_run_set_lost_lines(d->run, event_writer_lost(d->writer));
	capture_run_update(d->run, &state, timestamp_now(), clock_monotonic_us());
}

static void
look(struct daemon *d)
{
	event_intake_take(d->intake);
	event_flush_try(&d->event_flush);
	update_run(d);
}

/* Only behind a look: what was pushed is not pushed again. */
static void
push(struct daemon *d)
{
	if (store_worker_push(
		d->store_worker, capture_run_get(d->run), capture_run_serial(d->run))) {
		event_sink_set_tally(d->sink, store_worker_tally(d->store_worker));
		capture_run_pushed(d->run);
	}
}

static void
on_flush(void *arg)
{
	struct daemon *d = arg;

	look(d);
	push(d);
}

/* Once the clock was set, the run ends where that was: what comes now is the next one's. */
static void
on_look(void *arg)
{
	struct daemon *d = arg;

	look(d);
	if (capture_run_has_leapt(d->run))
		push(d);
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
		capture_workers_reload(&d->workers, d->config);
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
	sole_capture_claim_all(&d->claims, config);
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

/* What takes events from the workers to the database. */
static void
make_way(struct daemon *d)
{
	const struct store_worker_options store_options = {
		.store = d->store,
		.sensor_id = d->sensor_id,
		.max_tally_len = d->config->max_tally_len,
		.policy = d->policy,
		.retention_us = d->config->retention_us,
	};
	const struct capture_run_options run_options = {
		.workers = d->workers.items,
		.worker_count = d->workers.count,
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

	d->store_worker = store_worker_new(&store_options);
	d->watchdog = (struct watchdog){
		.workers = d->workers.items,
		.worker_count = d->workers.count,
		.store = d->store_worker,
	};
	sink_options.tally = store_worker_tally(d->store_worker);
	sink_options.naming = d->naming = naming_new();
	d->sink = event_sink_new(&sink_options);
	d->run = capture_run_new(&run_options, timestamp_now(), clock_monotonic_us());
	d->intake = event_intake_new(d->workers.items, d->workers.count, d->sink, d->config->names);
}

static int
start_threads(struct daemon *d)
{
	struct error err;

	if (store_worker_start(d->store_worker, &err) == 0 &&
	    capture_workers_start(&d->workers, &err) == 0 && privileges_confine(&err) == 0)
		return 0;
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
	loop_add_fd(d->loop, d->workers.wake_fd, on_events, d);
	loop_add_timer(d->loop, d->config->flush_interval_us, on_flush, d);
	if (d->config->flush_interval_us > LOOK_US)
		loop_add_timer(d->loop, LOOK_US, on_look, d);
	if (event_intake_delays(d->intake))
		loop_add_timer(d->loop, EVENT_INTAKE_TURN_US, on_turn, d);
	if (interval_us > 0)
		loop_add_timer(d->loop, interval_us, watchdog_tick, &d->watchdog);
	keep_signals(SIG_UNBLOCK);
}

/* An outbox has not room for all that may be settled at the end. */
static void
join_workers(struct daemon *d)
{
	struct pollfd more = { .fd = d->workers.wake_fd, .events = POLLIN };

	for (size_t i = 0; i < d->workers.count; i++)
		capture_worker_stop(d->workers.items[i]);
	for (size_t i = 0; i < d->workers.count; i++) {
		while (!capture_worker_try_join(d->workers.items[i])) {
			(void)poll(&more, 1, JOIN_MS);
			on_events(d);
		}
	}
	event_intake_take(d->intake);
}

/* Settles and stores what is there. */
static int
finish(struct daemon *d)
{
	struct error err;
	int result = 0;

	service_manager_tell("STOPPING=1");
	join_workers(d);
	event_intake_finish(d->intake);
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
	event_intake_free(d->intake);
	capture_run_free(d->run);
	event_sink_free(d->sink);
	naming_free(d->naming);
	event_writer_free(d->writer);
	capture_workers_release(&d->workers);
	store_worker_free(d->store_worker);
	store_close(d->store);
	loop_free(d->loop);
	sole_capture_release(&d->claims);
	services_release(&d->services);
}

static void
log_start(const struct daemon *d)
{
	for (size_t i = 0; i < d->workers.count; i += d->config->threads)
		log_notice("capturing on %s into %s", capture_worker_interface(d->workers.items[i]),
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
	if (capture_workers_open(&d->workers, d->config, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	if (open_outputs(d) != 0 || drop_privileges(d) != 0)
		return -1;
	make_way(d);
	watch(d);
	return start_threads(d);
}

int
daemon_run(struct config *config, const struct daemon_options *options)
{
	struct daemon d = { .options = *options, .config = config, .workers.wake_fd = -1 };
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
