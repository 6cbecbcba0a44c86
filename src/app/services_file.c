#include "app/services_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "policy/printable.h"

#include "base/banned.h"

#define FILE_NAME "switching-off.conf"
#define ADMINISTRATORS_PATH "/etc/tlstally/" FILE_NAME
#define INSTALLED_PATH TLSTALLY_DATADIR "/tlstally/" FILE_NAME
/* A file that is something else altogether has more faults than anybody reads. */
#define FAULTS_SHOWN_MAX 20
#define LINE_SHOWN_MAX 1024

struct fault_log {
	const char *path;
	size_t count;
};

static void
log_fault(void *arg, unsigned line, const char *text)
{
	struct fault_log *log = arg;
	struct buf shown = { 0 }, raw = { 0 };

	if (log->count++ >= FAULTS_SHOWN_MAX)
		return;
	buf_addf(&raw, "%s:%u: %s", log->path, line, text);
	printable_add(&shown, span_from(raw.data, raw.len), LINE_SHOWN_MAX);
	log_error("%s", buf_text(&shown));
	buf_release(&raw);
	buf_release(&shown);
}

/* At most one byte more than may be there.  Returns -1 with errno. */
static int
read_whole(int fd, struct buf *out)
{
	while (out->len <= SWITCH_OFF_FILE_MAX) {
		size_t room = SWITCH_OFF_FILE_MAX + 1 - out->len;
		ssize_t len = read(fd, buf_reserve(out, room), room);

		if (len == 0)
			return 0;
		if (len > 0)
			out->len += (size_t)len;
		else if (errno != EINTR)
			return -1;
	}
	errno = EFBIG;
	return -1;
}

static int
read_file(struct services_file *f, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct fault_log log = { .path = path };
	struct buf text = { 0 };
	int result = -1;

	if (fd < 0) {
		error_set(err, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (read_whole(fd, &text) != 0) {
		error_set(err, "cannot read %s: %s", path, strerror(errno));
		goto out;
	}
	f->path = xstrdup(path);
	f->fault_count = switch_off_read(f->list, span_from(text.data, text.len), log_fault, &log);
	if (log.count > FAULTS_SHOWN_MAX)
		log_error("%s: and %zu more faults", path, log.count - FAULTS_SHOWN_MAX);
	result = 0;
out:
	(void)close(fd);
	buf_release(&text);
	return result;
}

/* Beside the program: PROGRAM's folder, then FOLDER/../share as installations have it. */
static const char *
beside_program(const char *below, char out[4096])
{
	char program[2048];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	program[len] = '\0';
	slash = strrchr(program, '/');
	if (slash == NULL)
		return NULL;
	*slash = '\0';
	(void)snprintf(out, 4096, "%s/%s", program, below);
	return out;
}

static int
find_and_read(struct services_file *f, struct error *err)
{
	char built[4096], shared[4096];
	const char *const paths[] = {
		ADMINISTRATORS_PATH,
		beside_program(FILE_NAME, built),
		beside_program("../share/tlstally/" FILE_NAME, shared),
		INSTALLED_PATH,
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] != NULL && access(paths[i], F_OK) == 0)
			return read_file(f, paths[i], err);
	}
	return 0;
}

static void
add_own_servers(struct switch_off *list, const struct config *config)
{
	for (size_t i = 0; i < config->switch_off_hosts.count; i++)
		switch_off_add_host(list, config->switch_off_hosts.items[i]);
	switch_off_add_networks(list, &config->switch_off_networks);
}

int
services_file_load(
    struct services_file *out, const char *given, const struct config *config, struct error *err)
{
	*out = (struct services_file){ .list = switch_off_new() };
	if (given == NULL && config != NULL)
		given = config->services_file;
	if ((given != NULL ? read_file(out, given, err) : find_and_read(out, err)) != 0)
		return -1;
	if (config != NULL)
		add_own_servers(out->list, config);
	return 0;
}

void
services_file_release(struct services_file *f)
{
	switch_off_free(f->list);
	free(f->path);
	*f = (struct services_file){ 0 };
}

void
services_file_warn_if_missing(const struct services_file *f)
{
	if (f->path == NULL)
		log_warning("there is no list of services that are switching old versions off, so "
			    "no client is said to break: put " FILE_NAME " at " ADMINISTRATORS_PATH
			    ", or name it with --services-file");
}
