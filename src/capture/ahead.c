#include "capture/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

struct block {
	uint8_t bytes[AHEAD_BLOCK_LEN];
	size_t len;
	uint64_t offset;    /* of the input, behind this block */
	ssize_t end;        /* not 1: the last block, and this is what decompressor_read returned */
	struct error error; /* with -1 */
};

struct ahead {
	struct decompressor *decompressor;
	const struct input *input;
	pthread_t thread;

	/* The reader's own. */
	size_t taken; /* bytes of the block it reads */
	uint64_t offset;

	/* Under the lock; the content of a block belongs to the side that has it. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t filled_count, emptied_count; /* block number n lies in blocks[n % AHEAD_BLOCKS] */
	bool stop_asked;

	struct block blocks[AHEAD_BLOCKS];
};

/* Full, or the last one. */
static void
fill(struct ahead *a, struct block *b)
{
	b->len = 0;
	do {
		b->end = decompressor_read(
		    a->decompressor, b->bytes + b->len, AHEAD_BLOCK_LEN - b->len, &b->error);
		if (b->end > 0)
			b->len += (size_t)b->end;
	} while (b->end > 0 && b->len < AHEAD_BLOCK_LEN);
	b->offset = a->input->offset;
}

/* Waits for an empty block; NULL: the reading is to end. */
static struct block *
take_empty(struct ahead *a)
{
	struct block *b = NULL;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->stop_asked && a->filled_count - a->emptied_count == AHEAD_BLOCKS)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	if (!a->stop_asked)
		b = &a->blocks[a->filled_count % AHEAD_BLOCKS];
	(void)pthread_mutex_unlock(&a->lock);
	return b;
}

static void *
run(void *arg)
{
	struct ahead *a = arg;
	struct block *b;
	bool more = true;

	while (more && (b = take_empty(a)) != NULL) {
		fill(a, b);
		more = b->end > 0;
		(void)pthread_mutex_lock(&a->lock);
		a->filled_count++;
		(void)pthread_cond_signal(&a->changed);
		(void)pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct ahead *
ahead_start(struct decompressor *decompressor, const struct input *input)
{
	struct ahead *a = xmalloc(sizeof(*a));
	sigset_t all, old;
	int status;

	memset(a, 0, offsetof(struct ahead, blocks));
	a->decompressor = decompressor;
	a->input = input;
	a->offset = input->offset;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	/* Signals are for the threads that handle them. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	status = pthread_create(&a->thread, NULL, run, a);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (status == 0)
		return a;
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

void
ahead_stop(struct ahead *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->stop_asked = true;
	(void)pthread_cond_signal(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

static struct block *
wait_for_block(struct ahead *a)
{
	struct block *b;

	(void)pthread_mutex_lock(&a->lock);
	while (a->filled_count == a->emptied_count)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	b = &a->blocks[a->emptied_count % AHEAD_BLOCKS];
	(void)pthread_mutex_unlock(&a->lock);
	return b;
}

static void
give_back(struct ahead *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->emptied_count++;
	(void)pthread_cond_signal(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	a->taken = 0;
}

ssize_t
ahead_read(struct ahead *a, uint8_t *out, size_t room, struct error *err)
{
	struct block *b = wait_for_block(a);
	size_t len = b->len - a->taken < room ? b->len - a->taken : room;

	a->offset = b->offset;
	if (len == 0) {
		/* At the end the block stays, so that the next call says the same. */
		if (b->end < 0)
			*err = b->error;
		return b->end;
	}
	memcpy(out, b->bytes + a->taken, len);
	a->taken += len;
	if (a->taken == b->len && b->end > 0)
		give_back(a);
	return (ssize_t)len;
}

uint64_t
ahead_offset(const struct ahead *a)
{
	return a->offset;
}
