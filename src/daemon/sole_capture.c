#include "daemon/sole_capture.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/xalloc.h"

#include "base/banned.h"

static void
add_text(struct digest_sha256_state *state, const char *text)
{
	/* With its NUL, so that no two lists of names are the same. */
	digest_sha256_add(state, span_from(text, strlen(text) + 1));
}

/* The socket's name is as long as it says, and begins with a zero. */
static socklen_t
name_of(
    const struct stat *database, const char *sensor, const char *interface, struct sockaddr_un *out)
{
	static const char prefix[] = "tlstally.";
	struct digest_sha256_state state;
	uint8_t digest[DIGEST_SHA256_LEN];

	digest_sha256_init(&state);
	digest_sha256_add(&state, span_from(&database->st_dev, sizeof(database->st_dev)));
	digest_sha256_add(&state, span_from(&database->st_ino, sizeof(database->st_ino)));
	add_text(&state, sensor);
	add_text(&state, interface);
	digest_sha256_end(&state, digest);
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path + 1, prefix, sizeof(prefix) - 1);
	digest_to_hex(span_from(digest, sizeof(digest)), out->sun_path + sizeof(prefix));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(prefix) +
			   2 * sizeof(digest));
}

int
sole_capture_claim(const char *database, const char *sensor, const char *interface)
{
	struct sockaddr_un name;
	struct stat st;
	socklen_t len;
	int fd, why;

	if (stat(database, &st) != 0)
		return -1;
	len = name_of(&st, sensor, interface, &name);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, len) == 0)
		return fd;
	why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* What two daemons count counts twice, and nobody would see it in the numbers. */
void
sole_capture_claim_all(struct sole_capture *s, const struct config *config)
{
	s->claims = xcalloc(config->interfaces.count, sizeof(*s->claims));
	for (size_t i = 0; i < config->interfaces.count; i++) {
		const char *interface = config->interfaces.items[i];
		char own[IF_NAMESIZE];
		unsigned index = if_nametoindex(interface);
		/* The other one may know it by another of its names. */
		bool found = index != 0 && if_indextoname(index, own) != NULL;

		s->claims[i] = sole_capture_claim(
		    config->database, config->sensor_name, found ? own : interface);
		if (s->claims[i] < 0 && errno == EADDRINUSE)
			log_warning("another tlstally captures on %s as sensor %s into %s: what "
				    "both see counts twice",
			    interface, config->sensor_name, config->database);
	}
	s->count = config->interfaces.count;
}

void
sole_capture_release(struct sole_capture *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->claims[i] >= 0)
			(void)close(s->claims[i]);
	}
	free(s->claims);
	*s = (struct sole_capture){ 0 };
}
