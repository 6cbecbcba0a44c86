#include "app/services_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/text_file.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define FILE_NAME "switching-off.conf"
#define ADMINISTRATORS_PATH "/etc/tlstally/" FILE_NAME
#define INSTALLED_PATH TLSTALLY_DATADIR "/tlstally/" FILE_NAME

static int
read_file(struct services_file *f, const char *path, struct error *err)
{
	struct text_file_faults faults = { .path = path };
	struct buf text = { 0 };

	if (whole_file_read(path, SWITCH_OFF_FILE_MAX, &text) != 0) {
		error_set(err, "cannot read %s: %s", path, strerror(errno));
		buf_release(&text);
		return -1;
	}
	f->path = xstrdup(path);
	f->fault_count =
	    switch_off_read(f->list, span_from(text.data, text.len), text_file_log_fault, &faults);
	if (faults.count > TEXT_FILE_FAULTS_SHOWN)
		log_error("%s: and %zu more faults", path, faults.count - TEXT_FILE_FAULTS_SHOWN);
	buf_release(&text);
	return 0;
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

/* One that is there and may not be looked at is none to do without: reading it tells why. */
static bool
is_absent(const char *path)
{
	return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
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
		if (paths[i] != NULL && !is_absent(paths[i]))
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

struct switch_off *
services_file_detach(struct services_file *f)
{
	struct switch_off *list = f->list;

	f->list = NULL;
	return list;
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
