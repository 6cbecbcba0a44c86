#include "app/replay_losses.h"

#include "base/banned.h"

static void
add(struct saved_loss *sum, const struct saved_loss *loss)
{
	sum->count += loss->count;
	sum->is_known = sum->is_known && loss->is_known;
}

/*
 * Where some files do not tell, the sum of the others is a lower bound, which says something only
 * if it is more than zero.
 */
static size_t
put(const struct saved_loss *sum, const char *name, struct store_counter *out)
{
	*out = (struct store_counter){ name, sum->count };
	return sum->is_known || sum->count > 0;
}

size_t
replay_losses(const struct saved *saved, struct store_counter out[REPLAY_LOSSES_MAX])
{
	struct saved_loss by_interface = { .is_known = true }, by_kernel = { .is_known = true };
	size_t file_count = 0, count;

	for (size_t i = 0; i < saved_file_count(saved); i++) {
		const struct saved_file *f = saved_file_at(saved, i);

		if (f->unusable || (f->packet_count > 0 && f->skipped_count == f->packet_count))
			continue;
		add(&by_interface, &f->interface_loss);
		add(&by_kernel, &f->kernel_loss);
		file_count++;
	}
	if (file_count == 0)
		return 0;
	count = put(&by_interface, "interface_dropped", &out[0]);
	return count + put(&by_kernel, "kernel_dropped", &out[count]);
}
