#include "capture/map.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* Linux 5.14; older kernels refuse it. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Of more files than this that are read at the same time, the others are not mapped. */
#define SLOTS 8

struct map_slot {
	atomic_bool taken;
	_Atomic uintptr_t begin, end; /* addresses; of no use while end is 0 */
	atomic_bool was_cut;
};

/* A signal's handler has no other way to know what it is about. */
static struct map_slot slots[SLOTS];
static struct sigaction previous_action;

static uintptr_t
page_begin(uintptr_t at)
{
	return at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

/* Puts zeros where the file has no bytes any more; who reads them finds map_was_cut. */
static bool
replace_by_zeros(struct map_slot *slot, uintptr_t at)
{
	uintptr_t page = page_begin(at), end = atomic_load(&slot->end);

	if (end == 0 || at < atomic_load(&slot->begin) || at >= end)
		return false;
	atomic_store(&slot->was_cut, true);
	return mmap((void *)page, end - page, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static void
on_bus_error(int signal_number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	bool ours = false;

	(void)context;
	for (size_t i = 0; i < SLOTS && !ours; i++)
		ours = replace_by_zeros(&slots[i], (uintptr_t)info->si_addr);
	/* Not ours: the access is tried again, and ends as it would without this handler. */
	if (!ours)
		(void)sigaction(signal_number, &previous_action, NULL);
	errno = saved_errno;
}

static void
handle_bus_errors(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, &previous_action);
}

static struct map_slot *
take_slot(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (!atomic_exchange(&slots[i].taken, true))
			return &slots[i];
	}
	return NULL;
}

static void
give_slot_back(struct map_slot *slot)
{
	atomic_store(&slot->end, 0);
	atomic_store(&slot->taken, false);
}

bool
map_open(struct map *m, int fd, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	void *bytes;

	*m = (struct map){ .len = len, .slot = take_slot() };
	if (m->slot == NULL)
		return false;
	bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		give_slot_back(m->slot);
		return false;
	}
	m->bytes = bytes;
	(void)pthread_once(&once, handle_bus_errors);
	atomic_store(&m->slot->was_cut, false);
	atomic_store(&m->slot->begin, (uintptr_t)bytes);
	atomic_store(&m->slot->end, (uintptr_t)bytes + len);
	return true;
}

bool
map_reach(struct map *m, size_t begin, size_t end)
{
	uintptr_t from = page_begin((uintptr_t)m->bytes + begin);
	int result;

	do {
		result =
		    madvise((void *)from, (uintptr_t)m->bytes + end - from, MADV_POPULATE_READ);
	} while (result != 0 && errno == EINTR);
	return result == 0;
}

static void
unmap(const struct map_piece *piece)
{
	atomic_store(&piece->slot->begin, (uintptr_t)piece->bytes + piece->len);
	if (piece->len > 0)
		(void)munmap(piece->bytes, piece->len);
	if (piece->is_last)
		give_slot_back(piece->slot);
}

static void
keep(struct map_kept *k, const struct map_piece *piece)
{
	if (k->released_count + k->count < k->unwanted_count) {
		/* All in front of it are gone. */
		k->released_count++;
		unmap(piece);
		return;
	}
	if (k->count == k->room) {
		k->room = k->room * 2 + 4;
		k->pieces = xreallocarray(k->pieces, k->room, sizeof(*k->pieces));
	}
	k->pieces[k->count++] = *piece;
}

static void
drop(struct map *m, size_t upto, bool is_last)
{
	const struct map_piece piece = {
		.bytes = m->bytes + m->dropped,
		.len = upto - m->dropped,
		.slot = m->slot,
		.is_last = is_last,
	};

	m->dropped = upto;
	if (m->kept != NULL)
		keep(m->kept, &piece);
	else
		unmap(&piece);
}

void
map_drop(struct map *m, size_t upto)
{
	size_t whole_pages_len = page_begin((uintptr_t)m->bytes + upto) - (uintptr_t)m->bytes;

	if (whole_pages_len > m->dropped)
		drop(m, whole_pages_len, false);
}

void
map_close(struct map *m)
{
	if (m->bytes == NULL)
		return;
	drop(m, m->len, true);
	*m = (struct map){ 0 };
}

bool
map_was_cut(const struct map *m)
{
	return m->bytes != NULL && atomic_load_explicit(&m->slot->was_cut, memory_order_relaxed);
}

uint64_t
map_kept_count(const struct map_kept *k)
{
	return k->released_count + k->count;
}

void
map_kept_release(struct map_kept *k, uint64_t count)
{
	size_t gone = 0;

	k->unwanted_count = count;
	for (; gone < k->count && k->released_count < count; gone++, k->released_count++)
		unmap(&k->pieces[gone]);
	if (gone == 0)
		return;
	k->count -= gone;
	memmove(k->pieces, k->pieces + gone, k->count * sizeof(*k->pieces));
}

void
map_kept_free(struct map_kept *k)
{
	map_kept_release(k, UINT64_MAX);
	free(k->pieces);
	*k = (struct map_kept){ 0 };
}
