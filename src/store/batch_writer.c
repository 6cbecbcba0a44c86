#include "store/batch_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

struct slot {
	enum store_batch_of which;
	struct store_batch batch;
};

struct batch_writer {
	struct store *store;
	pthread_t thread;

	/* Under the lock; the content of a slot belongs to the side that has it. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Batch number n lies in slots[n % BATCH_WRITER_SLOTS]. */
	size_t given_count, written_count;
	bool is_awaited, stop_asked, failed;
	struct error error;

	struct slot slots[BATCH_WRITER_SLOTS];
};

/* How many batches there are, once it is worth to begin; 0: the thread is to end. */
static size_t
wait_for_work(struct batch_writer *w)
{
	size_t count = 0;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop_asked &&
	       w->given_count - w->written_count < (w->is_awaited ? 1 : BATCH_WRITER_SLOTS / 2))
		(void)pthread_cond_wait(&w->changed, &w->lock);
	if (!w->stop_asked)
		count = w->given_count - w->written_count;
	(void)pthread_mutex_unlock(&w->lock);
	return count;
}

static int
write_next(struct batch_writer *w)
{
	struct slot *slot = &w->slots[w->written_count % BATCH_WRITER_SLOTS];
	struct error err;
	int result = store_batch_put(w->store, slot->which, &slot->batch, &err);

	(void)pthread_mutex_lock(&w->lock);
	if (result == 0) {
		w->written_count++;
	} else {
		w->failed = true;
		w->error = err;
	}
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return result;
}

static void *
run(void *arg)
{
	struct batch_writer *w = arg;
	size_t count;
	int result = 0;

	while (result == 0 && (count = wait_for_work(w)) > 0) {
		for (size_t i = 0; i < count && result == 0; i++)
			result = write_next(w);
	}
	return NULL;
}

struct batch_writer *
batch_writer_start(struct store *s)
{
	struct batch_writer *w = xcalloc(1, sizeof(*w));
	sigset_t all, old;
	int status;

	w->store = s;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	/* Signals are for the threads that handle them. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	status = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (status == 0)
		return w;
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

void
batch_writer_stop(struct batch_writer *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop_asked = true;
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	for (size_t i = 0; i < BATCH_WRITER_SLOTS; i++)
		store_batch_release(&w->slots[i].batch);
	free(w);
}

/* With the lock; -1: `err` says why not. */
static int
wait_until_fewer(struct batch_writer *w, size_t count, struct error *err)
{
	while (!w->failed && w->given_count - w->written_count >= count)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	if (w->failed)
		*err = w->error;
	return w->failed ? -1 : 0;
}

int
batch_writer_give(
    struct batch_writer *w, enum store_batch_of which, struct store_batch *batch, struct error *err)
{
	int result;

	(void)pthread_mutex_lock(&w->lock);
	result = wait_until_fewer(w, BATCH_WRITER_SLOTS, err);
	if (result == 0) {
		struct slot *slot = &w->slots[w->given_count++ % BATCH_WRITER_SLOTS];
		struct store_batch empty = slot->batch;

		slot->which = which;
		slot->batch = *batch;
		*batch = empty;
		if (w->given_count - w->written_count >= BATCH_WRITER_SLOTS / 2)
			(void)pthread_cond_signal(&w->changed);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return result;
}

int
batch_writer_wait(struct batch_writer *w, struct error *err)
{
	int result;

	(void)pthread_mutex_lock(&w->lock);
	w->is_awaited = true;
	(void)pthread_cond_signal(&w->changed);
	result = wait_until_fewer(w, 1, err);
	w->is_awaited = false;
	(void)pthread_mutex_unlock(&w->lock);
	return result;
}
